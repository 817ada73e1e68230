package weir_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestRunAfterAndClose: neither timers of a connection nor functions of Execute run once
// it is ending, though what was written has yet to be sent.
func TestRunAfterAndClose(t *testing.T) {
	const size = 16 << 20
	for _, onItsLoop := range []bool{true, false} {
		h := &handler{message: echo}
		p := startPair(t, h)
		dial(t, p.server)
		other := receive(t, p.begun)
		var ran atomic.Int64
		never := func() { t.Error("run after Close") }
		var timers []*weir.Timer
		onLoop(t, p.conn, func() bool {
			_, err := p.conn.Write(pattern(size)) // which the peer does not read yet
			fail(t, err)
			for range 3 {
				timers = append(timers, p.conn.RunAfter(soon, never))
			}
			fail(t, p.conn.Execute(func() { ran.Add(1) }))
			if onItsLoop {
				fail(t, p.conn.Close())
			}
			return true
		})
		if !onItsLoop {
			fail(t, p.conn.Close())
		}
		if err := p.conn.Execute(never); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Execute after Close: %v", err)
		}
		onLoop(t, other, func() bool {
			timers = append(timers, p.conn.RunAfter(0, never))
			for i, timer := range timers {
				if timer.Stop() {
					t.Errorf("Stop says that timer %d would have been run", i)
				}
			}
			return true
		})
		after(t, other, 2*soon)
		if n := ran.Load(); n != 1 {
			t.Errorf("%d functions have run that were posted before Close, want 1", n)
		}
		expect(t, p.peer, string(pattern(size)))
		expectEnd(t, p.peer)
		for receive(t, p.ended) != p.conn {
		}
	}
}

// TestManyTimersOfOneConnection: to stop a timer takes as long whether it is the oldest
// of many or the latest.
func TestManyTimersOfOneConnection(t *testing.T) {
	const n, rounds, bound = 20_000, 5, 10
	p := startPair(t, &handler{}, weir.Watchdog(0))
	took := func(order func([]*weir.Timer)) time.Duration {
		return onLoop(t, p.conn, func() time.Duration {
			timers := make([]*weir.Timer, n)
			for i := range timers {
				timers[i] = p.conn.RunAfter(time.Hour, func() {})
			}
			order(timers)
			begin := time.Now()
			for _, timer := range timers {
				if !timer.Stop() {
					t.Error("a timer is stopped for the second time")
				}
			}
			return time.Since(begin)
		})
	}
	var oldest, latest time.Duration
	for range rounds { // one in which the machine has time for both is enough
		oldest, latest = took(func([]*weir.Timer) {}), took(slices.Reverse)
		if oldest < bound*latest {
			return
		}
	}
	t.Errorf("%d timers were stopped in %v from the oldest on, in %v from the latest on", n, oldest, latest)
}
