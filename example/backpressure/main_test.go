//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

// TestSlowReader: one that has asked for much and doesn't read holds up nobody,
// gets all of it when it does, and costs no more memory than the mark says.
func TestSlowReader(t *testing.T) {
	const size = 64 << 20
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	slow, fast := p.Dial(t), p.Dial(t)
	if _, err := fmt.Fprintln(slow, size); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Read(make([]byte, 1)); err != nil { // the first of it is on its way
		t.Fatal(err)
	}

	if _, err := fmt.Fprintln(fast, 1<<20); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, fast); n != 1<<20 || err != nil {
		t.Fatalf("the fast reader has read %d bytes, %v", n, err)
	}

	if n, err := io.Copy(io.Discard, slow); n != size-1 || err != nil {
		t.Fatalf("the slow reader has read %d bytes, %v", n, err)
	}
	line := p.WaitLog(t, "sent: "+slow.LocalAddr().String())
	var addr string
	var waited int
	if _, err := fmt.Sscanf(line[len("2006/01/02 15:04:05 "):], "sent: %s at most %d bytes waited", &addr, &waited); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if waited > highWater+len(chunk) {
		t.Errorf("%d bytes waited, over the mark by more than one chunk", waited)
	}
	p.Stop(t, syscall.SIGTERM)
}

// TestNoNumber: it is told, and can try again.
func TestNoNumber(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	c := p.Dial(t)
	if _, err := io.WriteString(c, "all\n0\n"); err != nil {
		t.Fatal(err)
	}
	if reply, err := io.ReadAll(c); err != nil || string(reply) != "one number, please\n" {
		t.Errorf("read %q, %v", reply, err)
	}
	p.Stop(t, syscall.SIGTERM)
}
