package lengthfield_test

import (
	"testing"

	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/ringbuffer"
)

// benchmarks are the headers that are most used.
var benchmarks = []struct {
	name   string
	config lengthfield.Config
}{
	{"u32", lengthfield.Config{Width: 4, Strip: 4}},
	{"u16,offset=2", lengthfield.Config{Offset: 2, Width: 2, Strip: lengthfield.StripHeader}},
	{"varint", lengthfield.Config{Width: lengthfield.Varint, Strip: lengthfield.StripHeader}},
}

// BenchmarkUnPacket is for one message of 64 bytes, of which 100 have arrived.
func BenchmarkUnPacket(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			p := protocol(b, bb.config)
			var wire []byte
			for range 100 {
				wire, _ = p.AppendFrame(wire, make([]byte, 64))
			}
			var ring ringbuffer.RingBuffer
			b.SetBytes(int64(len(wire) / 100))
			b.ReportAllocs()
			for b.Loop() {
				if ring.IsEmpty() {
					ring.WithData(wire)
				}
				if _, payload := p.UnPacket(nil, &ring); len(payload) != 64 {
					b.Fatal(len(payload))
				}
			}
		})
	}
}

// BenchmarkAppendPacket is for one message of 64 bytes.
func BenchmarkAppendPacket(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			p := protocol(b, bb.config)
			var dst []byte
			var data any = make([]byte, 64)
			b.SetBytes(64)
			b.ReportAllocs()
			for b.Loop() {
				dst = p.AppendPacket(dst[:0], nil, data)
			}
		})
	}
}
