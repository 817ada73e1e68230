package weir_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// passes waits for n runs of another timer of s: time in which every timer that
// was due has had its turn.
func passes(t *testing.T, s *weir.Server, n int) {
	t.Helper()
	ticks := make(chan struct{})
	other := s.RunEvery(time.Millisecond, func() {
		select {
		case ticks <- struct{}{}:
		default:
		}
	})
	for range n {
		receive(t, ticks)
	}
	other.Stop()
}

// TestRunEveryOnTime: timers don't wait for loops that are busy, and none of their ticks
// comes before its time.
func TestRunEveryOnTime(t *testing.T) {
	const every, ticks, loops = 5 * time.Millisecond, 40, 2
	h := &handler{}
	begun, _ := observe(h)
	s := start(t, h, quiet(), weir.NumLoops(loops))
	for range loops {
		dial(t, s)
		release := occupy(t, receive(t, begun)) // RoundRobin: one on each
		defer release()
	}
	early := make(chan time.Duration, ticks)
	next := time.Now().Add(every)
	timer := s.RunEvery(every, func() {
		now := time.Now()
		select {
		case early <- next.Sub(now):
		default:
		}
		for next = next.Add(every); next.Before(now); next = next.Add(every) {
		}
	})
	for range ticks {
		if e := receive(t, early); e > 0 {
			t.Errorf("a tick is %v early", e)
		}
	}
	timer.Stop()
}

func TestRunAfter(t *testing.T) {
	s := start(t, &handler{})
	for _, d := range []time.Duration{-time.Second, 0, 5 * time.Millisecond} {
		began := time.Now()
		ran := make(chan time.Time, 2)
		timer := s.RunAfter(d, func() { ran <- time.Now() })
		if at := receive(t, ran); at.Sub(began) < d {
			t.Errorf("RunAfter(%v) ran after %v", d, at.Sub(began))
		}
		if timer.Stop() {
			t.Errorf("RunAfter(%v) would run again", d)
		}
		passes(t, s, 5)
		if len(ran) != 0 {
			t.Errorf("RunAfter(%v) has run again", d)
		}
	}
}

// TestTimerStop: whatever happens at the same time, Stop tells the truth about
// a RunAfter.
func TestTimerStop(t *testing.T) {
	s := start(t, &handler{})
	const count = 300
	var ran, kept [count]atomic.Int64
	var stopping sync.WaitGroup
	for i := range count {
		timer := s.RunAfter(time.Duration(i%4)*500*time.Microsecond, func() { ran[i].Add(1) })
		for range 2 {
			stopping.Go(func() {
				if i%2 == 0 {
					passes(t, s, 1)
				}
				if timer.Stop() {
					kept[i].Add(1)
				}
			})
		}
	}
	stopping.Wait()
	passes(t, s, 10)
	for i := range count {
		if ran[i].Load()+kept[i].Load() != 1 {
			t.Errorf("timer %d has run %d times, and %d Stops have kept it from that", i, ran[i].Load(), kept[i].Load())
		}
	}
}

// TestRunEveryStop: after Stop no run begins, from where ever it is called.
func TestRunEveryStop(t *testing.T) {
	s := start(t, &handler{})
	t.Run("outside", func(t *testing.T) {
		for range 20 {
			var runs atomic.Int64
			first := make(chan struct{})
			timer := s.RunEvery(time.Millisecond, func() {
				if runs.Add(1) == 3 {
					close(first)
				}
			})
			receive(t, first)
			if !timer.Stop() {
				t.Error("Stop says that it would not have run again")
			}
			passes(t, s, 2) // for one that has begun but not come far
			after := runs.Load()
			if timer.Stop() {
				t.Error("the second Stop says that it would have run again")
			}
			passes(t, s, 5)
			if runs.Load() != after {
				t.Errorf("has run %d times after Stop", runs.Load()-after)
			}
		}
	})
	t.Run("inside", func(t *testing.T) {
		var runs atomic.Int64
		var timer *weir.Timer
		ready := make(chan struct{})
		stopped := make(chan bool, 1)
		timer = s.RunEvery(time.Millisecond, func() {
			<-ready
			if runs.Add(1) == 3 {
				stopped <- timer.Stop()
			}
		})
		close(ready)
		if !receive(t, stopped) {
			t.Error("Stop says that it would not have run again")
		}
		passes(t, s, 10)
		if n := runs.Load(); n != 3 {
			t.Errorf("has run %d times, and was stopped in the third", n)
		}
	})
}

// TestRunEverySlow: runs that take longer than the period come one after the
// other. The times that pass meanwhile are not made up for.
func TestRunEverySlow(t *testing.T) {
	s := start(t, &handler{})
	const every, slow, more = 4 * time.Millisecond, 5, 6
	var running atomic.Bool
	runs := 0 // no lock: runs come one after the other, or the race detector says so
	released, after := make(chan time.Time, 1), make(chan time.Time, more)
	timer := s.RunEvery(every, func() {
		if !running.CompareAndSwap(false, true) {
			t.Error("two runs at the same time")
		}
		switch runs++; {
		case runs < slow:
			passes(t, s, 5)
		case runs == slow:
			passes(t, s, 40)
			released <- time.Now()
		case runs <= slow+more:
			after <- time.Now()
		}
		running.Store(false)
	})
	began := receive(t, released)
	var last time.Time
	for range more {
		last = receive(t, after)
	}
	timer.Stop()
	if took := last.Sub(began); took < (more-2)*every {
		t.Errorf("%d runs in %v after a slow one, with %v between them", more, took, every)
	}
}

// TestTimersOutsideOfServing: before Start they run, after Stop they don't, and
// a run that takes its time holds nobody up.
func TestTimersOutsideOfServing(t *testing.T) {
	s := newServer(t, &handler{})
	before := make(chan struct{})
	s.RunAfter(0, func() { close(before) })
	receive(t, before)

	entered, release, left := make(chan struct{}, 2), make(chan struct{}), make(chan struct{}, 2)
	slow := func() {
		entered <- struct{}{}
		<-release
		left <- struct{}{}
	}
	var late atomic.Int64
	ended := begin(s)
	every := s.RunEvery(time.Millisecond, slow)
	once := s.RunAfter(0, slow)
	pending := s.RunAfter(time.Hour, func() { late.Add(1) })
	receive(t, entered)
	receive(t, entered)
	if err := s.Stop(); err != nil { // while both are in it
		t.Error(err)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("Start returns %v", err)
	}
	for name, timer := range map[string]*weir.Timer{
		"RunEvery": every, "RunAfter": once, "RunAfter(1h)": pending,
		"RunAfter after Stop": s.RunAfter(0, func() { late.Add(1) }),
		"RunEvery after Stop": s.RunEvery(1, func() { late.Add(1) }),
	} {
		if timer.Stop() {
			t.Errorf("%s would have run after Stop", name)
		}
	}
	close(release)
	receive(t, left)
	receive(t, left)
	another := start(t, &handler{})
	passes(t, another, 10)
	if late.Load() != 0 || len(entered) != 0 {
		t.Errorf("%d runs after Stop", late.Load()+int64(len(entered)))
	}
}

// TestTimersStopBeforeStart: a server that never starts stops its timers too.
func TestTimersStopBeforeStart(t *testing.T) {
	s := newServer(t, &handler{})
	timer := s.RunEvery(time.Hour, func() {})
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if timer.Stop() {
		t.Error("it would have run after Stop")
	}
}

func TestRunEveryWithoutPeriod(t *testing.T) {
	s := start(t, &handler{})
	for _, d := range []time.Duration{0, -1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RunEvery(%v) does not panic", d)
				}
			}()
			s.RunEvery(d, func() {})
		}()
	}
}
