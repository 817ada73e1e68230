package ringbuffer

import (
	"errors"
	"io"
	"unsafe"
)

// errInvalidRead means that a Reader claims to have read more than there was room for, or less than nothing.
var errInvalidRead = errors.New("ringbuffer: reader returned an invalid count")

// maxEmptyReads is how often in a row ReadFrom accepts a Read that returns no byte and no error.
const maxEmptyReads = 100

// Write appends a copy of p and grows the ring as needed. It always returns len(p) and nil. p may be a window into r's
// unread bytes, though not into bytes that were taken already, whose place is written to.
func (r *RingBuffer) Write(p []byte) (int, error) {
	if len(p) <= r.room() {
		r.put(p)
		return len(p), nil
	}
	old := r.replace(r.grown(len(p)))
	r.put(p)
	r.recycle(old) // after put: p may be a window into it
	return len(p), nil
}

// WriteString is Write for a string; the string is not converted first.
func (r *RingBuffer) WriteString(s string) (int, error) {
	// Write neither changes nor keeps its argument.
	return r.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// WriteByte appends one byte. The error is always nil.
func (r *RingBuffer) WriteByte(c byte) error {
	if r.room() == 0 {
		r.Grow(1)
	}
	r.Free()[0] = c
	r.size++
	return nil
}

// ReadFrom appends what src yields until [io.EOF], which it does not return. Any other error ends it too and is returned
// with the number of bytes that came before; [io.ErrNoProgress] when src keeps returning neither bytes nor an error.
// src must not use r.
func (r *RingBuffer) ReadFrom(src io.Reader) (int64, error) {
	var total int64
	for empty := 0; empty < maxEmptyReads; {
		if r.room() == 0 {
			r.Grow(minClass)
		}
		free := r.Free()
		n, err := src.Read(free)
		if n < 0 || n > len(free) {
			return total, errInvalidRead
		}
		r.size += n
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		empty++
		if n > 0 {
			empty = 0
		}
	}
	return total, io.ErrNoProgress
}

// Free returns the first contiguous run of unused storage of r's own, for the caller to store into and then Commit, before
// any other method of r is called. It is empty when r is full, has no storage or is on borrowed data: Grow gives room, in
// one run if r is empty, otherwise in one or two.
func (r *RingBuffer) Free() []byte {
	if r.borrowed {
		return nil
	}
	if over := r.head + r.size - len(r.buf); over >= 0 {
		return r.buf[over:r.head:r.head]
	}
	return r.buf[r.head+r.size:]
}

// Commit appends the first n bytes of what Free returned, once they were stored there. With n <= 0 it does nothing; of an
// n that is more than Free had, it appends what Free had.
func (r *RingBuffer) Commit(n int) {
	r.size += min(max(n, 0), len(r.Free()))
}

// put appends p, for which there must be room.
func (r *RingBuffer) put(p []byte) {
	n := copy(r.Free(), p)
	r.size += n
	if n < len(p) {
		r.size += copy(r.Free(), p[n:])
	}
}
