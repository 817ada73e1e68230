package protobuf_test

import (
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/protobuf"
	"github.com/go-weir/weir/ringbuffer"
)

// BenchmarkUnPacket is for one message with a text of 64 bytes.
func BenchmarkUnPacket(b *testing.B) {
	p := typed(b, protobuf.CloseUndecodable)
	wire := pack(b, p, wrapperspb.String(string(make([]byte, 64))))
	for _, bb := range []struct {
		name     string
		protocol weir.Protocol
	}{{"raw", protobuf.New()}, {"typed", p}} {
		b.Run(bb.name, func(b *testing.B) {
			var ring ringbuffer.RingBuffer
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				ring.WithData(wire)
				if ctx, _ := bb.protocol.UnPacket(nil, &ring); ctx == nil {
					b.Fatal("no message")
				}
			}
		})
	}
}

// BenchmarkAppendPacket is for one message with a text of 64 bytes.
func BenchmarkAppendPacket(b *testing.B) {
	p := typed(b, protobuf.CloseUndecodable)
	var dst []byte
	var data any = wrapperspb.String(string(make([]byte, 64)))
	b.ReportAllocs()
	for b.Loop() {
		dst = p.AppendPacket(dst[:0], nil, data)
	}
}
