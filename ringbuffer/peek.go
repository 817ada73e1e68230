package ringbuffer

import "slices"

// PeekAll returns all unread bytes without reading them: first, and, when they wrap around the end of the storage, the rest
// in end. Both are windows; the package comment says until when.
func (r *RingBuffer) PeekAll() (first, end []byte) {
	if over := r.head + r.size - len(r.buf); over > 0 {
		return r.buf[r.head:], r.buf[:over:over]
	}
	return r.buf[r.head:][:r.size:r.size], nil
}

// Peek is PeekAll for the first n unread bytes, or for all when there are fewer. With n <= 0 both are empty.
func (r *RingBuffer) Peek(n int) (first, end []byte) {
	n = min(max(n, 0), r.size)
	if over := r.head + n - len(r.buf); over > 0 {
		return r.buf[r.head:], r.buf[:over:over]
	}
	return r.buf[r.head:][:n:n], nil
}

// View returns the first n unread bytes as one window without reading them. It is nil when there are fewer, or when n is
// negative, and otherwise not nil, even with n == 0. Nothing is copied, unless the n bytes wrap: then all of the content
// moves to storage of the same size, where the rest of it is found without a copy too. Windows that were handed out before
// remain valid even then.
func (r *RingBuffer) View(n int) []byte {
	if first := r.buf[r.head:]; 0 < n && n <= r.size && n <= len(first) {
		return first[:n:n]
	}
	return r.viewSlow(n)
}

// viewSlow is View where it is not one window into the storage as it is.
func (r *RingBuffer) viewSlow(n int) []byte {
	if n < 0 || n > r.size {
		return nil
	}
	if n == 0 {
		return []byte{}
	}
	// Only a write can make the content wrap again, and a write ends the windows into what is retired here: one place
	// for retired storage is enough.
	old := r.replace(len(r.buf))
	Recycle(r.retired)
	r.retired = old
	return r.buf[:n:n]
}

// Bytes returns a fresh copy of everything unread, nil when that is nothing. The copy is the caller's.
func (r *RingBuffer) Bytes() []byte {
	return slices.Concat(r.PeekAll())
}
