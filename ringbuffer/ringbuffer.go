// Package ringbuffer holds the growable ring in which bytes of a connection wait: received ones until they are a whole
// message, unsent ones until the kernel takes them.
//
// A [RingBuffer] has storage of its own, taken from a pool of size classes when the first byte is written and doubled as
// needed, or it sits on a slice that somebody else owns ([RingBuffer.WithData]) and copies nothing. The zero value is an
// empty ring without storage.
//
// # Whose bytes
//
// What Peek, PeekAll and View return are windows into the storage, not copies. They stay valid, and keep what they show,
// through every call that only looks or takes: Read, Retrieve, RetrieveAll, Discard, WriteTo, Reset, View and the virtual
// reads. They end with the first call that may put bytes in or exchange the storage: Write, WriteByte, WriteString,
// ReadFrom, Grow, a store into what Free returned, Shrink, Release and WithData. Reading a ring empty does not release its
// storage for that reason; its owner calls Release, or Shrink, when nobody looks at the windows any more. Windows into a
// borrowed slice are the lender's bytes and live by the lender's rules.
//
// # Virtual reads
//
// VirtualRead moves a second cursor only. VirtualFlush makes what it passed read, VirtualRevert takes the cursor back.
// While a virtual read is open:
//
//   - Write, WriteByte, WriteString, ReadFrom, Commit, Grow, Shrink and View leave it as it is, and written bytes are there
//     for VirtualRead in their turn;
//   - Read, ReadByte, Retrieve, Discard and WriteTo, when they take at least one byte, revert it first: they take from the
//     first unread byte and the virtual cursor is there afterwards;
//   - RetrieveAll, Reset, Release and WithData end it;
//   - Length, Peek, View, Index and all others count from the first unread byte and do not see it.
package ringbuffer

import (
	"bytes"
	"errors"
	"io"
)

// ErrIsEmpty is returned by Read, ReadByte, VirtualRead and Discard when there is nothing (more) to read. It is not
// [io.EOF], because more bytes may be written: [io.ReadAll] on a ring ends with it, while [io.Copy] uses WriteTo and ends
// without an error.
var ErrIsEmpty = errors.New("ring buffer is empty")

var (
	_ io.ReadWriter   = (*RingBuffer)(nil)
	_ io.ByteReader   = (*RingBuffer)(nil)
	_ io.ByteWriter   = (*RingBuffer)(nil)
	_ io.StringWriter = (*RingBuffer)(nil)
	_ io.ReaderFrom   = (*RingBuffer)(nil)
	_ io.WriterTo     = (*RingBuffer)(nil)
)

// RingBuffer is a first-in, first-out queue of bytes that grows. The zero value is empty and ready to use.
//
// It is loop only: one goroutine at a time, no locks. It must not be copied once it was used, because both copies would
// give the same storage back to the pool.
type RingBuffer struct {
	// loop only

	// buf is the storage, all of it in use as far as len goes; nil until the first write.
	// Invariant: len(buf) is a class size or more than maxClass, or 0, unless borrowed.
	buf []byte

	// head is the offset in buf of the first unread byte.
	// Invariant: 0 <= head < len(buf), and head == 0 while size == 0.
	head int

	// size is the number of unread bytes; those past the end of buf continue at its beginning.
	// Invariant: 0 <= size <= len(buf).
	// Invariant: borrowed content never wraps: head+size <= len(buf).
	size int

	// virtual is how many of the unread bytes the virtual cursor has passed.
	// Invariant: 0 <= virtual <= size.
	virtual int

	// borrowed says that buf is another owner's: never written, never pooled.
	borrowed bool

	// retired is the storage that View replaced. It waits for the next change of storage, because windows into it
	// are still valid.
	// Invariant: a borrowed ring and a ring without storage have none.
	retired []byte
}

// New returns an empty ring with storage for at least size bytes. With size <= 0 it has none until the first write.
func New(size int) *RingBuffer {
	r := &RingBuffer{}
	r.Grow(size)
	return r
}

// NewWithData returns a ring that is full with data; see [RingBuffer.WithData].
func NewWithData(data []byte) *RingBuffer {
	return &RingBuffer{buf: data, size: len(data), borrowed: true}
}

// WithData lets r go of what it holds, its own storage to the pool, and makes it full with data. Nothing is copied. The
// ring only ever reads data, which the caller keeps unchanged until the ring has let go of it: at the next WithData, at
// Release, or when the first byte is written or Grow asks for room, which moves what is unread to storage of r's own.
// data must not be a window into r.
func (r *RingBuffer) WithData(data []byte) {
	if !r.borrowed {
		r.Release()
	}
	r.buf, r.head, r.size, r.virtual, r.borrowed = data, 0, len(data), 0, true
}

// Length returns the number of unread bytes.
func (r *RingBuffer) Length() int { return r.size }

// Capacity returns the size in bytes of the storage in use, borrowed or not.
func (r *RingBuffer) Capacity() int { return len(r.buf) }

// IsEmpty reports whether nothing is unread.
func (r *RingBuffer) IsEmpty() bool { return r.size == 0 }

// IsFull reports whether the unread bytes fill the storage, so that the next write exchanges it. An empty ring is never
// full, even without storage.
func (r *RingBuffer) IsFull() bool { return r.size != 0 && r.size == len(r.buf) }

// Grow makes sure that n more bytes fit without another change of storage, in one run or in two (see Free). It at least
// doubles the storage when it has to change it. With n <= 0 it does nothing. It panics, as make does, when there can be no
// storage of that size.
func (r *RingBuffer) Grow(n int) {
	if n > r.room() {
		r.recycle(r.replace(r.grown(n)))
	}
}

// Shrink ends a delivery: it gives back what the unread bytes do not need. An empty ring is released. Content that uses
// at most a quarter of r's own storage moves to the smallest class that holds it, so that a few bytes that were left over
// cannot pin the storage of a large message. Otherwise, and while r is on borrowed data, nothing moves.
func (r *RingBuffer) Shrink() {
	switch {
	case r.size == 0:
		r.Release()
	case r.borrowed:
	case r.size <= len(r.buf)/4 && len(r.buf) > minClass:
		r.recycle(r.replace(r.size))
	default:
		r.recycle(nil)
	}
}

// Release gives r's own storage back to the pool, or lets go of borrowed data, and leaves an empty ring without storage.
// What was unread is lost.
func (r *RingBuffer) Release() {
	if !r.borrowed {
		r.recycle(r.buf)
	}
	*r = RingBuffer{}
}

// room returns how many bytes can be written without a change of storage.
func (r *RingBuffer) room() int {
	if r.borrowed {
		return 0
	}
	return len(r.buf) - r.size
}

// grown returns the size of the storage to ask for when n more bytes must fit.
func (r *RingBuffer) grown(n int) int {
	need := r.size + n
	if need < 0 {
		panic(bytes.ErrTooLarge)
	}
	if r.borrowed {
		return need
	}
	return max(need, 2*len(r.buf))
}

// replace moves the unread bytes to the beginning of fresh storage of at least n bytes. It returns the storage it took out
// of use, nil if that was borrowed: the caller decides when nobody looks at it any more.
func (r *RingBuffer) replace(n int) (old []byte) {
	fresh := Acquire(n)
	first, end := r.PeekAll()
	copy(fresh[copy(fresh, first):], end)
	if !r.borrowed {
		old = r.buf
	}
	r.buf, r.head, r.borrowed = fresh, 0, false
	return old
}

// recycle ends the windows into old and into what View replaced earlier.
func (r *RingBuffer) recycle(old []byte) {
	Recycle(old)
	Recycle(r.retired)
	r.retired = nil
}
