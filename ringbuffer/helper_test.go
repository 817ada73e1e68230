package ringbuffer_test

import (
	"bytes"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

// pattern returns n bytes in which neighbours, and bytes one class apart, differ.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return p
}

// layouts are the ways in which a ring can hold the same content.
var layouts = []struct {
	name string
	make func(t testing.TB, content []byte) *ringbuffer.RingBuffer
}{
	{"at the beginning", func(t testing.TB, content []byte) *ringbuffer.RingBuffer {
		r := new(ringbuffer.RingBuffer)
		mustWrite(t, r, content)
		return r
	}},
	{"wrapped after one byte", func(t testing.TB, content []byte) *ringbuffer.RingBuffer {
		return wrapped(t, content, 1)
	}},
	{"wrapped in the middle", func(t testing.TB, content []byte) *ringbuffer.RingBuffer {
		return wrapped(t, content, len(content)/2)
	}},
	{"wrapped before the last byte", func(t testing.TB, content []byte) *ringbuffer.RingBuffer {
		return wrapped(t, content, len(content)-1)
	}},
	{"borrowed", func(_ testing.TB, content []byte) *ringbuffer.RingBuffer {
		return ringbuffer.NewWithData(bytes.Clone(content))
	}},
	{"borrowed, begun", func(_ testing.TB, content []byte) *ringbuffer.RingBuffer {
		r := ringbuffer.NewWithData(append([]byte("begun"), content...))
		r.Retrieve(len("begun"))
		return r
	}},
}

// wrapped returns a ring with content of which the first at bytes lie at the end of the storage.
func wrapped(t testing.TB, content []byte, at int) *ringbuffer.RingBuffer {
	r := ringbuffer.New(len(content) + 1)
	at = max(at, 0)
	lead := r.Capacity() - at
	mustWrite(t, r, make([]byte, lead))
	r.Retrieve(lead - 1) // one byte stays, or the cursors would return to the beginning
	n := min(at, len(content))
	mustWrite(t, r, content[:n])
	r.Retrieve(1)
	mustWrite(t, r, content[n:])
	if _, end := r.PeekAll(); len(end) != len(content)-n && n > 0 {
		t.Fatalf("%d bytes wrapped, want %d", len(end), len(content)-n)
	}
	return r
}

func mustWrite(t testing.TB, r *ringbuffer.RingBuffer, p []byte) {
	t.Helper()
	if n, err := r.Write(p); n != len(p) || err != nil {
		t.Fatalf("Write of %d bytes = %d, %v", len(p), n, err)
	}
	mustHold(t, r)
}

// mustHold fails the test if an invariant is broken.
func mustHold(t testing.TB, r *ringbuffer.RingBuffer) {
	t.Helper()
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
}

// mustContain fails the test unless want is what is unread, seen through every method that shows it.
func mustContain(t testing.TB, r *ringbuffer.RingBuffer, want []byte) {
	t.Helper()
	mustHold(t, r)
	if got := r.Bytes(); !bytes.Equal(got, want) {
		t.Fatalf("content is %d bytes %.40q, want %d bytes %.40q", len(got), got, len(want), want)
	}
	first, end := r.PeekAll()
	if !bytes.Equal(first, want[:len(first)]) || !bytes.Equal(end, want[len(first):]) {
		t.Fatalf("PeekAll = %.40q, %.40q, want %.40q", first, end, want)
	}
	if r.Length() != len(want) || r.IsEmpty() != (len(want) == 0) {
		t.Fatalf("Length = %d, IsEmpty = %t with %d bytes", r.Length(), r.IsEmpty(), len(want))
	}
	if full := len(want) > 0 && len(want) == r.Capacity(); r.IsFull() != full {
		t.Fatalf("IsFull = %t with %d of %d bytes", r.IsFull(), len(want), r.Capacity())
	}
}

// scribble overwrites what the pool would hand out next, so that a window into storage that was recycled too early shows it.
func scribble() {
	for n := ringbuffer.MinClass; n <= len(scribbled); n *= 2 {
		one, two := ringbuffer.Acquire(n), ringbuffer.Acquire(n)
		copy(one, scribbled)
		copy(two, scribbled)
		ringbuffer.Recycle(one)
		ringbuffer.Recycle(two)
	}
}

var scribbled = bytes.Repeat([]byte{0xDB}, 16<<10)
