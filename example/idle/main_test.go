//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir/example/internal/program"
)

// TestIdle: one that says nothing is closed after a while, one that has said
// something after ten times that.
func TestIdle(t *testing.T) {
	const idle = 100 * time.Millisecond
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1", "-idle", idle.String())

	began := time.Now()
	silent := p.Dial(t)
	if n, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("read %d, %v; want the end of the stream", n, err)
	}
	if lasted := time.Since(began); lasted < idle {
		t.Errorf("a silent connection was closed after %v", lasted)
	}
	p.WaitLog(t, "idle: "+silent.LocalAddr().String()+", known: false")

	c := p.Dial(t)
	began = time.Now()
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(c)
	if err != nil || string(reply) != "hello" {
		t.Fatalf("read %q, %v", reply, err)
	}
	if lasted := time.Since(began); lasted < 10*idle {
		t.Errorf("one that had said something was closed after %v", lasted)
	}
	p.WaitLog(t, "idle: "+c.LocalAddr().String()+", known: true")
	p.Stop(t, syscall.SIGTERM)
}
