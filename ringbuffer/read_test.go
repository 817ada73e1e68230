package ringbuffer_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestRead(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		for _, step := range []int{1, 7, 599, 600, 601} {
			r := l.make(t, content)
			var got []byte
			p := make([]byte, step)
			for {
				n, err := r.Read(p)
				if errors.Is(err, ringbuffer.ErrIsEmpty) && n == 0 {
					break
				}
				if err != nil || n != min(step, len(content)-len(got)) {
					t.Fatalf("%s: Read of %d = %d, %v", l.name, step, n, err)
				}
				got = append(got, p[:n]...)
				mustContain(t, r, content[len(got):])
			}
			if !bytes.Equal(got, content) {
				t.Fatalf("%s: read %d bytes in steps of %d", l.name, len(got), step)
			}
		}
	}
}

func TestReadNothing(t *testing.T) {
	var r ringbuffer.RingBuffer
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) when empty = %d, %v", n, err)
	}
	if _, err := r.ReadByte(); !errors.Is(err, ringbuffer.ErrIsEmpty) {
		t.Errorf("ReadByte when empty: %v", err)
	}
	mustWrite(t, &r, []byte("x"))
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v", n, err)
	}
	mustContain(t, &r, []byte("x"))
}

func TestReadByte(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		r := l.make(t, content)
		for i, want := range content {
			if b, err := r.ReadByte(); b != want || err != nil {
				t.Fatalf("%s: ReadByte %d = %d, %v, want %d", l.name, i, b, err, want)
			}
			mustHold(t, r)
		}
	}
}

func TestRetrieve(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		for _, c := range []struct{ n, taken int }{
			{math.MinInt, 0},
			{-1, 0},
			{0, 0},
			{1, 1},
			{300, 300},
			{599, 599},
			{600, 600},
			{601, 600},
			{math.MaxInt, 600},
		} {
			r := l.make(t, content)
			r.Retrieve(c.n)
			mustContain(t, r, content[c.taken:])
		}
	}
}

// What is written to a ring that was read to its end does not wrap.
func TestEmptyRingBeginsAnew(t *testing.T) {
	empties := map[string]func(r *ringbuffer.RingBuffer){
		"retrieve":      func(r *ringbuffer.RingBuffer) { r.Retrieve(400) },
		"retrieve all":  (*ringbuffer.RingBuffer).RetrieveAll,
		"reset":         (*ringbuffer.RingBuffer).Reset,
		"read":          func(r *ringbuffer.RingBuffer) { _, _ = r.Read(make([]byte, 400)) },
		"virtual flush": func(r *ringbuffer.RingBuffer) { _, _ = r.VirtualRead(make([]byte, 400)); r.VirtualFlush() },
		"write to":      func(r *ringbuffer.RingBuffer) { _, _ = r.WriteTo(io.Discard) },
	}
	for name, empty := range empties {
		r := wrapped(t, pattern(400), 100)
		empty(r)
		mustContain(t, r, nil)
		mustWrite(t, r, pattern(ringbuffer.MinClass))
		if _, end := r.PeekAll(); len(end) != 0 {
			t.Errorf("%s: %d bytes wrap", name, len(end))
		}
	}
}

func TestDiscard(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		for _, c := range []struct {
			n, taken int
			err      error
		}{
			{-1, 0, bufio.ErrNegativeCount},
			{0, 0, nil},
			{400, 400, nil},
			{600, 600, nil},
			{601, 600, ringbuffer.ErrIsEmpty},
			{math.MaxInt, 600, ringbuffer.ErrIsEmpty},
		} {
			r := l.make(t, content)
			if n, err := r.Discard(c.n); n != c.taken || !errors.Is(err, c.err) {
				t.Errorf("%s: Discard(%d) = %d, %v", l.name, c.n, n, err)
			}
			mustContain(t, r, content[c.taken:])
		}
	}
}

// writerFunc is a Writer made of a function.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWriteTo(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		var got bytes.Buffer
		r := l.make(t, content)
		if n, err := io.Copy(&got, r); n != 600 || err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%s: copied %d, %v", l.name, n, err)
		}
		mustContain(t, r, nil)
	}
}

func TestWriteToFailures(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name  string
		write writerFunc
		taken int64
		err   error // nil: any
	}{
		{"error after some", func([]byte) (int, error) { return 5, broken }, 5, broken},
		{"error after all", func(p []byte) (int, error) { return len(p), broken }, 200, broken},
		{"short", func([]byte) (int, error) { return 5, nil }, 5, io.ErrShortWrite},
		{"nothing", func([]byte) (int, error) { return 0, nil }, 0, io.ErrShortWrite},
		{"too many", func(p []byte) (int, error) { return len(p) + 1, nil }, 0, nil},
		{"negative", func([]byte) (int, error) { return -1, nil }, 0, nil},
	} {
		r := wrapped(t, pattern(600), 200)
		n, err := r.WriteTo(c.write)
		if n != c.taken || err == nil || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: WriteTo = %d, %v", c.name, n, err)
		}
		mustContain(t, r, pattern(600)[c.taken:])
	}
}
