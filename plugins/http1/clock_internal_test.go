package http1

import (
	"testing"
	"time"
)

// TestBodyRate: a body may take longer if there is more of it, and one that comes at once
// gives no more time than d for the rest.
func TestBodyRate(t *testing.T) {
	const d, rate, step = 30 * time.Second, 10, 10 * time.Second
	for _, tt := range []struct {
		came int64         // in each step
		left time.Duration // after six of them
	}{
		{0, -30 * time.Second},
		{rate / 2 * 10, 0},
		{rate * 9, 24 * time.Second},
		{rate * 10, 30 * time.Second},
		{rate * 1000, 30 * time.Second},
	} {
		s := &conn{protocol: &Protocol{options: options{bodyTime: d, bodyRate: rate}}, x: new(exchange)}
		k := &s.clock
		k.deadline = k.now() + d
		left := d
		for range 6 {
			k.origin = k.origin.Add(-step) // so much later
			s.x.came = tt.came
			left = k.extend(s)
		}
		const tolerance = 5 * time.Second // for a busy machine
		if left > tt.left || left < tt.left-tolerance {
			t.Errorf("%d bytes every %v: %v is left, want %v", tt.came, step, left, tt.left)
		}
	}
}
