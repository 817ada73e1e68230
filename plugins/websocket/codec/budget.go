package codec

import "sync/atomic"

// A budget counts bytes that many connections hold together. Any goroutine may use it.
type budget struct {
	limit int64 // set once
	used  atomic.Int64
}

// take counts n more bytes, or reports that they would be too many. What is refused is
// never counted, not even for a moment, in which others would be refused for it.
func (b *budget) take(n int) bool {
	for {
		used := b.used.Load()
		if used+int64(n) > b.limit {
			return false
		}
		if b.used.CompareAndSwap(used, used+int64(n)) {
			return true
		}
	}
}

// give takes n bytes out of the count again.
func (b *budget) give(n int) { b.used.Add(int64(-n)) }

func (b *budget) taken() int { return int(b.used.Load()) }
