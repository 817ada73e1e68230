package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// set gives the key a a value of n bytes.
func (p *peer) set(n int) {
	p.t.Helper()
	p.send(fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r", n, strings.Repeat("x", n)))
	if got := p.read(); got != "+OK" {
		p.t.Fatal(got)
	}
}

// unread is how many bytes all clients have yet to read.
func unread(s *weir.Server) (n int64) {
	for c := range s.Connections() {
		n += c.WriteBufferLength()
	}
	return n
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// TestBacklog: clients that ask for much and read none of it hold no more than the bound
// together; who asks for little is served meanwhile, and everybody once they are gone.
func TestBacklog(t *testing.T) {
	const most, value = 40 << 20, 5 << 20
	s, err := listenWith(most, "127.0.0.1:0", 2, "")
	addr := run(t, s, err)
	honest := dial(t, addr)
	honest.set(value)
	const greedy = 12
	var all []*peer
	for range greedy {
		p := dial(t, addr)
		p.send("MGET a a", "GET a", "GET a", "GET a")
		all = append(all, p)
	}
	for settled := time.Duration(0); settled < 300*time.Millisecond; settled += 10 * time.Millisecond {
		if n := unread(s); n > most {
			t.Fatalf("clients are %d bytes behind, more than %d", n, most)
		}
		honest.expect("GET nosuch", "nil")
		time.Sleep(10 * time.Millisecond)
	}
	for _, p := range all {
		p.Close()
	}
	eventually(t, "they are gone", func() bool { return s.Stats().Open == 1 })
	honest.send("MGET a a")
	if _, err := io.CopyN(io.Discard, honest.r, 2*value); err != nil {
		t.Error(err)
	}
}

// TestBacklogOfMessages: subscribers that read nothing are sent no more than the bound
// together, and whoever misses a message is closed.
func TestBacklogOfMessages(t *testing.T) {
	const most, size, subscribers = 32 << 20, 5 << 20, 6
	s, err := listenWith(most, "127.0.0.1:0", 2, "", weir.Linger(100*time.Millisecond))
	addr := run(t, s, err)
	for range subscribers {
		dial(t, addr).do("SUBSCRIBE news")
	}
	p := dial(t, addr)
	for range 4 {
		p.send(fmt.Sprintf("*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$%d\r\n%s\r", size, strings.Repeat("x", size)))
		p.read()
		if n := unread(s); n > most {
			t.Errorf("clients are %d bytes behind, more than %d", n, most)
		}
	}
	eventually(t, "one is closed", func() bool { return s.Stats().Closed.Slow > 0 })
	p.expect("PING", "+PONG")
}

// TestBacklogReadClients: who reads is counted no more.
func TestBacklogReadClients(t *testing.T) {
	const value = 5 << 20
	s, err := listenWith(4*value, "127.0.0.1:0", 2, "")
	addr := run(t, s, err)
	p := dial(t, addr)
	p.set(value)
	for i := range 10 {
		c := dial(t, addr)
		c.send("GET a")
		if n, err := io.CopyN(io.Discard, c.r, value); err != nil {
			t.Fatalf("client %d: %d bytes, %v", i, n, err)
		}
	}
}
