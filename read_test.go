package weir_test

import (
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestReadRounds: of a stream that always fills the buffer no more than four reads
// are done in a row, and only one if it is answered.
func TestReadRounds(t *testing.T) {
	for _, tt := range []struct {
		name          string
		answer        bool
		reads, events uint64
	}{
		{"one way", false, 17, 5},
		{"answered", true, 17, 17},
	} {
		t.Run(tt.name, func(t *testing.T) {
			full := 16 // reads that fill the buffer; loop only
			calls := weir.WithCalls(func(c *sock.Calls) {
				read := c.Read
				c.Read = func(fd int, p []byte) (int, syscall.Errno) {
					if full == 0 {
						return read(fd, p)
					}
					full--
					return len(p), 0
				}
			})
			done := make(chan struct{})
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
				if len(data) == 1 {
					close(done)
				}
				if tt.answer {
					_, _ = c.Write(data[:1])
				}
				return nil
			}}, calls, weir.NumLoops(1))
			onLoop(t, p.conn, func() bool { return true })
			onLoop(t, p.conn, func() bool { return true }) // the cycle that accepted it is published
			before := p.server.Stats()
			send(t, p.peer, "x")
			receive(t, done)
			onLoop(t, p.conn, func() bool { return true })
			onLoop(t, p.conn, func() bool { return true }) // the cycle of the first one is published
			after := p.server.Stats()
			if reads := after.Reads - before.Reads; reads != tt.reads {
				t.Errorf("%d reads, want %d", reads, tt.reads)
			}
			if events := after.Events - before.Events; events != tt.events {
				t.Errorf("%d events, want %d", events, tt.events)
			}
		})
	}
}
