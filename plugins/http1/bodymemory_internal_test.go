package http1

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestBodyMemoryRefused: a body that is refused is in nobody's way, not even for a moment.
func TestBodyMemoryRefused(t *testing.T) {
	const limit, n = 1 << 20, 5_000_000
	var refusals atomic.Int64
	m := &bodyMemory{limit: limit}
	begun, stop := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		close(begun)
		for {
			select {
			case <-stop:
				return
			default:
				if m.take(0, limit) {
					t.Error("more than half of the limit is for one")
					return
				}
				refusals.Add(1)
			}
		}
	})
	<-begun
	refused := 0
	for refusals.Load() < n && refused == 0 {
		if m.take(0, 1) {
			m.give(1)
		} else {
			refused++
		}
	}
	close(stop)
	wg.Wait()
	if refused > 0 {
		t.Error("a small body was refused")
	}
}
