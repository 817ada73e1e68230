package ringbuffer_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

// mustReadVirtually reads in steps of step bytes to the end and compares with want.
func mustReadVirtually(t *testing.T, r *ringbuffer.RingBuffer, step int, want []byte) {
	t.Helper()
	var got []byte
	p := make([]byte, step)
	for r.VirtualLength() > 0 {
		n, err := r.VirtualRead(p)
		if err != nil || n != min(step, len(want)-len(got)) {
			t.Fatalf("VirtualRead = %d, %v", n, err)
		}
		got = append(got, p[:n]...)
		if r.VirtualLength() != len(want)-len(got) {
			t.Fatalf("VirtualLength = %d, want %d", r.VirtualLength(), len(want)-len(got))
		}
		mustHold(t, r)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes virtually, want %d", len(got), len(want))
	}
	if n, err := r.VirtualRead(p); n != 0 || !errors.Is(err, ringbuffer.ErrIsEmpty) {
		t.Fatalf("VirtualRead at the end = %d, %v", n, err)
	}
	if n, err := r.VirtualRead(nil); n != 0 || err != nil {
		t.Fatalf("VirtualRead(nil) at the end = %d, %v", n, err)
	}
}

func TestVirtualRead(t *testing.T) {
	for _, size := range []int{1, 2, 511, 512, 600, 1024} { // 512 and 1024 fill their class
		content := pattern(size)
		for _, l := range layouts {
			for _, step := range []int{1, 7, size - 1, size, size + 1} {
				r := l.make(t, content)
				step = max(step, 1)
				mustReadVirtually(t, r, step, content)
				mustContain(t, r, content) // nothing was taken
				r.VirtualRevert()
				mustReadVirtually(t, r, step, content) // and once more
				r.VirtualFlush()
				mustContain(t, r, nil)
			}
		}
	}
}

func TestVirtualReadOfFullRing(t *testing.T) {
	r := ringbuffer.New(512)
	mustWrite(t, r, pattern(512))
	r.Retrieve(100)
	mustWrite(t, r, pattern(100))
	if !r.IsFull() {
		t.Fatal("not full")
	}
	content := r.Bytes()
	mustReadVirtually(t, r, 512, content)
	r.VirtualRevert()
	mustReadVirtually(t, r, 411, content)
	mustContain(t, r, content)
}

func TestVirtualFlushInParts(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		r := l.make(t, content)
		for at := 0; at < len(content); at += 50 {
			p := make([]byte, 50)
			if n, err := r.VirtualRead(p); n != 50 || err != nil || !bytes.Equal(p, content[at:at+50]) {
				t.Fatalf("%s: VirtualRead at %d = %d, %v", l.name, at, n, err)
			}
			r.VirtualFlush()
			mustContain(t, r, content[at+50:])
		}
	}
}

// What the other methods do to a virtual read of 100 of 600 bytes: the table of the package comment.
func TestOpenVirtualRead(t *testing.T) {
	type ring = ringbuffer.RingBuffer
	for _, c := range []struct {
		name            string
		do              func(r *ring)
		length, virtual int
	}{
		{"write", func(r *ring) { mustWrite(t, r, pattern(10)) }, 610, 510},
		{"write and grow", func(r *ring) { mustWrite(t, r, pattern(2000)) }, 2600, 2500},
		{"write byte", func(r *ring) { _ = r.WriteByte('x') }, 601, 501},
		{"read from", func(r *ring) { _, _ = r.ReadFrom(bytes.NewReader(pattern(10))) }, 610, 510},
		{"commit", func(r *ring) { r.Grow(10); r.Commit(copy(r.Free()[:10], pattern(10))) }, 610, 510},
		{"grow", func(r *ring) { r.Grow(5000) }, 600, 500},
		{"grow and shrink", func(r *ring) { r.Grow(5000); r.Shrink() }, 600, 500},
		{"view", func(r *ring) { r.View(600) }, 600, 500},
		{"read", func(r *ring) { _, _ = r.Read(make([]byte, 10)) }, 590, 590},
		{"read nothing", func(r *ring) { _, _ = r.Read(nil) }, 600, 500},
		{"read byte", func(r *ring) { _, _ = r.ReadByte() }, 599, 599},
		{"retrieve", func(r *ring) { r.Retrieve(10) }, 590, 590},
		{"retrieve past the cursor", func(r *ring) { r.Retrieve(200) }, 400, 400},
		{"retrieve nothing", func(r *ring) { r.Retrieve(0) }, 600, 500},
		{"discard", func(r *ring) { _, _ = r.Discard(10) }, 590, 590},
		{"discard nothing", func(r *ring) { _, _ = r.Discard(0) }, 600, 500},
		{"write to", func(r *ring) { _, _ = r.WriteTo(new(bytes.Buffer)) }, 0, 0},
		{"retrieve all", (*ring).RetrieveAll, 0, 0},
		{"reset", (*ring).Reset, 0, 0},
		{"release", (*ring).Release, 0, 0},
		{"with data", func(r *ring) { r.WithData(pattern(3)) }, 3, 3},
	} {
		for _, l := range layouts {
			r := l.make(t, pattern(600))
			if n, err := r.VirtualRead(make([]byte, 100)); n != 100 || err != nil {
				t.Fatalf("VirtualRead = %d, %v", n, err)
			}
			c.do(r)
			mustHold(t, r)
			if r.Length() != c.length || r.VirtualLength() != c.virtual {
				t.Errorf("%s, %s: Length %d, VirtualLength %d, want %d, %d",
					c.name, l.name, r.Length(), r.VirtualLength(), c.length, c.virtual)
			}
			want := r.Bytes()[c.length-c.virtual:]
			mustReadVirtually(t, r, 64, want)
		}
	}
}
