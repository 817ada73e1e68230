package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// set gives the key a a value of n bytes.
func (p *peer) set(n int) {
	p.t.Helper()
	p.send(fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r", n, strings.Repeat("x", n)))
	if got := p.read(); got != "+OK" {
		p.t.Fatal(got)
	}
}

// TestBacklog: clients that ask for much and read none of it hold no more than the bound
// together; who asks for little is served meanwhile, and everybody once they are gone.
func TestBacklog(t *testing.T) {
	const most, value = 64 << 20, 8 << 20
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
	served := func() (n int64) { // replies that wait, in bytes
		for c := range s.Connections() {
			n += c.WriteBufferLength()
		}
		return n
	}
	for settled := time.Duration(0); settled < 300*time.Millisecond; settled += 10 * time.Millisecond {
		if n := served(); n > most {
			t.Fatalf("clients are %d bytes behind, more than %d", n, most)
		}
		honest.expect("GET nosuch", "nil")
		time.Sleep(10 * time.Millisecond)
	}
	for _, p := range all {
		p.Close()
	}
	for s.Stats().Open > 1 {
		time.Sleep(time.Millisecond)
	}
	honest.send("MGET a a")
	if _, err := io.CopyN(io.Discard, honest.r, 2*value); err != nil {
		t.Error(err)
	}
}

// TestBacklogReadClients: who reads is counted no more.
func TestBacklogReadClients(t *testing.T) {
	const value = 8 << 20
	s, err := listenWith(4*value, "127.0.0.1:0", 2, "")
	addr := run(t, s, err)
	p := dial(t, addr)
	p.set(value)
	for i := range 10 {
		if got := dial(t, addr).do("GET a"); len(got) < value {
			t.Fatalf("client %d: %s", i, got)
		}
	}
}
