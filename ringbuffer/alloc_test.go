//go:build !race

// sync.Pool drops items at random under the race detector, so that allocations cannot be counted there.

package ringbuffer_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestNoAllocation(t *testing.T) {
	data, p := pattern(600), make([]byte, 600)
	lent, inner := ringbuffer.NewWithData(data), wrapped(t, data, 300)
	var ring, around ringbuffer.RingBuffer
	mustWrite(t, &around, []byte("x"))
	src, dst := bytes.NewReader(nil), new(bytes.Buffer)
	dst.Grow(4096)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Acquire, Recycle", func() { ringbuffer.Recycle(ringbuffer.Acquire(4000)) }},
		{"WithData, PeekAll, RetrieveAll", func() {
			lent.WithData(data)
			lent.PeekAll()
			lent.RetrieveAll()
		}},
		{"looking", func() {
			inner.Peek(400)
			inner.PeekUint64()
			inner.PeekUint32LE()
			inner.PeekUvarint()
			inner.Index([]byte("\r\n"))
			inner.IndexFrom(data[290:310], 100)
			inner.Free()
		}},
		{"View", func() { inner.View(0); inner.View(10); inner.View(300) }},
		{"write, grow, read, release", func() {
			_, _ = ring.Write(data)
			_, _ = ring.WriteString("string")
			_ = ring.WriteByte('b')
			ring.Grow(2000)
			ring.Commit(copy(ring.Free(), "committed"))
			ring.Shrink()
			_, _ = ring.ReadByte()
			_, _ = ring.Read(p)
			ring.Retrieve(5)
			ring.Release()
		}},
		{"View that wraps", func() {
			_, _ = ring.Write(data)
			ring.Retrieve(500)
			_, _ = ring.Write(data)
			if ring.View(700) == nil {
				t.Error("View = nil")
			}
			ring.Release()
		}},
		{"View that wraps, no release", func() {
			for range 3 {
				_, _ = around.Write(data)
				around.Retrieve(600) // one byte stays
				around.View(1)
				_, _ = around.Write(data)
				around.View(601)
				around.Retrieve(600)
			}
		}},
		{"virtual read", func() {
			_, _ = inner.VirtualRead(p)
			inner.VirtualRevert()
		}},
		{"from lent to own", func() {
			ring.WithData(data)
			_ = ring.WriteByte('b')
			ring.Release()
		}},
		{"ReadFrom, WriteTo", func() {
			src.Reset(data)
			dst.Reset()
			_, _ = ring.ReadFrom(src)
			_, _ = io.Copy(dst, &ring)
			ring.Shrink()
		}},
	} {
		if n := testing.AllocsPerRun(1000, c.f); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
