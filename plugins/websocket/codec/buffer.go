package codec

import (
	"math/bits"
	"sync"
)

// buffers are the pools of what unfinished messages need. Any goroutine may use them.
type buffers struct {
	parts   sync.Pool // *part
	classes [classes]sync.Pool
}

// A buffer holds what has come of a message. It has the size of a class, which is a
// power of two, and is pooled, or is larger than all of them.
type buffer struct{ b []byte }

const (
	minClass = 9 // 512 bytes
	classes  = 12
	maxClass = minClass + classes - 1 // 1 MiB
)

// class returns the class of buffers of n bytes, or -1 if it is too large for any.
func class(n int) int {
	switch {
	case n <= 1<<minClass:
		return 0
	case n > 1<<maxClass:
		return -1
	}
	return bits.Len(uint(n-1)) - minClass
}

// grow returns a buffer with the content of old, which may be nil and is given back,
// and room for need bytes in all. No message needs more than most. The bytes count as
// pinned; it returns nil, and old stays as it is, if they are too many.
func (c *Codec) grow(old *buffer, need, most int) *buffer {
	var have []byte
	if old != nil {
		have = old.b
	}
	k, size := class(need), 0
	if k >= 0 {
		size = 1 << (minClass + k)
	} else {
		size = max(need, min(2*cap(have), most))
	}
	if !c.pinned.take(size - cap(have)) {
		return nil
	}
	var b *buffer
	if k >= 0 {
		b, _ = c.buffers.classes[k].Get().(*buffer)
	}
	if b == nil {
		b = &buffer{make([]byte, 0, size)}
	}
	b.b = append(b.b[:0], have...)
	if old != nil {
		c.buffers.put(old)
	}
	return b
}

// free gives back a buffer that grow has returned.
func (c *Codec) free(b *buffer) {
	c.pinned.give(cap(b.b))
	c.buffers.put(b)
}

func (s *buffers) put(b *buffer) {
	if k := class(cap(b.b)); k >= 0 {
		s.classes[k].Put(b)
	}
}

// part returns an empty one.
func (s *buffers) part() *part {
	if p, ok := s.parts.Get().(*part); ok {
		return p
	}
	return new(part)
}
