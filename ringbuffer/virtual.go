package ringbuffer

// VirtualRead copies up to len(p) bytes from the virtual cursor on to p and moves that cursor only: the bytes stay unread
// until VirtualFlush. With nothing left for it and len(p) > 0 it returns 0 and [ErrIsEmpty].
func (r *RingBuffer) VirtualRead(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.virtual == r.size {
		return 0, ErrIsEmpty
	}
	first, end := r.PeekAll()
	n := 0
	if r.virtual < len(first) {
		n = copy(p, first[r.virtual:])
		n += copy(p[n:], end)
	} else {
		n = copy(p, end[r.virtual-len(first):])
	}
	r.virtual += n
	return n, nil
}

// VirtualLength returns how many bytes VirtualRead can still yield: Length without those it has passed.
func (r *RingBuffer) VirtualLength() int { return r.size - r.virtual }

// VirtualFlush takes the bytes that VirtualRead has passed, as Retrieve does.
func (r *RingBuffer) VirtualFlush() { r.Retrieve(r.virtual) }

// VirtualRevert moves the virtual cursor back to the first unread byte.
func (r *RingBuffer) VirtualRevert() { r.virtual = 0 }
