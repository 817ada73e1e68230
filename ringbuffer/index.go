package ringbuffer

import "bytes"

// Index returns the offset from the first unread byte at which sep occurs first, -1 if it does not. Like [bytes.Index] it
// finds an empty sep at 0.
func (r *RingBuffer) Index(sep []byte) int { return r.IndexFrom(sep, 0) }

// IndexFrom is Index for occurrences that begin at offset from or later; what it returns still counts from the first
// unread byte. A protocol that waits for sep goes on where it stopped, at the old Length()-len(sep)+1, and so looks at no
// byte twice. from < 0 is 0, and from > Length() finds nothing.
func (r *RingBuffer) IndexFrom(sep []byte, from int) int {
	from = max(from, 0)
	if from > r.size {
		return -1
	}
	first, end := r.PeekAll()
	if from >= len(first) {
		return offset(bytes.Index(end[from-len(first):], sep), from)
	}
	first = first[from:]
	if i := bytes.Index(first, sep); i >= 0 || len(end) == 0 {
		return offset(i, from)
	}
	if i := indexSeam(first, end, sep); i >= 0 {
		return from + i
	}
	return offset(bytes.Index(end, sep), from+len(first))
}

// indexSeam returns the offset in first at which an occurrence of sep begins that ends in end, -1 if there is none.
func indexSeam(first, end, sep []byte) int {
	for i := max(len(first)-len(sep)+1, 0); i < len(first); i++ {
		in := len(first) - i // bytes of sep that lie in first
		if bytes.Equal(first[i:], sep[:in]) && bytes.HasPrefix(end, sep[in:]) {
			return i
		}
	}
	return -1
}

// offset adds base to an index that was found.
func offset(i, base int) int {
	if i < 0 {
		return -1
	}
	return base + i
}
