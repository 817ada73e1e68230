//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bufio"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

// TestProgram: the program as it is started by hand.
func TestProgram(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "2", "-requirepass", "secret")
	conn := p.Dial(t)
	c := &peer{conn, t, bufio.NewReader(conn)}
	c.expect("PING", "-NOAUTH Authentication required.")
	c.expect("AUTH secret", "+OK")
	c.expect("SET a 1", "+OK")
	p.Stop(t, syscall.SIGTERM)
	if b, err := c.r.ReadByte(); err == nil {
		t.Errorf("read %q after the program's end", b)
	}
}
