package protocoltest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errTooLong ends a stream of frames.
var errTooLong = errors.New("frame too long")

// frames has a byte of length in front of each message, at most 100; the ctx is
// the length.
type frames struct{}

func (frames) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if b.IsEmpty() {
		return nil, nil
	}
	n := int(b.PeekUint8())
	if n > 100 {
		c.CloseWithError(errTooLong)
		return nil, nil
	}
	frame := b.View(1 + n)
	if frame == nil {
		return nil, nil
	}
	b.Retrieve(len(frame))
	return n, frame[1:]
}

func (frames) Packet(_ *weir.Connection, data any) []byte { return appendFrame(nil, data) }

func appendFrame(dst []byte, data any) []byte {
	s := data.(string)
	return append(append(dst, byte(len(s))), s...)
}

func (frames) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	return appendFrame(dst, data)
}

// spec is what frames promises.
func spec(p weir.Protocol) protocoltest.Spec {
	message := func(s string) protocoltest.Message { return protocoltest.Message{Ctx: len(s), Payload: []byte(s)} }
	return protocoltest.Spec{
		Protocol: p,
		Streams: []protocoltest.Stream{{
			Name:     "several",
			Bytes:    []byte("\x05hello\x00\x03one\x06cut of"),
			Messages: []protocoltest.Message{message("hello"), message(""), message("one"), message("cut of")},
		}, {
			Name:     "incomplete",
			Bytes:    []byte("\x01a\x05hell"),
			Messages: []protocoltest.Message{message("a")},
		}},
		Garbage: []protocoltest.Garbage{{Name: "too long", Bytes: []byte("\x02ok\xFFnot"), Err: errTooLong}},
		RoundTrips: []protocoltest.RoundTrip{
			{Name: "empty", Data: "", Message: message("")},
			{Name: "short", Data: "value", Message: message("value")},
		},
	}
}

func TestRun(t *testing.T) { protocoltest.Run(t, spec(frames{})) }

func FuzzFrames(f *testing.F) { protocoltest.Fuzz(f, spec(frames{})) }

// stateful is a protocol that begins with a greeting, which it answers itself,
// and remembers what it has decoded of a message.
type stateful struct{}

type statefulState struct{ size int } // -1: of the greeting, 0: unknown

func (stateful) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	s, greeted := c.ProtocolState().(*statefulState)
	if !greeted {
		if b.Length() < 2 {
			return nil, nil
		}
		if string(b.View(2)) != "hi" {
			c.CloseWithError(errors.New("rude"))
			return nil, nil
		}
		b.Retrieve(2)
		c.SetProtocolState(&statefulState{})
		_, _ = c.Write([]byte("hello")) // an error means that the connection is ending
		return "greeting", nil
	}
	if s.size == 0 {
		if b.Length() < 4 {
			return nil, nil
		}
		s.size = int(b.PeekUint32())
		b.Retrieve(4)
	}
	if payload = b.View(s.size); payload != nil {
		b.Retrieve(s.size)
		s.size = 0
		return nil, payload
	}
	return nil, nil
}

func (stateful) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// answering answers, and hangs up when it is told to.
type answering struct{}

func (answering) OnConnect(c *weir.Connection) { c.SetContext("connected") }
func (answering) OnClose(*weir.Connection)     {}
func (answering) OnMessage(c *weir.Connection, _ any, data []byte) any {
	if c.Context() != "connected" {
		panic("OnConnect was not called")
	}
	answer := append([]byte("you said "), data...)
	if string(data) == "quit" {
		_ = c.Close() // it is open
	}
	return answer
}

// TestHandshake: a Prelude, bytes that the protocol and the handler write, and
// a handler that closes.
func TestHandshake(t *testing.T) {
	var stream []byte
	for _, s := range []string{"some", "quit", "never seen"} {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(s))), s...)
	}
	written := make(map[string]bool)
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: stateful{},
		Handler:  answering{},
		Prelude:  []byte("hi"),
		Streams: []protocoltest.Stream{{
			Bytes:    stream,
			Messages: []protocoltest.Message{{Payload: []byte("some")}, {Payload: []byte("quit")}},
		}},
		Written: func(p []byte) []byte {
			written[string(p)] = true
			return p
		},
	})
	if !written["helloyou said you said someyou said quit"] || len(written) > 2 {
		t.Errorf("written: %v", written)
	}
}

func TestGarbageInHandshake(t *testing.T) {
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: stateful{},
		Garbage:  []protocoltest.Garbage{{Bytes: []byte("who are you")}},
	})
}

// TestEqual: a protocol that passes on what there is has no messages to compare,
// but the bytes are the same.
func TestEqual(t *testing.T) {
	joined := func(messages []protocoltest.Message) (s string) {
		for _, m := range messages {
			s += string(m.Payload)
		}
		return s
	}
	const text = "whatever comes is a message"
	copies := 0
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: &weir.DefaultProtocol{},
		Streams:  []protocoltest.Stream{{Bytes: []byte(text), Messages: []protocoltest.Message{{Payload: []byte(text)}}}},
		Equal:    func(a, b []protocoltest.Message) bool { return joined(a) == joined(b) },
		Copy:     func(ctx any) any { copies++; return ctx },
	})
	if copies == 0 {
		t.Error("Copy was not asked")
	}
}

// TestCheck: it wants no expectation, and takes any end for a good one, as long
// as it is always the same.
func TestCheck(t *testing.T) {
	x := protocoltest.New(t, spec(frames{}))
	for _, stream := range []string{"", "\x05hello\x00", "\x05hell", "\x01a\xFFgarbage", "\xFF"} {
		if err := x.Check([]byte(stream)); err != nil {
			t.Errorf("%q: %v", stream, err)
		}
	}
	wrong := protocoltest.New(t, spec(&faulty{unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
		payload := b.Bytes()
		b.RetrieveAll()
		return nil, payload
	}}))
	if err := wrong.Check([]byte("anything")); err == nil {
		t.Error("Check has not noticed that there are no messages")
	}
}

// TestLong: a stream that is too long to be fed byte by byte is fed all the same.
func TestLong(t *testing.T) {
	frame := append([]byte{100}, make([]byte, 100)...)
	stream := bytes.Repeat(frame, 400)
	s := protocoltest.Spec{Protocol: frames{}, Streams: []protocoltest.Stream{{Bytes: stream}}}
	if err := protocoltest.New(t, s).Everything(); err != nil {
		t.Error(err)
	}
}
