package ringbuffer_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-weir/weir/ringbuffer"
)

func TestWrites(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		for _, n := range []int{0, 1, 423, 424, 425, 1000, 5000} { // wrapped layouts have 424 bytes of room
			more := pattern(n)
			r := l.make(t, content)
			mustWrite(t, r, more)
			mustContain(t, r, append(bytes.Clone(content), more...))

			r = l.make(t, content)
			if k, err := r.WriteString(string(more)); k != n || err != nil {
				t.Fatalf("WriteString = %d, %v", k, err)
			}
			mustContain(t, r, append(bytes.Clone(content), more...))

			r = l.make(t, content)
			for _, c := range more {
				if err := r.WriteByte(c); err != nil {
					t.Fatal(err)
				}
			}
			mustContain(t, r, append(bytes.Clone(content), more...))
		}
	}
}

// A ring can be written a window into itself, even when that makes it grow.
func TestWriteOwnContent(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		r := l.make(t, content)
		want := bytes.Clone(content)
		for range 4 {
			mustWrite(t, r, r.View(r.Length()))
			want = append(want, want...)
			mustContain(t, r, want)
			scribble()
			mustContain(t, r, want)
		}
	}
}

func TestFreeAndCommit(t *testing.T) {
	r := ringbuffer.New(512)
	if n := len(r.Free()); n != 512 {
		t.Fatalf("Free of an empty ring = %d", n)
	}
	r.Commit(copy(r.Free(), pattern(500)))
	mustContain(t, r, pattern(500))
	if n := len(r.Free()); n != 12 {
		t.Fatalf("Free at the end = %d", n)
	}
	r.Retrieve(300)
	r.Commit(copy(r.Free(), "end of store")) // 12 bytes
	if n := len(r.Free()); n != 300 {
		t.Fatalf("Free at the beginning = %d", n)
	}
	r.Commit(copy(r.Free(), "beginning"))
	want := append(pattern(500)[300:], "end of storebeginning"...)
	mustContain(t, r, want)
	for _, n := range []int{0, -1, math.MinInt} {
		r.Commit(n)
		mustContain(t, r, want)
	}
	clear(r.Free())
	r.Commit(math.MaxInt)
	if !r.IsFull() || len(r.Free()) != 0 {
		t.Fatalf("Length %d, Free %d of 512", r.Length(), len(r.Free()))
	}
	r.Commit(1)
	mustHold(t, r)
}

func TestReadFrom(t *testing.T) {
	for _, l := range layouts {
		for _, n := range []int{0, 1, 424, 425, 100_000} {
			content, more := pattern(600), pattern(n)
			want := append(bytes.Clone(content), more...)
			for name, src := range map[string]io.Reader{
				"plain":         bytes.NewReader(more),
				"half":          iotest.HalfReader(bytes.NewReader(more)),
				"data with EOF": iotest.DataErrReader(bytes.NewReader(more)),
			} {
				r := l.make(t, content)
				if k, err := r.ReadFrom(src); k != int64(n) || err != nil {
					t.Errorf("%s, %s: ReadFrom = %d, %v", l.name, name, k, err)
				}
				mustContain(t, r, want)
			}
		}
	}
}

// readerFunc is a Reader made of a function.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadFromFailures(t *testing.T) {
	var r ringbuffer.RingBuffer
	src := io.MultiReader(strings.NewReader("before"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if n, err := r.ReadFrom(src); n != 6 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ReadFrom = %d, %v", n, err)
	}
	idle := readerFunc(func([]byte) (int, error) { return 0, nil })
	if n, err := r.ReadFrom(idle); n != 0 || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("ReadFrom of an idle reader = %d, %v", n, err)
	}
	for name, wrong := range map[string]readerFunc{
		"too many": func(p []byte) (int, error) { return len(p) + 1, nil },
		"negative": func([]byte) (int, error) { return -1, nil },
	} {
		if n, err := r.ReadFrom(wrong); n != 0 || err == nil {
			t.Errorf("%s: ReadFrom = %d, %v", name, n, err)
		}
	}
	mustContain(t, &r, []byte("before"))
}
