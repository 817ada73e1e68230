package http1

import (
	"sync"
	"testing"
)

// TestBodyMemoryRefused: a body that is refused is in nobody's way, not even for a moment.
func TestBodyMemoryRefused(t *testing.T) {
	const limit, n = 1 << 20, 200_000
	m := &bodyMemory{limit: limit}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if m.take(0, limit) {
					t.Error("more than half of the limit is for one")
					return
				}
			}
		}
	})
	refused := 0
	for range n {
		if m.take(0, 1) {
			m.give(1)
		} else {
			refused++
		}
	}
	close(stop)
	wg.Wait()
	if refused > 0 {
		t.Errorf("%d of %d small bodies were refused", refused, n)
	}
}
