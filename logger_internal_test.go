package weir

import (
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	l := throttle{burst: 3, every: time.Second}
	now := time.Unix(1e9, 0)
	for _, tt := range []struct {
		after   time.Duration
		dropped int
		ok      bool
	}{
		{0, 0, true},
		{0, 0, true},
		{0, 0, true},
		{0, 0, false},
		{999 * time.Millisecond, 0, false},
		{time.Millisecond, 2, true},
		{0, 0, false},
		{2500 * time.Millisecond, 1, true},
		{0, 0, true},
		{0, 0, false},
		{500 * time.Millisecond, 1, true},
		{time.Hour, 0, true},
		{0, 0, true},
		{0, 0, true},
		{0, 0, false},
	} {
		now = now.Add(tt.after)
		if dropped, ok := l.allow(now); dropped != tt.dropped || ok != tt.ok {
			t.Errorf("%v later: %v, %d left out; want %v, %d", tt.after, ok, dropped, tt.ok, tt.dropped)
		}
	}
}
