package http1

import (
	"sync/atomic"

	"github.com/go-weir/weir/ringbuffer"
)

// bodyMemory counts the memory of the bodies that are held for Handlers, on all
// connections. No body may have more of it than is left for all others: those who hold
// much of it keep nobody out who wants little.
type bodyMemory struct {
	limit int64 // set once; 0: none

	used atomic.Int64 // any goroutine
}

// take counts n more bytes for a body that has own of them, or reports that they would
// be too many. Those are never counted, not even for a moment, in which others would be
// refused for them.
func (m *bodyMemory) take(own, n int) bool {
	for {
		used := m.used.Load()
		if m.limit > 0 && int64(own)+int64(n) > m.limit-used-int64(n) {
			return false
		}
		if m.used.CompareAndSwap(used, used+int64(n)) {
			return true
		}
	}
}

// give takes n bytes out of the count again.
func (m *bodyMemory) give(n int) { m.used.Add(-int64(n)) }

// most is how long a body can be at most, when no other is there.
func (m *bodyMemory) most() int64 {
	if m.limit == 0 {
		return 1<<63 - 1
	}
	return m.limit / 2
}

// firstBody is the memory that a body has at first.
const firstBody = 4 << 10

// collect appends data to the body that is held, whose rest is that long at most.
func (x *exchange) collect(data []byte, rest int64) *Error {
	have, need := len(x.collected), len(x.collected)+len(data)
	if need > cap(x.collected) {
		if err := x.growBody(need, int64(need)+rest); err != nil {
			return err
		}
	}
	x.collected = x.collected[:need]
	copy(x.collected[have:], data)
	return nil
}

// growBody makes room for need bytes, or for twice as many as there was room for, but
// not for more than most.
func (x *exchange) growBody(need int, most int64) *Error {
	bodies := &x.conn.protocol.bodies
	had := cap(x.collected)
	size := max(int64(need), min(most, int64(max(2*had, firstBody))))
	grown := ringbuffer.Acquire(int(size))
	if !bodies.take(had, cap(grown)-had) {
		ringbuffer.Recycle(grown)
		if int64(cap(grown)) > bodies.most() {
			return errBodyLength
		}
		return errBodies
	}
	copy(grown, x.collected)
	ringbuffer.Recycle(x.collected)
	x.collected = grown[:len(x.collected)]
	return nil
}

// dropBody gives the memory of the body back.
func (x *exchange) dropBody() {
	if x.collected != nil {
		x.conn.protocol.bodies.release(x.collected)
		x.collected = nil
	}
}

// release gives the memory of a body back. Any goroutine.
func (m *bodyMemory) release(body []byte) {
	m.give(cap(body))
	ringbuffer.Recycle(body)
}
