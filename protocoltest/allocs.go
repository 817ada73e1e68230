package protocoltest

import (
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// DecodeAllocs returns how many allocations UnPacket makes for each message of
// stream, which holds whole messages, and arrives in one piece again and again.
//
// Like testing.AllocsPerRun it counts what all goroutines do, and means nothing
// under the race detector.
func (x *Tester) DecodeAllocs(tb testing.TB, stream []byte) (perMessage float64) {
	tb.Helper()
	messages := 0
	var ring ringbuffer.RingBuffer
	total := x.allocs(tb, func(c *weir.Connection) {
		ring.WithData(stream)
		for messages = 0; ; messages++ {
			ctx, payload := x.spec.Protocol.UnPacket(c, &ring)
			if ctx == nil && len(payload) == 0 {
				return
			}
		}
	})
	if messages == 0 || ring.Length() > 0 {
		tb.Fatalf("the stream has %d whole messages, and %d bytes are left", messages, ring.Length())
	}
	return total / float64(messages)
}

// EncodeAllocs returns how many allocations AppendPacket makes for data, or
// Packet if there is no AppendPacket. See DecodeAllocs.
func (x *Tester) EncodeAllocs(tb testing.TB, data any) float64 {
	tb.Helper()
	appender, ok := x.spec.Protocol.(weir.PacketAppender)
	var dst []byte
	return x.allocs(tb, func(c *weir.Connection) {
		if ok {
			dst = appender.AppendPacket(dst[:0], c, data)
		} else {
			x.spec.Protocol.Packet(c, data)
		}
	})
}

func (x *Tester) allocs(tb testing.TB, f func(c *weir.Connection)) (n float64) {
	tb.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	err := x.onLoop(func(c *weir.Connection) {
		n = testing.AllocsPerRun(100, func() { f(c) })
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
