package weir_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// lastLine is a Protocol of lines, whose last one may have no end. It is sent what it
// is given.
type lastLine struct{ *weir.DefaultProtocol }

func (lastLine) UnPacket(_ *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	end := bytes.IndexByte(b.View(b.Length()), '\n')
	if end < 0 {
		return nil, nil
	}
	payload = b.View(end + 1)
	b.Retrieve(end + 1)
	return nil, payload
}

func (lastLine) UnPacketLast(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	switch rest := b.View(b.Length()); string(rest) {
	case "panic":
		panic("last")
	case "nothing":
		return nil, nil
	case "wrong":
		c.CloseWithError(io.ErrUnexpectedEOF)
		return "last", rest
	default:
		return "last", rest
	}
}

// TestLastProtocol: what is left at the end of the stream is the last message, and is
// answered.
func TestLastProtocol(t *testing.T) {
	for _, tt := range []struct{ name, stream, answer string }{
		{"a line without end", "one\ntwo", "one\ntwo<last>"},
		{"that alone", "one", "one<last>"},
		{"none", "one\n", "one\n"},
		{"no message", "one\nnothing", "one\n"},
		{"behind a pause", "pause\none\ntwo", "pause\none\ntwo<last>"},
		{"a pause at the end", "one\npause", "one\npause<last>"},
		{"held", "one\nhold", "one\nhold<last>released"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paused := make(chan *weir.Connection, 1)
			p := startPair(t, &handler{message: func(c *weir.Connection, ctx any, data []byte) any {
				_, _ = c.Write(data) // an error means that the connection is ending
				switch {
				case string(data) == "pause\n":
					c.PauseRead()
					paused <- c
				case string(data) == "hold":
					c.Hold(true)
					paused <- c
				}
				if ctx == "last" {
					return "<last>"
				}
				return nil
			}}, weir.CustomProtocol(lastLine{}))
			send(t, p.peer, tt.stream)
			if err := p.peer.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			switch tt.name {
			case "behind a pause":
				expectEnded(t, receive(t, paused))
				p.conn.ResumeRead()
			case "held":
				c := receive(t, paused)
				_ = c.Execute(func() { // the test would wait in vain
					_, _ = c.Write([]byte("released"))
					c.Hold(false)
				})
			}
			expect(t, p.peer, tt.answer)
			expectEnd(t, p.peer)
			p.expectErr(t, io.EOF)
		})
	}
}

// expectEnded waits until c's loop has had the time to see the end of the stream.
func expectEnded(t *testing.T, c *weir.Connection) {
	t.Helper()
	for range 10 {
		done := make(chan struct{})
		if err := c.Execute(func() { close(done) }); err != nil {
			t.Fatal(err)
		}
		receive(t, done)
	}
}

// TestLastProtocolOther: a panic there is that of a callback, and what is cut for
// another reason than the peer's end is no last message.
func TestLastProtocolOther(t *testing.T) {
	h := func() *handler {
		return &handler{message: func(_ *weir.Connection, ctx any, data []byte) any {
			if ctx != nil {
				return "<last>"
			}
			return data
		}}
	}
	t.Run("panic", func(t *testing.T) {
		p := startPair(t, h(), weir.CustomProtocol(lastLine{}), quiet())
		send(t, p.peer, "one\npanic")
		if err := p.peer.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect(t, p.peer, "one\n")
		expectEnd(t, p.peer)
		var panicked *weir.PanicError
		if c := receive(t, p.ended); !errors.As(c.Err(), &panicked) || panicked.Callback != "UnPacketLast" {
			t.Errorf("ended with %v", c.Err())
		}
	})
	t.Run("refused", func(t *testing.T) {
		p := startPair(t, h(), weir.CustomProtocol(lastLine{}))
		send(t, p.peer, "one\nwrong")
		if err := p.peer.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect(t, p.peer, "one\n")
		expectEnd(t, p.peer)
		p.expectErr(t, io.ErrUnexpectedEOF)
	})
	t.Run("Shutdown", func(t *testing.T) {
		p := startPair(t, h(), weir.CustomProtocol(lastLine{}))
		send(t, p.peer, "one\ntwo")
		expect(t, p.peer, "one\n")
		if err := p.server.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		expectEnd(t, p.peer)
		p.expectErr(t, weir.ErrServerStopped)
	})
}
