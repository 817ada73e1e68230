package weir_test

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// TestMutualWrites: two connections that write to each other whenever they can leave the
// loop time for everything else.
func TestMutualWrites(t *testing.T) {
	for _, how := range []string{"OnWritable", "Execute", "SendInLoop"} {
		t.Run(how, func(t *testing.T) {
			var a, b *weir.Connection
			var over atomic.Bool
			turns := 0 // loop only
			other := func(c *weir.Connection) *weir.Connection {
				if c == a {
					return b
				}
				return a
			}
			var again func(c *weir.Connection)
			h := &handler{message: echo, writable: func(c *weir.Connection) { again(c) }}
			again = func(c *weir.Connection) {
				if turns++; over.Load() || other(c) == nil {
					return
				}
				switch how {
				case "OnWritable":
					_, _ = other(c).Write(pattern(100)) // an error would show as silence
				case "Execute":
					_ = other(c).Execute(func() { again(other(c)) })
				case "SendInLoop":
					_ = other(c).Send(pattern(100), weir.SendInLoop(func(any) { again(other(c)) }))
				}
			}
			p := startPair(t, h, weir.WriteBufferMarks(0, 1))
			second := dial(t, p.server)
			begun := receive(t, p.begun)
			for _, peer := range []*net.TCPConn{p.peer, second} {
				go func() { // they read all of it
					for buf := make([]byte, 64<<10); ; {
						if _, err := peer.Read(buf); err != nil {
							return
						}
					}
				}()
			}
			defer over.Store(true)
			fail(t, p.conn.Execute(func() {
				a, b = p.conn, begun
				again(a)
			}))
			onTurns := func() int { return onLoop(t, p.conn, func() int { return turns }) }
			eventually(t, "they write", func() bool { return onTurns() > 1000 })
			after(t, begun, 0) // timers have their turn
			expectEcho(t, p.server, "and new connections")
			polls, before := p.server.Stats().Polls, onTurns()
			eventually(t, "the loop polls", func() bool { return p.server.Stats().Polls > polls+10 })
			eventually(t, "they go on", func() bool { return onTurns() > before })
		})
	}
}
