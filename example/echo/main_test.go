//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

func TestEcho(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "2")
	for range 4 { // on both loops
		c := p.Dial(t)
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, len("hello"))
		if _, err := io.ReadFull(c, reply); err != nil || string(reply) != "hello" {
			t.Fatalf("read %q, %v", reply, err)
		}
	}
	p.Stop(t, syscall.SIGTERM)
}

func TestIdle(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-idle", "50ms")
	c := p.Dial(t)
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("read %d, %v; want the end of the stream", n, err)
	}
	p.Stop(t, syscall.SIGTERM)
}

// TestSignals: the program ends with status 0, and its clients read the end.
func TestSignals(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			p := program.Start(t, "-addr", "127.0.0.1:0")
			c := p.Dial(t)
			if _, err := io.WriteString(c, "x"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err != nil { // so that it is being served
				t.Fatal(err)
			}
			p.Stop(t, sig)
			if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Fatalf("read %d, %v; want the end of the stream", n, err)
			}
		})
	}
}
