package ringbuffer_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestZeroValue(t *testing.T) {
	var r ringbuffer.RingBuffer
	mustContain(t, &r, nil)
	if r.Capacity() != 0 || r.Free() != nil || r.VirtualLength() != 0 {
		t.Fatalf("Capacity %d, Free %v, VirtualLength %d", r.Capacity(), r.Free(), r.VirtualLength())
	}
	r.RetrieveAll()
	r.Retrieve(3)
	r.VirtualFlush()
	r.VirtualRevert()
	r.Commit(7)
	r.Shrink()
	r.Release()
	r.Reset()
	mustContain(t, &r, nil)
	mustWrite(t, &r, []byte("usable"))
	mustContain(t, &r, []byte("usable"))
}

func TestNewCapacity(t *testing.T) {
	for _, c := range []struct{ size, capacity int }{
		{math.MinInt, 0},
		{-1, 0},
		{0, 0},
		{1, ringbuffer.MinClass},
		{512, 512},
		{513, 1024},
		{ringbuffer.MaxClass, ringbuffer.MaxClass},
		{ringbuffer.MaxClass + 1, ringbuffer.MaxClass + 1},
	} {
		r := ringbuffer.New(c.size)
		if r.Capacity() != c.capacity {
			t.Errorf("New(%d).Capacity() = %d, want %d", c.size, r.Capacity(), c.capacity)
		}
		mustContain(t, r, nil)
		r.Release()
	}
}

func TestGrowKeepsContent(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			content := pattern(300)
			r := l.make(t, content)
			for _, n := range []int{math.MinInt, -1, 0, 1, 400, 5000, ringbuffer.MaxClass} {
				r.Grow(n)
				mustContain(t, r, content)
				if n > 0 && r.Capacity()-r.Length() < n {
					t.Fatalf("after Grow(%d): %d of %d used", n, r.Length(), r.Capacity())
				}
			}
		})
	}
}

func TestGrowthDoubles(t *testing.T) {
	var r ringbuffer.RingBuffer
	changes, last := 0, 0
	for range 3 << 20 {
		if err := r.WriteByte('x'); err != nil {
			t.Fatal(err)
		}
		if c := r.Capacity(); c != last {
			if c < 2*last {
				t.Fatalf("grew from %d to %d", last, c)
			}
			changes, last = changes+1, c
		}
	}
	if changes != 14 { // 512 B, 1 KiB, … 4 MiB
		t.Fatalf("storage changed %d times", changes)
	}
}

func TestGrowBeyondMemory(t *testing.T) {
	for _, held := range []int{0, 10} {
		if held == 0 && strconv.IntSize == 32 {
			continue // 2 GiB may well be had
		}
		r := ringbuffer.New(0)
		mustWrite(t, r, pattern(held))
		func() {
			defer func() {
				if recover() == nil {
					t.Error("Grow(MaxInt) did not panic")
				}
			}()
			r.Grow(math.MaxInt)
		}()
		mustContain(t, r, pattern(held))
	}
}

func TestWithData(t *testing.T) {
	for _, n := range []int{0, 1, 2, 511, 512, 513, 1000} {
		data := pattern(n)
		r := ringbuffer.New(100)
		mustWrite(t, r, []byte("lost"))
		r.WithData(data)
		mustContain(t, r, data)
		if r.Capacity() != n || len(r.Free()) != 0 {
			t.Fatalf("%d bytes lent: Capacity %d, Free %d", n, r.Capacity(), len(r.Free()))
		}
		if first, _ := r.PeekAll(); n > 0 && &first[0] != &data[0] {
			t.Fatal("the data was copied")
		}
	}
}

// A slice that was lent is neither written nor handed to the pool, whatever is done with the ring.
func TestBorrowedIsNeverWritten(t *testing.T) {
	uses := map[string]func(r *ringbuffer.RingBuffer){
		"write":            func(r *ringbuffer.RingBuffer) { mustWrite(t, r, []byte("new")) },
		"write byte":       func(r *ringbuffer.RingBuffer) { _ = r.WriteByte('n') },
		"write string":     func(r *ringbuffer.RingBuffer) { _, _ = r.WriteString("new") },
		"read from":        func(r *ringbuffer.RingBuffer) { _, _ = r.ReadFrom(strings.NewReader("new")) },
		"grow":             func(r *ringbuffer.RingBuffer) { r.Grow(1); copy(r.Free(), "new") },
		"free":             func(r *ringbuffer.RingBuffer) { copy(r.Free(), "new") },
		"commit":           func(r *ringbuffer.RingBuffer) { r.Commit(3) },
		"release":          (*ringbuffer.RingBuffer).Release,
		"shrink":           (*ringbuffer.RingBuffer).Shrink,
		"read all, shrink": func(r *ringbuffer.RingBuffer) { r.RetrieveAll(); r.Shrink() },
		"read all, write":  func(r *ringbuffer.RingBuffer) { r.RetrieveAll(); mustWrite(t, r, []byte("new")) },
		"lend again":       func(r *ringbuffer.RingBuffer) { r.WithData([]byte("other")) },
		"view, write":      func(r *ringbuffer.RingBuffer) { r.View(9); mustWrite(t, r, pattern(2000)) },
	}
	for name, use := range uses {
		for _, taken := range []int{0, 1, 100} {
			backing := pattern(2 * ringbuffer.MinClass)
			r := ringbuffer.NewWithData(backing[:ringbuffer.MinClass:ringbuffer.MinClass]) // a class size, to tempt the pool
			r.Retrieve(taken)
			use(r)
			scribble()
			mustHold(t, r)
			r.Release()
			scribble()
			if !bytes.Equal(backing, pattern(2*ringbuffer.MinClass)) {
				t.Errorf("%s after %d bytes: the lent slice changed", name, taken)
			}
		}
	}
}

func TestWriteMovesBorrowedContent(t *testing.T) {
	r := ringbuffer.NewWithData([]byte("GET / HT"))
	r.Retrieve(4)
	mustWrite(t, r, []byte("TP/1.1"))
	mustContain(t, r, []byte("/ HTTP/1.1"))
	if r.Capacity() != ringbuffer.MinClass {
		t.Fatalf("Capacity = %d", r.Capacity())
	}
	mustWrite(t, ringbuffer.NewWithData([]byte("x")), nil) // nothing to write, nothing to move
}

func TestShrink(t *testing.T) {
	const big = 16 << 20
	for _, c := range []struct {
		name                 string
		storage, held, after int
	}{
		{"empty", 4096, 0, 0},
		{"a quarter", 4096, 1024, 1024},
		{"more than a quarter", 4096, 1025, 4096},
		{"smallest class", ringbuffer.MinClass, 1, ringbuffer.MinClass},
		{"second class", 2 * ringbuffer.MinClass, 1, ringbuffer.MinClass},
		{"left over from a large message", big, 5, ringbuffer.MinClass},
		{"above the classes", big, ringbuffer.MaxClass + 1, ringbuffer.MaxClass + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ringbuffer.New(c.storage)
			content := pattern(c.held)
			mustWrite(t, r, content)
			if c.held > 0 {
				if _, err := r.VirtualRead(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			r.Shrink()
			mustContain(t, r, content)
			if r.Capacity() != c.after {
				t.Errorf("Capacity = %d, want %d", r.Capacity(), c.after)
			}
			if c.held > 0 && r.VirtualLength() != c.held-1 {
				t.Errorf("VirtualLength = %d, want %d", r.VirtualLength(), c.held-1)
			}
		})
	}
	t.Run("borrowed", func(t *testing.T) {
		r := ringbuffer.NewWithData(pattern(4096))
		r.Retrieve(4000)
		r.Shrink()
		if r.Capacity() != 4096 {
			t.Errorf("Capacity = %d: the content moved", r.Capacity())
		}
	})
}

func TestReleaseDropsContent(t *testing.T) {
	for _, l := range layouts {
		r := l.make(t, pattern(300))
		r.Release()
		mustContain(t, r, nil)
		if r.Capacity() != 0 {
			t.Errorf("%s: Capacity = %d", l.name, r.Capacity())
		}
		r.Release()
		mustWrite(t, r, []byte("again"))
		mustContain(t, r, []byte("again"))
	}
}
