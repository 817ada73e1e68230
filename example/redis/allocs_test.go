//go:build !race

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/resp"
)

// serveLoop returns a function that has one command after the other served.
func serveLoop(commands ...string) func() []byte {
	s := &server{commands: newCommands(), store: newStore(), hub: newHub()}
	cl := &client{version: resp.V2, trusted: true}
	var out []byte
	i := 0
	var list [][][]byte
	for _, c := range commands {
		list = append(list, bytes.Fields([]byte(c)))
	}
	return func() []byte {
		out = s.serve(cl, list[i], out[:0])
		if i++; i == len(list) {
			i = 0
		}
		return out
	}
}

// TestNoAllocation: commands that are sent again and again, with values that need
// no more room than the last ones.
func TestNoAllocation(t *testing.T) {
	for _, commands := range []string{
		"PING",
		"SET key:000000000000 VXK;GET key:000000000000;SET key:000000000000 VX",
		"GET nothing",
		"INCR counter;DECR counter",
		"MSET a 1 b 2 c 3;MGET a b c d;EXISTS a b c d",
		"SET a 1 PX 100000;TTL a",
		"STRLEN a",
		"ECHO a",
	} {
		serve := serveLoop(strings.Split(commands, ";")...)
		for range 6 {
			serve() // makes the entries
		}
		if n := testing.AllocsPerRun(600, func() { serve() }); n != 0 {
			t.Errorf("%s: %v allocations", commands, n)
		}
	}
}

func BenchmarkServe(b *testing.B) {
	for _, command := range []string{"PING", "GET key:000000000000", "SET key:000000000000 VXK", "INCR counter", "MGET a b c"} {
		b.Run(strings.Fields(command)[0], func(b *testing.B) {
			serve := serveLoop(command)
			serve()
			b.ReportAllocs()
			for b.Loop() {
				serve()
			}
		})
	}
}
