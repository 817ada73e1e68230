package protocoltest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

// faulty is frames with something else instead of one of its methods.
type faulty struct {
	unpack func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte)
	packet func(c *weir.Connection, data any) []byte
	append func(dst []byte, c *weir.Connection, data any) []byte
}

func (f *faulty) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
	if f.unpack != nil {
		return f.unpack(c, b)
	}
	return frames{}.UnPacket(c, b)
}

func (f *faulty) Packet(c *weir.Connection, data any) []byte {
	if f.packet != nil {
		return f.packet(c, data)
	}
	return frames{}.Packet(c, data)
}

func (f *faulty) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	if f.append != nil {
		return f.append(dst, c, data)
	}
	if f.packet != nil {
		return append(dst, f.packet(c, data)...)
	}
	return frames{}.AppendPacket(dst, c, data)
}

// keeper keeps the bytes of a frame that isn't complete in what it is given for
// them, instead of leaving them where they are.
func keeper(keep func(c *weir.Connection, p []byte) []byte) func(*weir.Connection, *ringbuffer.RingBuffer) (any, []byte) {
	return func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		kept, _ := c.ProtocolState().([]byte)
		all := ringbuffer.NewWithData(append(append([]byte{}, kept...), b.Bytes()...))
		ctx, payload := frames{}.UnPacket(c, all)
		if ctx != nil {
			c.SetProtocolState([]byte(nil))
			b.Retrieve(1 + len(payload) - len(kept))
			return ctx, payload
		}
		if len(kept) == 0 && !b.IsEmpty() {
			c.SetProtocolState(keep(c, b.View(b.Length())))
			b.RetrieveAll()
		}
		return nil, nil
	}
}

// faults are what an author can do wrong, and what the report must say.
var faults = []struct {
	name   string
	faulty weir.Protocol
	report string
}{
	{"keeps a window", &faulty{unpack: keeper(func(_ *weir.Connection, p []byte) []byte { return p })}, "byte by byte: the connection's end is frame too long"},
	{"keeps bytes in the UserBuffer", &faulty{unpack: keeper(func(c *weir.Connection, p []byte) []byte {
		*c.UserBuffer() = append((*c.UserBuffer())[:0], p...)
		return *c.UserBuffer()
	})}, "byte by byte: the connection's end is frame too long"},
	{"looks at the first piece only", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		p, _ := b.PeekAll()
		if len(p) == 0 || len(p) < 1+int(p[0]) {
			if len(p) > 0 && p[0] > 100 {
				c.CloseWithError(errTooLong)
			}
			return nil, nil
		}
		n := int(p[0])
		b.Retrieve(1 + n)
		return n, p[1:][:n]
	}}, "wrapped after"},
	{"does not wait", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		n := int(b.PeekUint8())
		frame := b.View(min(1+n, b.Length()))
		b.Retrieve(len(frame))
		if len(frame) == 0 {
			return nil, nil
		}
		return n, frame[1:]
	}}, `byte by byte: message 0 is [ctx 5, payload ""]`},
	{"is out of range", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if p := b.Bytes(); len(p) > 0 && p[0] < 100 && p[p[0]] == 0 {
			return nil, nil
		}
		return frames{}.UnPacket(c, b)
	}}, "panic in Execute: runtime error: index out of range"},
	{"puts up with garbage", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if b.PeekUint8() > 100 {
			return nil, nil
		}
		return frames{}.UnPacket(c, b)
	}}, "it is taken for 1 messages"},
	{"closes without a cause", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if b.PeekUint8() > 100 {
			_ = c.Close()
		}
		return frames{}.UnPacket(c, b)
	}}, "not with CloseWithError"},
	{"closes with another cause", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if b.PeekUint8() > 100 {
			c.CloseWithError(errors.New("whatever"))
		}
		return frames{}.UnPacket(c, b)
	}}, "ended with whatever, want frame too long"},
	{"misses garbage that comes in pieces", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if b.PeekUint8() > 100 && b.Length() == 1 {
			b.RetrieveAll()
		}
		return frames{}.UnPacket(c, b)
	}}, "the connection's end is none"},
	{"takes a good stream for garbage", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		if b.PeekUint8() > 5 {
			c.CloseWithError(errTooLong)
		}
		return frames{}.UnPacket(c, b)
	}}, "in one piece: ended with frame too long"},
	{"takes nothing", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		return "again", nil
	}}, "without taking a byte"},
	{"puts bytes back", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		b.Write([]byte("back"))
		return nil, nil
	}}, "UnPacket has put bytes into the buffer"},
	{"leaves a virtual read open", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		n, _ := c.ProtocolState().(int)
		if n == 0 && b.VirtualLength() > 0 {
			var head [1]byte
			_, _ = b.VirtualRead(head[:]) // there is one
			if n = 1 + int(head[0]); n > 100 {
				c.CloseWithError(errTooLong)
			}
			c.SetProtocolState(n)
		}
		if n == 0 || b.VirtualLength() < n-1 {
			return nil, nil
		}
		b.VirtualFlush()
		payload := b.View(n - 1)
		b.Retrieve(n - 1)
		c.SetProtocolState(0)
		return n - 1, payload
	}}, "byte by byte: message 0 is"},
	{"answers each call", &faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		_, _ = c.Write([]byte("x")) // an error means that the connection is ending
		return frames{}.UnPacket(c, b)
	}}, "the peer was sent"},
	{"has one state for all", &faulty{unpack: oneForAll()}, "message 0 is"},
	{"encodes wrongly", &faulty{packet: func(_ *weir.Connection, data any) []byte { return appendFrame(nil, data.(string)+"!") }}, `payload "!"`},
	{"encodes the same twice differently", &faulty{packet: counting()}, "the second time"},
	{"appends something else", &faulty{append: func(dst []byte, _ *weir.Connection, data any) []byte {
		return appendFrame(dst, data.(string)+"!")
	}}, "AppendPacket appends"},
	{"does not append", &faulty{append: func(dst []byte, _ *weir.Connection, data any) []byte {
		return appendFrame(dst[:0], data)
	}}, "without what was there before"},
	{"panics when it encodes", &faulty{packet: func(*weir.Connection, any) []byte { panic("no idea") }}, "panic in Execute: no idea"},
	{"closes when it encodes", &faulty{packet: func(c *weir.Connection, _ any) []byte {
		c.CloseWithError(errTooLong)
		return nil
	}}, "the connection was closed: frame too long"},
}

// oneForAll counts its messages, over all connections.
func oneForAll() func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
	n := 0
	return func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		ctx, payload := frames{}.UnPacket(c, b)
		if ctx != nil {
			n++
			ctx = n
		}
		return ctx, payload
	}
}

func counting() func(*weir.Connection, any) []byte {
	n := byte(0)
	return func(*weir.Connection, any) []byte {
		n++
		return []byte{1, n}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			err := protocoltest.New(t, spec(tt.faulty)).Everything()
			if err == nil || !strings.Contains(err.Error(), tt.report) {
				t.Errorf("the report is\n%v\nwant %q in it", err, tt.report)
			}
		})
	}
}

// TestChangedData: what was given to Send may have been given to others too.
func TestChangedData(t *testing.T) {
	s := protocoltest.Spec{
		Protocol: &faulty{packet: func(_ *weir.Connection, data any) []byte {
			p := data.([]byte)
			p[0] = 'X'
			return p
		}},
		RoundTrips: []protocoltest.RoundTrip{{Data: []byte("data")}},
	}
	if err := protocoltest.New(t, s).Everything(); err == nil || !strings.Contains(err.Error(), "the data to send was changed") {
		t.Error(err)
	}
}

// TestStuck: a protocol that does not return is given up, and not waited for
// again and again.
func TestStuck(t *testing.T) {
	release := make(chan struct{})
	s := spec(&faulty{unpack: func(*weir.Connection, *ringbuffer.RingBuffer) (any, []byte) {
		<-release
		return nil, nil
	}})
	x := protocoltest.New(t, s)
	x.SetPatience(10 * time.Millisecond)
	err := x.Everything()
	if err == nil || !strings.Contains(err.Error(), "UnPacket, or a callback, has not returned for 10ms") {
		t.Error(err)
	}
	if again := x.Check([]byte("\x01x")); again == nil {
		t.Error("the stuck loop was used again")
	}
	close(release)
	x.Unstick()
}

// TestPrelude: a handshake that fails is the author's mistake.
func TestPrelude(t *testing.T) {
	s := spec(frames{})
	s.Prelude = []byte{0xFF}
	if err := protocoltest.New(t, s).Everything(); err == nil || !strings.Contains(err.Error(), "the Prelude has ended the connection") {
		t.Error(err)
	}
}

// TestClosedByHandler: so is a handler that wants no connection.
func TestClosedByHandler(t *testing.T) {
	s := spec(frames{})
	s.Handler = closing{}
	if err := protocoltest.New(t, s).Everything(); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Error(err)
	}
}

type closing struct{}

func (closing) OnConnect(c *weir.Connection)                { _ = c.Close() } // it is open
func (closing) OnMessage(*weir.Connection, any, []byte) any { return nil }
func (closing) OnClose(*weir.Connection)                    {}
