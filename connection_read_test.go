package weir_test

import (
	"bytes"
	"encoding/binary"
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

// TestReadsOfLargeMessage: however much of a message is there at once, and however much
// room its ring has, no read takes more than a mebibyte, and there are four in a row at
// most.
func TestReadsOfLargeMessage(t *testing.T) {
	const size, most, rounds = 40 << 20, 1 << 20, 4
	stream := append(binary.BigEndian.AppendUint32(nil, size), pattern(size)...)
	rest, largest := stream, 0 // loop only
	whole := make(chan bool, 1)
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		whole <- bytes.Equal(data, stream[4:])
		return nil
	}}, weir.CustomProtocol(framed{}), weir.MaxMessageSize(2*size), weir.WithCalls(func(c *sock.Calls) {
		read := c.Read
		c.Read = func(fd int, p []byte) (int, syscall.Errno) {
			if len(rest) == 0 {
				return read(fd, p)
			}
			largest = max(largest, len(p))
			n := copy(p, rest)
			rest = rest[n:]
			return n, 0
		}
	}))
	before := p.server.Stats()
	send(t, p.peer, "x") // the poller reports it until it is read
	if !receive(t, whole) {
		t.Error("another message than was sent")
	}
	onLoop(t, p.conn, func() bool { return true })
	if n := onLoop(t, p.conn, func() int { return largest }); n != most {
		t.Errorf("the largest read had room for %d bytes, want %d", n, most)
	}
	after := p.server.Stats()
	if reads, events := after.Reads-before.Reads, after.Events-before.Events; reads > rounds*events {
		t.Errorf("%d reads for %d events", reads, events)
	}
}
