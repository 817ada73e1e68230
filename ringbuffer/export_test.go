package ringbuffer

import "fmt"

// The bounds of the size classes, for tests.
const (
	MinClass = minClass
	MaxClass = maxClass
)

// Retired is the size of the storage that View has replaced and that r still holds.
func (r *RingBuffer) Retired() int { return len(r.retired) }

// Check returns the first invariant of the fields of RingBuffer that r breaks.
func (r *RingBuffer) Check() error { return r.check() }

func (r *RingBuffer) check() error {
	n := len(r.buf)
	switch {
	case !r.borrowed && n != 0 && !isStorage(n):
		return fmt.Errorf("own storage of %d bytes is of no class", n)
	case !r.borrowed && cap(r.buf) != n:
		return fmt.Errorf("own storage: len %d, cap %d", n, cap(r.buf))
	case r.size < 0 || r.size > n:
		return fmt.Errorf("size %d outside 0..%d", r.size, n)
	case r.size == 0 && r.head != 0:
		return fmt.Errorf("head %d in an empty ring", r.head)
	case r.head < 0 || r.size != 0 && r.head >= n:
		return fmt.Errorf("head %d outside 0..%d", r.head, n-1)
	case r.borrowed && r.head+r.size > n:
		return fmt.Errorf("borrowed content wraps: head %d, size %d, len %d", r.head, r.size, n)
	case r.virtual < 0 || r.virtual > r.size:
		return fmt.Errorf("virtual %d outside 0..%d", r.virtual, r.size)
	case r.retired != nil && (r.borrowed || n == 0):
		return fmt.Errorf("retired storage of %d bytes, but none of its own in use", len(r.retired))
	}
	return nil
}

// isStorage reports whether Acquire could return n bytes.
func isStorage(n int) bool {
	return n > maxClass || n >= minClass && n&(n-1) == 0
}
