package ringbuffer

import (
	"bufio"
	"errors"
	"io"
)

// errInvalidWrite means that a Writer claims to have written more than it was given, or less than nothing.
var errInvalidWrite = errors.New("ringbuffer: writer returned an invalid count")

// Read copies up to len(p) unread bytes to p and takes them. With nothing unread and len(p) > 0 it returns 0 and
// [ErrIsEmpty].
func (r *RingBuffer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.size == 0 {
		return 0, ErrIsEmpty
	}
	first, end := r.Peek(len(p))
	n := copy(p, first)
	n += copy(p[n:], end)
	r.Retrieve(n)
	return n, nil
}

// ReadByte takes the first unread byte; [ErrIsEmpty] when there is none.
func (r *RingBuffer) ReadByte() (byte, error) {
	if r.size == 0 {
		return 0, ErrIsEmpty
	}
	b := r.buf[r.head]
	r.Retrieve(1)
	return b, nil
}

// Retrieve takes n bytes without a look at them. With n <= 0 it does nothing; with Length() or more it is RetrieveAll.
func (r *RingBuffer) Retrieve(n int) {
	if n <= 0 {
		return
	}
	if n >= r.size {
		r.RetrieveAll()
		return
	}
	r.size -= n
	r.virtual = 0
	r.head += n
	if r.head >= len(r.buf) {
		r.head -= len(r.buf)
	}
}

// RetrieveAll takes everything. The storage stays, and what is written next is contiguous.
func (r *RingBuffer) RetrieveAll() {
	r.head, r.size, r.virtual = 0, 0, 0
}

// Reset is RetrieveAll, under the name that other buffers give it. The storage stays; see Release.
func (r *RingBuffer) Reset() { r.RetrieveAll() }

// Discard takes n bytes, like [bufio.Reader.Discard], and returns how many there were: fewer than n only together with
// [ErrIsEmpty]. With n < 0 it returns [bufio.ErrNegativeCount].
func (r *RingBuffer) Discard(n int) (int, error) {
	if n < 0 {
		return 0, bufio.ErrNegativeCount
	}
	if n > r.size {
		n = r.size
		r.RetrieveAll()
		return n, ErrIsEmpty
	}
	r.Retrieve(n)
	return n, nil
}

// WriteTo writes all unread bytes to w, in one or two calls, and takes what was written. On an empty ring it returns 0
// without a call. The error is w's, or [io.ErrShortWrite]; what w did not take remains unread.
func (r *RingBuffer) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for r.size > 0 {
		first, _ := r.PeekAll()
		n, err := w.Write(first)
		if n < 0 || n > len(first) {
			return total, errInvalidWrite
		}
		r.Retrieve(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
		if n < len(first) {
			return total, io.ErrShortWrite
		}
	}
	return total, nil
}
