//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/example/internal/program"
)

// receiver reads pushes, and checks that none is missing or cut.
type receiver struct {
	lines *bufio.Scanner
	last  int
}

func (r *receiver) receive(t *testing.T) {
	t.Helper()
	var n int
	if !r.lines.Scan() {
		t.Fatalf("the end after push %d: %v", r.last, r.lines.Err())
	}
	if _, err := fmt.Sscanf(r.lines.Text(), "push %d", &n); err != nil {
		t.Fatalf("%q after push %d: %v", r.lines.Text(), r.last, err)
	}
	if r.last != 0 && n != r.last+1 {
		t.Fatalf("push %d after push %d", n, r.last)
	}
	r.last = n
	for want := range 256 {
		item, price := 0, 0.0
		r.lines.Scan()
		if _, err := fmt.Sscanf(r.lines.Text(), "item %d %f", &item, &price); err != nil || item != want {
			t.Fatalf("push %d, item %d: %q, %v", n, want, r.lines.Text(), err)
		}
	}
}

// TestPush: two read, a third never does and is dropped.
func TestPush(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1", "-every", "10ms") // the readers may be a second late
	readers := []*receiver{{lines: bufio.NewScanner(p.Dial(t))}, {lines: bufio.NewScanner(p.Dial(t))}}
	slow := p.Dial(t)
	peer := slow.LocalAddr().String()
	for dropped := false; !dropped; {
		for _, r := range readers {
			r.receive(t)
		}
		select {
		case line := <-p.Log:
			dropped = strings.Contains(line, "closed: "+peer+": "+weir.ErrSlowConsumer.Error())
		default:
		}
	}
	for range 10 { // the others go on
		for _, r := range readers {
			r.receive(t)
		}
	}
	// What the system had taken of it arrives. Then comes the end, in whatever form.
	if _, err := io.Copy(io.Discard, slow); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the slow receiver's stream did not end")
	}
	p.Stop(t, syscall.SIGTERM)
}
