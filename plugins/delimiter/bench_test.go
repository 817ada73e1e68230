package delimiter_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
	"github.com/go-weir/weir/ringbuffer"
)

// BenchmarkUnPacket is for one line, of which many have arrived.
func BenchmarkUnPacket(b *testing.B) {
	for _, size := range []int{16, 64, 1024} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			p, c := delimiter.Lines(), new(weir.Connection)
			line := append(bytes.Repeat([]byte("x"), size-2), "\r\n"...)
			wire := bytes.Repeat(line, 64<<10/size)
			var ring ringbuffer.RingBuffer
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if ring.IsEmpty() {
					ring.WithData(wire)
				}
				if _, payload := p.UnPacket(c, &ring); len(payload) != size-2 {
					b.Fatal(len(payload))
				}
			}
		})
	}
}

// BenchmarkPieces is for one line that comes in pieces of 64 bytes: the longer
// one takes no longer per byte.
func BenchmarkPieces(b *testing.B) {
	for _, size := range []int{16 << 10, 128 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			p, c := protocol(b, delimiter.Config{Separator: "\r\n", MaxLength: size}), new(weir.Connection)
			piece := bytes.Repeat([]byte("x"), 64)
			ring := ringbuffer.New(size + 2)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for range size / len(piece) {
					ring.Write(piece)
					p.UnPacket(c, ring)
				}
				ring.WriteString("\r\n")
				if _, payload := p.UnPacket(c, ring); len(payload) != size {
					b.Fatal(len(payload))
				}
			}
		})
	}
}

// BenchmarkAppendPacket is for one line of 64 bytes.
func BenchmarkAppendPacket(b *testing.B) {
	p := delimiter.Lines()
	var dst []byte
	var data any = make([]byte, 64)
	b.SetBytes(64)
	b.ReportAllocs()
	for b.Loop() {
		dst = p.AppendPacket(dst[:0], nil, data)
	}
}
