package ringbuffer_test

import (
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

// All windows end where they end: appending to one reaches nothing.
func TestAllWindowsAreClipped(t *testing.T) {
	content := pattern(600)
	for _, l := range layouts {
		r := l.make(t, content)
		windows := map[string][]byte{}
		windows["PeekAll, first"], windows["PeekAll, end"] = r.PeekAll()
		windows["Peek, first"], windows["Peek, end"] = r.Peek(400)
		windows["Free"], windows["View"] = r.Free(), r.View(500)
		for name, w := range windows {
			if rest := cap(w) - len(w); rest > 0 {
				t.Errorf("%s, %s: %d bytes and room for %d more", l.name, name, len(w), rest)
			}
		}
		mustContain(t, r, content)
	}
}

// What View has replaced is given back when the delivery ends.
func TestShrinkGivesBackRetired(t *testing.T) {
	content := pattern(600)
	r := wrapped(t, content, 200)
	r.View(500)
	if r.Retired() == 0 {
		t.Fatal("View has replaced nothing")
	}
	r.Shrink()
	mustContain(t, r, content)
	if n := r.Retired(); n != 0 {
		t.Errorf("%d bytes are held for windows that have ended", n)
	}
}

// What is left of borrowed bytes moves to as little storage as holds it.
func TestBorrowedLeavesItsSizeBehind(t *testing.T) {
	r := ringbuffer.NewWithData(pattern(10_000))
	r.Retrieve(9_990)
	mustWrite(t, r, []byte("x"))
	if r.Capacity() != ringbuffer.MinClass {
		t.Errorf("%d bytes for 11", r.Capacity())
	}
	mustContain(t, r, append(pattern(10_000)[9_990:], 'x'))
}

// A ring that has the smallest storage stays where it is.
func TestShrinkOfTheSmallest(t *testing.T) {
	r := ringbuffer.New(1)
	mustWrite(t, r, []byte("x"))
	before, _ := r.PeekAll()
	r.Shrink()
	if after, _ := r.PeekAll(); &before[0] != &after[0] {
		t.Error("the content moved, to storage of the same size")
	}
}
