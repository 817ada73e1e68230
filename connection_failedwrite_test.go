package weir_test

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestLastMessageOfReset: a message that a peer has sent before it reset the connection is
// delivered, also if a write of ours finds the reset first, whichever way that was made.
func TestLastMessageOfReset(t *testing.T) {
	for name, write := range map[string]func(p *pair) error{
		"Write":  func(p *pair) error { return p.conn.WritePacket("news") },
		"Send":   func(p *pair) error { return p.conn.Send("news") },
		"much":   func(p *pair) error { return p.conn.WritePacket(string(pattern(1 << 20))) },
		"shared": func(p *pair) error { return p.conn.WriteShared(pattern(100_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
				got <- string(data)
				return "too late" // nobody can be answered any more
			}})
			free := make(chan struct{})
			occupied := make(chan struct{})
			fail(t, p.conn.Loop().Execute(func() { close(occupied); <-free; fail(t, write(p)) }))
			receive(t, occupied)
			send(t, p.peer, "last words")
			reset(t, p.peer)
			close(free)
			for receive(t, p.ended) != p.conn {
			}
			if len(got) != 1 || <-got != "last words" {
				t.Errorf("not delivered; Err is %v", p.conn.Err())
			}
			var lost *weir.UnsentError
			if err := p.conn.Err(); !wasReset(err) || !errors.As(err, &lost) || lost.Bytes == 0 {
				t.Errorf("Err is %v, want a reset with bytes unsent", err)
			}
			eventually(t, "it is counted", func() bool {
				st := p.server.Stats()
				return st.Closed.System == 1 && st.OutputBytes == 0 && p.conn.WriteBufferLength() == 0
			})
		})
	}
}

// TestFailedWriteEnds: if only writing has failed, what was received by then is delivered;
// nothing is accepted for sending meanwhile, and the stream of the peer does not look whole.
func TestFailedWriteEnds(t *testing.T) {
	const sent = 100_000
	var broken atomic.Bool
	var received, accepted atomic.Int64
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		received.Add(int64(len(data)))
		if err := c.Send("more"); err == nil {
			accepted.Add(4) // writing has not failed yet
		} else if !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Send behind a failed write: %v", err)
		}
		return nil
	}}, weir.WithCalls(func(c *sock.Calls) {
		write := c.Write
		c.Write = func(fd int, b []byte) (int, syscall.Errno) {
			if broken.Load() {
				return 0, syscall.EPIPE
			}
			return write(fd, b)
		}
	}))
	release := occupy(t, p.conn)
	send(t, p.peer, string(pattern(sent)))
	fail(t, p.conn.Execute(func() {
		broken.Store(true)
		fail(t, p.conn.WritePacket("news"))
	}))
	fail(t, p.conn.Send("more")) // on its way when writing fails
	accepted.Add(8)              // the two that the test has sent
	release()
	p.expectErr(t, syscall.EPIPE)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || lost.Bytes != accepted.Load() {
		t.Errorf("Err is %v, and %d bytes were lost", p.conn.Err(), accepted.Load())
	}
	if n := received.Load(); n != sent {
		t.Errorf("%d of %d bytes were delivered", n, sent)
	}
	if _, err := io.ReadAll(p.peer); !wasReset(err) {
		t.Errorf("the stream of the peer ends with %v, though bytes are lost", err)
	}
}
