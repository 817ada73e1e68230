package weir_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// TestMessageTooLarge: a message of the limit passes, and a byte more than the
// limit that is no message yet ends the connection.
func TestMessageTooLarge(t *testing.T) {
	const limit = 10_000
	// begin begins a message of size bytes in all, but sends only n of them.
	begin := func(p *pair, size, n int) {
		send(t, p.peer, frame(string(pattern(size - 4)))[:n])
		eventually(t, "all has been read", func() bool { return p.conn.ReadBufferLength() == int64(n) })
	}
	newPair := func(t *testing.T) *pair {
		return startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any { return data }},
			weir.CustomProtocol(framed{}), weir.MaxMessageSize(limit))
	}
	t.Run("at the limit", func(t *testing.T) {
		p := newPair(t)
		for range 3 {
			begin(p, limit, limit-1)
			send(t, p.peer, frame(string(pattern(limit - 4)))[limit-1:])
			expect(t, p.peer, frame(string(pattern(limit-4))))
		}
		begin(p, 2*limit, limit)
		if n := p.conn.ReadBufferLength(); n != limit || !p.conn.Connected() {
			t.Errorf("%d bytes of an incomplete message are kept, Connected %v", n, p.conn.Connected())
		}
	})
	t.Run("over the limit", func(t *testing.T) {
		p := newPair(t)
		send(t, p.peer, frame("before"))
		expect(t, p.peer, frame("before"))
		send(t, p.peer, frame(string(pattern(2 * limit)))[:limit+1])
		expectEnd(t, p.peer)
		p.expectErr(t, weir.ErrMessageTooLarge)
		expectEcho(t, p.server, frame("the others go on"))
		eventually(t, "it is counted", func() bool {
			st := p.server.Stats()
			return st.Closed.Size == 1 && st.InputBytes == 0
		})
	})
	t.Run("dribbled", func(t *testing.T) {
		p := newPair(t)
		begin(p, 2*limit, limit)
		send(t, p.peer, "x")
		expectEnd(t, p.peer)
		p.expectErr(t, weir.ErrMessageTooLarge)
	})
}

// badLines is a Protocol of lines that ends the stream at the line "BAD", and
// counts its calls after that.
type badLines struct {
	failure error
	late    atomic.Int64
}

func (l *badLines) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if c.Context() == l {
		l.late.Add(1)
	}
	all := b.View(b.Length())
	end := bytes.IndexByte(all, '\n') + 1
	if end == 0 {
		return nil, nil
	}
	b.Retrieve(end)
	if string(all[:end]) == "BAD\n" {
		c.SetContext(l)
		c.CloseWithError(l.failure)
	}
	return nil, all[:end] // even of the bad line: it must not be delivered
}

func (*badLines) Packet(_ *weir.Connection, data any) []byte { return fmt.Append(nil, data) }

// TestUnPacketFails: a stream that UnPacket gives up is not looked at again,
// what was answered before reaches the peer, and OnClose comes once.
func TestUnPacketFails(t *testing.T) {
	for _, tt := range []struct{ name, input, output string }{
		{"first", "BAD\none\n", ""},
		{"between messages of one read", "one\ntwo\nBAD\nthree\nfour\n", "ONE\nTWO\n"},
		{"by OnMessage", "one\nCLOSE\nthree\n", "ONE\nCLOSE\n"},
		{"after much output", strings.Repeat("line\n", 10_000) + "BAD\nafter\n", strings.Repeat("LINE\n", 10_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failure := errors.New("bad line")
			protocol := &badLines{failure: failure}
			var closed atomic.Int64
			p := startPair(t, &handler{
				message: func(c *weir.Connection, _ any, data []byte) any {
					switch string(data) {
					case "BAD\n", "after\n", "three\n", "four\n":
						t.Errorf("%q was delivered", data)
					case "CLOSE\n":
						c.SetContext(protocol)
						c.CloseWithError(failure)
					}
					return strings.ToUpper(string(data))
				},
				close: func(c *weir.Connection) {
					if c.Context() == protocol {
						closed.Add(1)
					}
				},
			}, weir.CustomProtocol(protocol))
			send(t, p.peer, tt.input)
			expect(t, p.peer, tt.output)
			expectEnd(t, p.peer)
			p.expectErr(t, failure)
			_, _ = p.peer.Write([]byte("more\n")) // may be refused by now
			p.conn.CloseWithError(errors.New("too late"))
			expectEcho(t, p.server, "GO ON\n")
			if got := p.conn.Err(); !errors.Is(got, failure) {
				t.Errorf("Err is now %v", got)
			}
			if n := protocol.late.Load(); n != 0 {
				t.Errorf("UnPacket was called %d times after it had failed", n)
			}
			if n := closed.Load(); n != 1 {
				t.Errorf("OnClose was called %d times", n)
			}
		})
	}
}

// TestUnPacketTakesNothing: messages that take no bytes come to an end.
func TestUnPacketTakesNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		unpack stuck
	}{
		{"payload", func() (any, []byte) { return nil, []byte("again") }},
		{"ctx", func() (any, []byte) { return 1, nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.CustomProtocol(tt.unpack))
			send(t, p.peer, "x")
			expectEnd(t, p.peer)
			p.expectErr(t, io.ErrNoProgress)
			eventually(t, "it is counted", func() bool { return p.server.Stats().Closed.Other == 1 })
		})
	}
}

// stuck is a Protocol that finds a message without taking it.
type stuck func() (ctx any, payload []byte)

func (s stuck) UnPacket(*weir.Connection, *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	return s()
}

func (stuck) Packet(*weir.Connection, any) []byte { return nil }
