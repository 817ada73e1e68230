package protocoltest

import "github.com/go-weir/weir/ringbuffer"

// poison is what memory is overwritten with when its time is over.
const poison = 0xDB

// How a ring holds the bytes that are waiting. A positive layout is the number
// of them that lie at the end of the storage; the others are at its beginning.
const (
	borrowed = -1 // in one piece, in a slice lent to the ring, as after a read
	owned    = 0  // in one piece, in storage of the ring's own
)

// newRing returns a ring that holds content.
func newRing(content []byte, layout int) *ringbuffer.RingBuffer {
	if layout == borrowed {
		return ringbuffer.NewWithData(append([]byte{}, content...))
	}
	r := new(ringbuffer.RingBuffer)
	if layout == owned || layout >= len(content) {
		r.Write(content)
		return r
	}
	// The cursors go back to the beginning when nothing is left, so one byte
	// stays until the first of the content are there.
	r.Grow(len(content) + 1)
	lead := r.Capacity() - layout
	r.Write(make([]byte, lead))
	r.Retrieve(lead - 1)
	r.Write(content[:layout])
	r.Retrieve(1)
	r.Write(content[layout:])
	return r
}

// spoil overwrites all storage of r, and before, the windows into it from the
// time before UnPacket: View may have moved the content since.
func spoil(r *ringbuffer.RingBuffer, before ...[]byte) {
	first, end := r.PeekAll()
	for _, window := range append(before, first, end) {
		fill(window)
	}
	for free := r.Free(); len(free) > 0; free = r.Free() {
		fill(free)
		r.Commit(len(free))
	}
	r.Release()
}

func fill(p []byte) {
	if len(p) == 0 {
		return
	}
	p[0] = poison
	for n := 1; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}
