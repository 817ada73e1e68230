package ringbuffer_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestPeek(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			r := l.make(t, content)
			for n := -1; n <= len(content)+1; n++ {
				first, end := r.Peek(n)
				if want := content[:min(max(n, 0), len(content))]; !bytes.Equal(append(bytes.Clone(first), end...), want) {
					t.Fatalf("Peek(%d) = %d+%d bytes", n, len(first), len(end))
				}
			}
			first, end := r.Peek(math.MaxInt)
			if len(first)+len(end) != len(content) {
				t.Fatalf("Peek(MaxInt) = %d+%d bytes", len(first), len(end))
			}
			mustContain(t, r, content)
		})
	}
}

func TestView(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			for n := 0; n <= len(content); n++ {
				r := l.make(t, content)
				v := r.View(n)
				if v == nil || !bytes.Equal(v, content[:n]) {
					t.Fatalf("View(%d) = %.20q", n, v)
				}
				mustContain(t, r, content)
				r.Release()
			}
			r := l.make(t, content)
			for _, n := range []int{math.MinInt, -1, len(content) + 1, math.MaxInt} {
				if v := r.View(n); v != nil {
					t.Fatalf("View(%d) = %d bytes", n, len(v))
				}
			}
		})
	}
	var zero ringbuffer.RingBuffer
	if v := zero.View(0); v == nil || len(v) != 0 {
		t.Errorf("View(0) without storage = %#v", v)
	}
}

// View copies only what wraps, and then once for all of the content.
func TestViewCopiesOnce(t *testing.T) {
	r := wrapped(t, pattern(600), 200)
	first, end := r.PeekAll()
	if len(first) != 200 || len(end) != 400 {
		t.Fatalf("content lies as %d+%d", len(first), len(end))
	}
	if v := r.View(200); &v[0] != &first[0] {
		t.Error("View(200) moved what does not wrap")
	}
	v := r.View(201)
	if &v[0] == &first[0] {
		t.Error("View(201) in place")
	}
	if w := r.View(600); &w[0] != &v[0] {
		t.Error("the second View moved the content again")
	}
	if r.Capacity() != 1024 {
		t.Errorf("Capacity = %d", r.Capacity())
	}
}

// Windows stay what they are through everything that does not write or exchange the storage.
func TestWindowsOutliveReads(t *testing.T) {
	takes := map[string]func(r *ringbuffer.RingBuffer){
		"view":          func(r *ringbuffer.RingBuffer) { r.View(600) },
		"retrieve":      func(r *ringbuffer.RingBuffer) { r.Retrieve(250) },
		"retrieve all":  (*ringbuffer.RingBuffer).RetrieveAll,
		"reset":         (*ringbuffer.RingBuffer).Reset,
		"read":          func(r *ringbuffer.RingBuffer) { _, _ = r.Read(make([]byte, 600)) },
		"discard":       func(r *ringbuffer.RingBuffer) { _, _ = r.Discard(700) },
		"write to":      func(r *ringbuffer.RingBuffer) { _, _ = r.WriteTo(new(bytes.Buffer)) },
		"virtual read":  func(r *ringbuffer.RingBuffer) { _, _ = r.VirtualRead(make([]byte, 600)); r.VirtualFlush() },
		"view, and all": func(r *ringbuffer.RingBuffer) { r.View(600); r.RetrieveAll() },
	}
	content := pattern(600)
	for name, take := range takes {
		t.Run(name, func(t *testing.T) {
			r := wrapped(t, content, 200)
			first, end := r.PeekAll()
			head := r.View(150)
			take(r)
			mustHold(t, r)
			scribble()
			if !bytes.Equal(first, content[:200]) || !bytes.Equal(end, content[200:]) || !bytes.Equal(head, content[:150]) {
				t.Error("a window changed")
			}
		})
	}
}

// Appending to a window must not reach the unread bytes behind it.
func TestWindowsAreClipped(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		r := l.make(t, content)
		first, end := r.Peek(400)
		_ = append(first, "overwritten"...)
		_ = append(end, "overwritten"...)
		_ = append(r.View(10), "overwritten"...)
		_ = append(r.View(500), "overwritten"...)
		mustContain(t, r, content)
	}
}

func TestBytesIsACopy(t *testing.T) {
	for _, l := range layouts {
		r := l.make(t, []byte("content"))
		clear(r.Bytes())
		mustContain(t, r, []byte("content"))
		r.RetrieveAll()
		if b := r.Bytes(); b != nil {
			t.Errorf("%s: Bytes of an empty ring = %v", l.name, b)
		}
	}
}
