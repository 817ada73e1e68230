//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

func echo(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, len("hello"))
	if _, err := io.ReadFull(c, reply); err != nil || string(reply) != "hello" {
		t.Fatalf("read %q, %v", reply, err)
	}
}

// TestLimit: two are served, a third is told to come again, and is served when
// one has left.
func TestLimit(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-max", "2", "-spare", "10")
	first, second := p.Dial(t), p.Dial(t)
	echo(t, first)
	echo(t, second)

	third := p.Dial(t)
	for range 20 { // it talks first, and has yet to read that nobody listens
		if _, err := io.WriteString(third, "hello"); err != nil {
			t.Fatal(err)
		}
		echo(t, first)
	}
	reply, err := io.ReadAll(third)
	if err != nil || string(reply) != "full, please come again\n" {
		t.Fatalf("read %q, %v", reply, err)
	}
	third.Close()
	echo(t, first)

	second.Close()
	p.WaitLog(t, "closed: "+second.LocalAddr().String())
	echo(t, p.Dial(t))
	p.Stop(t, syscall.SIGTERM)
	p.WaitLog(t, "refused without a word: 0")
}

// TestTurnedAway: with nothing to spare, the third doesn't hear a word.
func TestTurnedAway(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-max", "2", "-spare", "0")
	first, second := p.Dial(t), p.Dial(t)
	echo(t, first)
	echo(t, second)
	if n, err := p.Dial(t).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("read %d bytes, want the end", n)
	}
	echo(t, first)
	p.Stop(t, syscall.SIGTERM)
	p.WaitLog(t, "refused without a word: 1")
}
