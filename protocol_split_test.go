package weir_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// splitFunc is a Protocol that only has Split. UnPacket must not be called.
type splitFunc func(c *weir.Connection, data []byte) (n int, ctx any, payload []byte)

func (f splitFunc) Split(c *weir.Connection, data []byte) (n int, ctx any, payload []byte) {
	return f(c, data)
}

func (splitFunc) UnPacket(*weir.Connection, *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	panic("UnPacket was called")
}

func (splitFunc) Packet(_ *weir.Connection, data any) []byte { return appendFrame(nil, data) }

// splitLine cuts lines, which keep their end; an empty line is taken, and is no
// message.
func splitLine(_ *weir.Connection, data []byte) (n int, ctx any, payload []byte) {
	end := bytes.IndexByte(data, '\n') + 1
	if end < 2 {
		return end, nil, nil
	}
	return end, nil, data[:end:end]
}

// splitLines is a Protocol of splitLine that answers with what it is given.
type splitLines struct{ splitFunc }

func (splitLines) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// TestSplit: messages are whole and in order wherever the stream is cut, from one
// byte to more than the loop's read buffer, and leave no memory behind.
func TestSplit(t *testing.T) {
	long := strings.Repeat("long ", 30_000) + "\n"
	stream := "a\n\n\nbb\n" + strings.Repeat("line\n\nanother line\n", 500) + long + "\n" + long + "z\n\n"
	want := strings.ReplaceAll(strings.ReplaceAll(stream, "\n\n\n", "\n"), "\n\n", "\n")
	for _, size := range []int{1, 3, 1000, 5000, 70_000, len(stream)} {
		p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
			return data
		}}, weir.CustomProtocol(splitLines{splitLine}))
		go func() {
			begin, rest := stream, ""
			if size < 10 { // the first bytes one by one: all of them would take long
				begin, rest = stream[:500], stream[500:]
			}
			for i := 0; i < len(begin); i += size {
				_, _ = io.WriteString(p.peer, begin[i:min(i+size, len(begin))])
			}
			_, _ = io.WriteString(p.peer, rest) // what is lost is missed below
		}()
		expect(t, p.peer, want)
		eventually(t, "the input's memory is given back", func() bool { return p.server.Stats().InputBytes == 0 })
	}
}

// TestSplitEnds: what ends a connection in Split.
func TestSplitEnds(t *testing.T) {
	failure := errors.New("bad line")
	var panicked *weir.PanicError
	for _, tt := range []struct {
		name  string
		split splitFunc
		check func(err error) bool
	}{
		{"CloseWithError", func(c *weir.Connection, data []byte) (int, any, []byte) {
			c.CloseWithError(failure)
			return len(data), nil, data // must not be delivered
		}, func(err error) bool { return errors.Is(err, failure) }},
		{"panic", func(*weir.Connection, []byte) (int, any, []byte) {
			panic(errBoom)
		}, func(err error) bool { return errors.As(err, &panicked) && panicked.Callback == "Split" }},
		{"takes more than there is", func(_ *weir.Connection, data []byte) (int, any, []byte) {
			return len(data) + 1, nil, nil
		}, func(err error) bool { return errors.As(err, &panicked) && panicked.Callback == "Split" }},
		{"takes nothing", func(*weir.Connection, []byte) (int, any, []byte) {
			return 0, 1, nil
		}, func(err error) bool { return errors.Is(err, io.ErrNoProgress) }},
		{"waits for ever", func(*weir.Connection, []byte) (int, any, []byte) {
			return 0, nil, nil
		}, func(err error) bool { return errors.Is(err, weir.ErrMessageTooLarge) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
				if c.Connected() && tt.name != "takes nothing" {
					t.Error("OnMessage was called")
				}
				return nil
			}}, weir.CustomProtocol(tt.split), weir.MaxMessageSize(1), quiet())
			send(t, p.peer, "xx")
			expectEnd(t, p.peer)
			if receive(t, p.ended); !tt.check(p.conn.Err()) {
				t.Errorf("Err is %v", p.conn.Err())
			}
		})
	}
}

// TestSplitPaused: messages that came with the one at which reading was paused
// wait, and are delivered after ResumeRead.
func TestSplitPaused(t *testing.T) {
	got := make(chan string, 3)
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		got <- string(data)
		c.PauseRead()
		return data
	}}, weir.CustomProtocol(splitLines{splitLine}))
	send(t, p.peer, "one\ntwo\n\nthree\n")
	for _, want := range []string{"one\n", "two\n", "three\n"} {
		if line := receive(t, got); line != want {
			t.Fatalf("got %q, want %q", line, want)
		}
		expect(t, p.peer, want)
		onLoop(t, p.conn, func() bool { return true }) // the callback is over
		if n := len(got); n != 0 {
			t.Fatalf("%d messages while reading was paused", n)
		}
		p.conn.ResumeRead()
	}
}

// TestUnPacketBySplit: UnPacket made of Split cuts the same messages, on a ring
// whose content wraps too.
func TestUnPacketBySplit(t *testing.T) {
	var ring ringbuffer.RingBuffer
	ring.Grow(16)
	for range 100 {
		var got []string
		for _, piece := range []string{"a\n\n", "\nbb\nccc", "c\n", "\n", "d"} {
			_, _ = ring.WriteString(piece)
			for {
				ctx, payload := weir.UnPacketBySplit(splitFunc(splitLine), nil, &ring)
				if ctx == nil && payload == nil {
					break
				}
				got = append(got, string(payload))
			}
		}
		if want := "a\n|bb\n|cccc\n"; strings.Join(got, "|") != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if rest := ring.Bytes(); string(rest) != "d" {
			t.Fatalf("%q is left, want \"d\"", rest)
		}
		ring.RetrieveAll()
		_, _ = ring.WriteString("xyz")
		ring.Retrieve(3)
	}
}

// bySplit is a Protocol whose UnPacket is made of Split, and that is no Splitter.
type bySplit struct{ split splitFunc }

func (p bySplit) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	return weir.UnPacketBySplit(p.split, c, b)
}

func (p bySplit) Packet(c *weir.Connection, data any) []byte { return p.split.Packet(c, data) }

// TestUnPacketBySplitEnds: what ends a connection in Split ends it also where UnPacket
// is made of it.
func TestUnPacketBySplitEnds(t *testing.T) {
	failure := errors.New("bad byte")
	var panicked *weir.PanicError
	for _, tt := range []struct {
		name  string
		split splitFunc
		check func(err error) bool
	}{
		{"CloseWithError", func(c *weir.Connection, _ []byte) (int, any, []byte) {
			if !c.Connected() {
				t.Error("Split was called again")
			}
			c.CloseWithError(failure)
			return 1, nil, nil
		}, func(err error) bool { return errors.Is(err, failure) }},
		{"takes more than there is", func(_ *weir.Connection, data []byte) (int, any, []byte) {
			return len(data) + 1, nil, nil
		}, func(err error) bool { return errors.As(err, &panicked) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.CustomProtocol(bySplit{tt.split}), quiet())
			send(t, p.peer, "xx")
			expectEnd(t, p.peer)
			if receive(t, p.ended); !tt.check(p.conn.Err()) {
				t.Errorf("Err is %v", p.conn.Err())
			}
		})
	}
}

// TestHeadroom: what is left of a message, around the most that fits in front of the
// loop's read buffer, is continued by the next read.
func TestHeadroom(t *testing.T) {
	const headroom = 4 << 10
	message := string(pattern(3 * headroom))
	for _, protocol := range []weir.Protocol{framed{}, framedSplitter{}} {
		p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
			return data
		}}, weir.CustomProtocol(protocol))
		for _, left := range []int{headroom - 1, headroom, headroom + 1} {
			wire := frame(message)
			send(t, p.peer, wire[:left])
			eventually(t, "the first part has come", func() bool { return p.server.Stats().InputBytes == int64(left) })
			send(t, p.peer, wire[left:])
			expect(t, p.peer, wire)
		}
	}
}
