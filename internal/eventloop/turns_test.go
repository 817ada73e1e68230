package eventloop_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// TestBlockedLoopYieldsFirst: on one P, other goroutines get their turn before the loop
// blocks: what they post is then no wake-up.
func TestBlockedLoopYieldsFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := &fakePoller{}
	l := eventloop.New(0, p)
	const blocks = 200
	var ran atomic.Bool
	blocked, before := 0, 0
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if timeout == 0 {
			ran.Store(false)
			go ran.Store(true)
			return 0, nil
		}
		if ran.Load() {
			before++
		}
		if blocked++; blocked == blocks {
			l.Stop()
		}
		return 0, nil
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if before < blocks/2 { // now and then the scheduler prefers the loop
		t.Errorf("of %d times that the loop has blocked, a goroutine that was ready has run before in %d", blocks, before)
	}
}

// TestNoBusyPollOverTasks: a loop that has tasks asks for events no more often than one
// that never polls on.
func TestNoBusyPollOverTasks(t *testing.T) {
	const cycles = 100
	count := func(limit time.Duration) (polls int) {
		p := &fakePoller{}
		l := eventloop.New(0, p)
		p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
			if timeout != 0 {
				t.Error("the loop blocks over a task")
			}
			polls++
			return 0, nil
		}
		n := 0
		var task eventloop.Func
		task = func() {
			if n++; n == cycles {
				l.Stop()
				return
			}
			l.Post(eventloop.Task{Target: task})
		}
		l.SetBusyPoll(limit)
		l.SetCheapEvents(true)
		l.Post(eventloop.Task{Target: task})
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		return polls
	}
	if off, on := count(0), count(time.Hour); on > off {
		t.Errorf("%d polls in %d cycles with a task each, %d without busy polling", on, cycles, off)
	}
}

// TestFirstMarkedTaskIsMeasured: of the tasks of one batch it is the one marked first
// whose wait is measured, however many came after it.
func TestFirstMarkedTaskIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q eventloop.Queue
		target := perform(func(*eventloop.Task) {})
		for range 5 {
			for range 64 {
				q.Push(eventloop.Task{Target: target})
			}
			time.Sleep(time.Millisecond)
		}
		for q.Len() > 0 {
			q.Run(50)
		}
		if w := q.Waits(); w.N != 1 || w.Sum != 5*time.Millisecond {
			t.Errorf("%d waits of %v in all, want one of 5 ms", w.N, w.Sum)
		}
	})
}

// TestWheelNextIsExact: as soon as the wheel was advanced, it knows the time of a timer
// that is to fire soon, and doesn't have the loop wake up for nothing.
func TestWheelNextIsExact(t *testing.T) {
	w := eventloop.NewWheel()
	e := newTimed(func() {})
	w.Arm(&e.Timer, 3*tick)
	const begin = 1000 // ticks; 960 to 1023 is a turn of the lowest level
	w.Advance(begin * tick)
	for _, at := range []time.Duration{begin + 1, begin + 10, begin + 20} {
		w.Arm(&e.Timer, at*tick)
		if next, ok := w.Next(); !ok || next != at*tick {
			t.Errorf("a timer of tick %d is to be looked for at %v, want %v", at, next, at*tick)
		}
	}
}
