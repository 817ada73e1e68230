//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

func TestQuestions(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	client := exec.Command("go", "run", "./client", "-addr", p.Addr, "meaning of life", "", "what?")
	out, err := client.CombinedOutput()
	const want = "meaning of life: 42\n: I don't know\nwhat?: I don't know\n"
	if err != nil || string(out) != want {
		t.Errorf("the client printed %q, %v; want %q", out, err, want)
	}

	c := p.Dial(t)
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	p.WaitLog(t, c.LocalAddr().String(), "telegram: unknown kind: 'G'")
	p.Stop(t, syscall.SIGTERM)
}
