//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

// TestReplies: thousands of them, none of which is spoilt by the use of its
// buffer for another, and far fewer buffers.
func TestReplies(t *testing.T) {
	const rounds, batch = 100, 50
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	c := p.Dial(t)
	replies := bufio.NewScanner(c)
	for round := range rounds {
		want := make(map[string]bool)
		var request []byte
		for i := range batch {
			line := fmt.Sprintf("round %d line %d", round, i)
			request = append(append(request, line...), '\n')
			want[fmt.Sprintf("%x %s", sha256.Sum256([]byte(line)), line)] = true
		}
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		for range batch {
			if !replies.Scan() || !want[replies.Text()] {
				t.Fatalf("reply %q, %v", replies.Text(), replies.Err())
			}
			delete(want, replies.Text())
		}
	}
	p.Stop(t, syscall.SIGTERM)
	line := p.WaitLog(t, "buffers for")
	var made, sent int
	if _, err := fmt.Sscanf(line[len("2006/01/02 15:04:05 "):], "%d buffers for %d replies", &made, &sent); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if sent != rounds*batch || made > sent/2 {
		t.Errorf("%d buffers for %d replies", made, sent)
	}
}
