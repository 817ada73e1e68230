package weir_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// framed is a Protocol with a four-byte length before each message; the ctx is
// that length. Data to send is a []byte or a string.
type framed struct{}

func (framed) UnPacket(_ *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	n := int(b.PeekUint32())
	frame := b.View(4 + n)
	if frame == nil {
		return nil, nil
	}
	b.Retrieve(len(frame))
	return n, frame[4:]
}

func (framed) Packet(_ *weir.Connection, data any) []byte { return appendFrame(nil, data) }

// framedAppender is framed, and encodes in place.
type framedAppender struct{ framed }

func (framedAppender) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	return appendFrame(dst, data)
}

// framedSplitter is framed, by Split.
type framedSplitter struct{ framed }

func (framedSplitter) Split(_ *weir.Connection, data []byte) (n int, ctx any, payload []byte) {
	if len(data) < 4 || len(data) < 4+int(binary.BigEndian.Uint32(data)) {
		return 0, nil, nil
	}
	n = 4 + int(binary.BigEndian.Uint32(data))
	return n, n - 4, data[4:n]
}

func appendFrame(dst []byte, data any) []byte {
	p := fmt.Appendf(nil, "%s", data)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(p)))
	return append(dst, p...)
}

// frame is a message as framed cuts it.
func frame(payload string) string { return string(appendFrame(nil, payload)) }

// TestDribble: messages that arrive byte by byte are whole and right, and
// leave no memory behind.
func TestDribble(t *testing.T) {
	for _, protocol := range []weir.Protocol{framed{}, framedAppender{}, framedSplitter{}} {
		t.Run(fmt.Sprintf("%T", protocol), func(t *testing.T) {
			got := make(chan string, 16)
			p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
				got <- string(data)
				return data
			}}, weir.CustomProtocol(protocol))
			var sent uint64
			for _, message := range []string{"a", "", "hello", strings.Repeat("dribble", 20)} {
				wire := frame(message)
				for i := range len(wire) {
					send(t, p.peer, wire[i:i+1])
					sent++
					eventually(t, "the byte has been delivered", func() bool {
						return p.server.Stats().BytesIn == sent
					})
					waiting := int64((i + 1) % len(wire))
					if n := p.conn.ReadBufferLength(); n != waiting {
						t.Fatalf("ReadBufferLength %d after %d of %d bytes", n, i+1, len(wire))
					}
					if n := p.server.Stats().InputBytes; n != waiting {
						t.Fatalf("InputBytes %d after %d of %d bytes", n, i+1, len(wire))
					}
				}
				if m := receive(t, got); m != message {
					t.Fatalf("OnMessage got %q, want %q", m, message)
				}
				expect(t, p.peer, wire)
			}
			if reads := p.server.Stats().Reads; reads < sent {
				t.Errorf("%d reads for %d bytes: they did not come one by one", reads, sent)
			}
		})
	}
}

// TestManyAtOnce: any number of messages in one read, and one that is cut by
// the end of it, are whole and in order.
func TestManyAtOnce(t *testing.T) {
	var messages []string
	var wire bytes.Buffer
	for i, p := 0, string(pattern(3000)); i < 3000; i++ {
		messages = append(messages, p[:i])
		wire.WriteString(frame(p[:i]))
	}
	var got []string // the loop's, until the connection has ended
	p := startPair(t, &handler{message: func(_ *weir.Connection, ctx any, data []byte) any {
		if ctx != len(data) {
			t.Errorf("ctx %v with %d bytes", ctx, len(data))
		}
		got = append(got, string(data))
		return data
	}}, weir.CustomProtocol(framed{}))
	failed := make(chan error, 1)
	go func() { _, err := p.peer.Write(wire.Bytes()); failed <- err }()
	expect(t, p.peer, wire.String())
	if err := receive(t, failed); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing is left", func() bool {
		st := p.server.Stats()
		return st.InputBytes == 0 && st.OutputBytes == 0 && p.conn.ReadBufferLength() == 0
	})
	_ = p.peer.Close() // all was read
	p.expectErr(t, io.EOF)
	if len(got) != len(messages) {
		t.Fatalf("%d messages, want %d", len(got), len(messages))
	}
	for i := range messages {
		if got[i] != messages[i] {
			t.Fatalf("message %d is %q, want %q", i, clip([]byte(got[i])), clip([]byte(messages[i])))
		}
	}
}

// TestEmptyMessage: a message without bytes is delivered when it has a ctx.
func TestEmptyMessage(t *testing.T) {
	type message struct {
		ctx  any
		size int
	}
	got := make(chan message, 4)
	p := startPair(t, &handler{message: func(_ *weir.Connection, ctx any, data []byte) any {
		got <- message{ctx, len(data)}
		return "" // an empty answer, which is not none
	}}, weir.CustomProtocol(framed{}))
	send(t, p.peer, frame("")+frame("")+frame("x"))
	for _, want := range []message{{0, 0}, {0, 0}, {1, 1}} {
		if m := receive(t, got); m != want {
			t.Errorf("OnMessage got %+v, want %+v", m, want)
		}
		expect(t, p.peer, frame(""))
	}
}
