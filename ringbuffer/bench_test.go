package ringbuffer_test

import (
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

var sink int

func BenchmarkWriteRead64(b *testing.B) {
	var r ringbuffer.RingBuffer
	p := pattern(64)
	b.ReportAllocs()
	b.SetBytes(64)
	for b.Loop() {
		_, _ = r.Write(p)
		_, _ = r.Read(p)
	}
}

// The content never becomes empty, so that the cursors go round.
func BenchmarkWriteReadAround(b *testing.B) {
	r := ringbuffer.New(1024)
	p := pattern(100)
	_, _ = r.Write(p)
	b.ReportAllocs()
	b.SetBytes(100)
	for b.Loop() {
		_, _ = r.Write(p)
		_, _ = r.Read(p)
	}
}

// What the loop does for each wake-up when the protocol takes everything.
func BenchmarkWithDataPeekAllRetrieveAll(b *testing.B) {
	var r ringbuffer.RingBuffer
	p := pattern(64)
	b.ReportAllocs()
	for b.Loop() {
		r.WithData(p)
		first, _ := r.PeekAll()
		sink += len(first)
		r.RetrieveAll()
	}
}

// What a framing protocol does for each message: length, view, retrieve.
func BenchmarkFrames(b *testing.B) {
	frames := make([]byte, 0, 1024)
	for range 16 {
		frames = append(frames, 0, 0, 0, 60)
		frames = append(frames, pattern(60)...)
	}
	r := ringbuffer.NewWithData(frames)
	b.ReportAllocs()
	for b.Loop() {
		if r.IsEmpty() {
			r.WithData(frames)
		}
		v := r.View(4 + int(r.PeekUint32()))
		sink += len(v)
		r.Retrieve(len(v))
	}
}

func BenchmarkView(b *testing.B) {
	r := ringbuffer.NewWithData(pattern(600))
	b.ReportAllocs()
	for b.Loop() {
		sink += len(r.View(500))
	}
}

// A lap of storage, with the one copy that a View of wrapped content costs.
func BenchmarkViewWrap(b *testing.B) {
	r := ringbuffer.New(4096)
	p := pattern(3000)
	_, _ = r.Write(p[:1])
	b.ReportAllocs()
	b.SetBytes(3000)
	for b.Loop() {
		_, _ = r.Write(p)
		r.Retrieve(1500)
		_, _ = r.Write(p[:1500])
		sink += len(r.View(3000))
		r.Retrieve(3000)
	}
}

func BenchmarkIndex(b *testing.B) {
	text := make([]byte, 4000)
	copy(text[3990:], "\r\n")
	for name, r := range map[string]*ringbuffer.RingBuffer{
		"contiguous": ringbuffer.NewWithData(text),
		"wrapped":    wrapped(b, text, 2000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				sink += r.Index([]byte("\r\n"))
			}
		})
	}
}

func BenchmarkAcquireRecycle(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ringbuffer.Recycle(ringbuffer.Acquire(4096))
	}
}

// A message left over in pieces: storage from the pool, and back.
func BenchmarkLeftover(b *testing.B) {
	var r ringbuffer.RingBuffer
	p := pattern(64)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = r.Write(p)
		r.RetrieveAll()
		r.Release()
	}
}
