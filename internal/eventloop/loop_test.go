package eventloop_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// TestCycle: events first, then tasks, and what these have to settle; then timers that
// were due before the poll, and what these have to settle; and the end of the cycle.
func TestCycle(t *testing.T) {
	var order []string
	note := func(what string) { order = append(order, what) }
	p := &fakePoller{}
	l := eventloop.New(0, p)
	e := newTimed(func() { note("timer"); l.Stop() })
	if _, err := l.Add(3, socket(func(r poller.Readiness) {
		note(fmt.Sprint("event ", r))
		l.Post(eventloop.Task{Target: eventloop.Func(func() { note("task") })})
	}), poller.Read); err != nil {
		t.Fatal(err)
	}
	l.Arm(&e.Timer, 0)
	time.Sleep(tick) // so that it is due
	l.SetHooks(eventloop.Hooks{
		Settle:     func() bool { note("settle"); return false },
		AfterCycle: func() { note("after") },
		Resume:     func() { note("resume") },
		End:        func() { note("end") },
	})
	p.wait = func(events []poller.Event, timeout time.Duration) (int, error) {
		note("poll")
		if timeout != 0 {
			t.Errorf("the loop blocks for %v", timeout)
		}
		events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable | poller.Hangup}
		return 1, nil
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	want := []string{"poll", "event 5", "task", "settle", "timer", "settle", "after", "settle", "end", "after"}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	if n := l.Counters(); n.Polls != 1 || n.Waits != 0 || n.Events != 1 || n.Tasks != 1 || n.Pending != 0 {
		t.Errorf("counters %+v", n)
	}
}

// TestWakesCoalesce: however much is posted, a loop that is busy is not woken,
// and one that waits is woken once.
func TestWakesCoalesce(t *testing.T) {
	p := &fakePoller{}
	parked, release, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if timeout == 0 {
			return 0, nil
		}
		select {
		case parked <- struct{}{}:
		case <-over:
		}
		<-p.waking()
		select {
		case <-release: // everything is posted before the loop gets to look
		case <-over:
		}
		return 0, nil
	}
	l := eventloop.New(0, p)
	run(t, l)
	defer close(over)
	for range 3 {
		receive(t, parked)
		before := p.wakeCount()
		var ran atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					l.Post(eventloop.Task{Target: eventloop.Func(func() { ran.Add(1) })})
				}
			})
		}
		wg.Wait()
		if n := p.wakeCount() - before; n != 1 {
			t.Errorf("%d wake-ups of a loop that waits, want 1", n)
		}
		busy, idle := make(chan struct{}), make(chan struct{})
		l.Post(eventloop.Task{Target: eventloop.Func(func() { close(busy); <-idle })})
		release <- struct{}{}
		receive(t, busy)
		for range 100 {
			l.Post(eventloop.Task{Target: eventloop.Func(func() { ran.Add(1) })})
		}
		if n := p.wakeCount() - before; n != 1 {
			t.Errorf("%d wake-ups of a loop that is busy, want none", n-1)
		}
		l.Post(eventloop.Task{Target: eventloop.Func(func() {
			if ran.Load() != 500 {
				t.Errorf("%d tasks of 500 have run", ran.Load())
			}
		})})
		close(idle)
	}
}

// TestWakeFails: a wake-up that could not be made is made by the next Post.
func TestWakeFails(t *testing.T) {
	p := &fakePoller{fail: syscall.EIO}
	parked := make(chan struct{}, 100)
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if timeout != 0 {
			parked <- struct{}{}
			<-p.waking()
		}
		return 0, nil
	}
	l := eventloop.New(0, p)
	run(t, l)
	receive(t, parked)
	ran := make(chan int, 2)
	for i := range 2 {
		if !l.Post(eventloop.Task{Target: eventloop.Func(func() { ran <- i })}) {
			t.Fatal("refused")
		}
	}
	for i := range 2 {
		if got := receive(t, ran); got != i {
			t.Errorf("task %d ran in place of task %d", got, i)
		}
	}
}

// TestNoLostWakeUp: a task never waits for the next event, however its Post
// and the loop's falling asleep interleave.
func TestNoLostWakeUp(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	run(t, l)
	rounds := 5000
	if testing.Short() {
		rounds = 500
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			done := make(chan struct{}, 1)
			task := eventloop.Task{Target: eventloop.Func(func() { done <- struct{}{} })}
			for i := range rounds {
				if !l.Post(task) {
					t.Error("refused")
					return
				}
				select {
				case <-done:
				case <-time.After(patience):
					t.Error("a task was posted and did not run")
					return
				}
				for range i % 7 {
					runtime.Gosched() // let the loop get a bit further into its wait
				}
			}
		})
	}
	wg.Wait()
}

// TestPostAfterStop: what was posted before the end runs, also by tasks that
// run at the end; what comes later is refused.
func TestPostAfterStop(t *testing.T) {
	for range 50 {
		l := eventloop.New(0, realPoller(t))
		var accepted, ran atomic.Int64
		ended := make(chan error, 1)
		go func() { ended <- l.Run() }()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for l.Post(eventloop.Task{Target: eventloop.Func(func() { ran.Add(1) })}) {
					runtime.Gosched() // the loop may have no other P
					if accepted.Add(1) == 200 {
						accepted.Add(1)
						l.Post(eventloop.Task{Target: eventloop.Func(func() { ran.Add(1); l.Stop() })})
					}
				}
			})
		}
		if err := receive(t, ended); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if ran.Load() != accepted.Load() {
			t.Fatalf("%d tasks ran, %d were accepted", ran.Load(), accepted.Load())
		}
		if l.Post(eventloop.Task{Target: eventloop.Func(func() {})}) {
			t.Fatal("a loop that has ended takes a task")
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCloseInstead: a loop that is never run takes no task after Close.
func TestCloseInstead(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(0, p)
	if err := l.Close(); err != nil || !p.closed {
		t.Fatalf("Close: %v, poller closed: %v", err, p.closed)
	}
	if l.Post(eventloop.Task{Target: eventloop.Func(func() {})}) {
		t.Error("a closed loop takes a task")
	}
}

// TestPollerError: the error of either wait ends Run, after what was posted
// has run.
func TestPollerError(t *testing.T) {
	failure := errors.New("failure")
	for _, blocking := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocking=%v", blocking), func(t *testing.T) {
			p := &fakePoller{}
			l := eventloop.New(0, p)
			var order []string
			l.SetHooks(eventloop.Hooks{AfterCycle: func() { order = append(order, "after") }})
			p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
				if blocking && timeout == 0 {
					return 0, nil
				}
				l.Post(eventloop.Task{Target: eventloop.Func(func() {
					order = append(order, "task")
					l.Post(eventloop.Task{Target: eventloop.Func(func() { order = append(order, "never") })})
				})})
				return 0, failure
			}
			if err := l.Run(); err != failure { //nolint:errorlint // it is that one and not around it
				t.Errorf("Run returns %v", err)
			}
			if !slices.Equal(order, []string{"task", "after"}) {
				t.Errorf("%q", order)
			}
		})
	}
}

// TestStaleEvent: an event that was polled for a registration that has ended
// reaches neither it nor the one that has its slot and its descriptor now.
func TestStaleEvent(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(0, p)
	var second eventloop.Handle
	stale := socket(func(poller.Readiness) { t.Error("a stale event was dispatched") })
	heard := 0
	first := socket(func(poller.Readiness) {
		heard++
		if heard > 1 {
			return
		}
		if err := l.Unwatch(4); err != nil {
			t.Error(err)
		}
		l.Remove(second)
		h, err := l.Add(4, stale, poller.Read)
		if err != nil || h.Slot() != second.Slot() || h == second {
			t.Errorf("the slot %d is not taken over: %x, %v", second.Slot(), h, err)
		}
	})
	add(t, l, 3, first, poller.Read)
	second, _ = l.Add(4, stale, poller.Read)
	polls := 0
	p.wait = func(events []poller.Event, _ time.Duration) (int, error) {
		if polls++; polls > 1 {
			l.Stop()
			events[0] = poller.Event{Token: uint64(second), Ready: poller.Readable} // a poller that forgets nothing
			events[1] = poller.Event{Token: 1<<63 | 77<<32, Ready: poller.Readable} // or invents
			return 2, nil
		}
		for i, h := range []uint64{p.tokens[3], p.tokens[4], p.tokens[3]} {
			events[i] = poller.Event{Token: h, Ready: poller.Readable}
		}
		return 3, nil
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if heard != 2 {
		t.Errorf("%d events of 2 were dispatched", heard)
	}
}

// TestTasksDoNotStarveSockets: a flood of tasks lets the loop poll every so
// often.
func TestTasksDoNotStarveSockets(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(0, p)
	ran := 0
	var at []int // tasks run before each event
	add(t, l, 3, socket(func(poller.Readiness) { at = append(at, ran) }), poller.Read)
	p.wait = func(events []poller.Event, timeout time.Duration) (int, error) {
		if timeout != 0 {
			t.Errorf("the loop blocks for %v over %d tasks", timeout, l.Counters().Pending)
		}
		if ran == 3*eventloop.TasksPerCycle {
			l.Stop()
		}
		events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
		return 1, nil
	}
	for range 3 * eventloop.TasksPerCycle {
		l.Post(eventloop.Task{Target: eventloop.Func(func() { ran++ })})
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	const n = eventloop.TasksPerCycle
	if want := []int{0, n, 2 * n, 3 * n}; !slices.Equal(at, want) {
		t.Errorf("events after %v tasks, want %v", at, want)
	}
}

// TestBusyLoopYields: on one P, a loop that finds work at every poll lets other
// goroutines run.
func TestBusyLoopYields(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const polls = 4000
	p := &fakePoller{}
	l := eventloop.New(0, p)
	add(t, l, 3, socket(func(poller.Readiness) {}), poller.Read)
	n := 0
	p.wait = func(events []poller.Event, _ time.Duration) (int, error) {
		if n++; n == polls {
			l.Stop()
		}
		events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
		return 1, nil
	}
	ended := make(chan error, 1)
	turns := 0
	go func() { ended <- l.Run() }()
	for len(ended) == 0 {
		turns++
		runtime.Gosched()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if turns < polls/8 {
		t.Errorf("another goroutine had %d turns in %d polls", turns, polls)
	}
}

// TestBlocksUntilTimer: a loop with nothing to do waits for its next timer, and
// without one for ever, instead of spinning.
func TestBlocksUntilTimer(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(0, p)
	var timeouts []time.Duration
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if timeout != 0 {
			timeouts = append(timeouts, timeout)
			switch len(timeouts) {
			case 1:
				e := newTimed(func() {})
				l.Arm(&e.Timer, l.Clock()+10*tick)
			case 2:
				l.Stop()
			}
		}
		return 0, nil
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if timeouts[0] >= 0 || timeouts[1] <= 0 || timeouts[1] > 11*tick {
		t.Errorf("timeouts %v, want none and about %v", timeouts, 10*tick)
	}
	if n := l.Counters(); n.Waits != 2 || n.Polls != 4 {
		t.Errorf("counters %+v, want 2 waits and 4 polls", n)
	}
}

// TestTimer: a timer of a loop that does nothing else fires, not early, and the
// loop does not spin until then.
func TestTimer(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	run(t, l)
	fired := make(chan time.Duration)
	e := newTimed(func() { fired <- l.Now() })
	const d = 50 * time.Millisecond
	var at time.Duration
	on(t, l, func() {
		at = l.Clock() + d
		l.Arm(&e.Timer, at)
		if l.ExpiresAt(&e.Timer) < at || l.ExpiresAt(&e.Timer) >= at+tick {
			t.Errorf("armed for %v, expires at %v", at, l.ExpiresAt(&e.Timer))
		}
	})
	if got := receive(t, fired); got < at {
		t.Errorf("a timer for %v fired at %v", at, got)
	}
	on(t, l, func() {
		if n := l.Counters().Polls; n > 30 {
			t.Errorf("%d polls for one timer", n)
		}
		l.Arm(&e.Timer, l.Clock()+time.Hour)
		l.Disarm(&e.Timer)
		l.Disarm(&e.Timer)
		if e.Armed() {
			t.Error("armed after Disarm")
		}
	})
}

// TestNow: one time for a cycle, and never an earlier one.
func TestNow(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	run(t, l)
	var last time.Duration
	for range 3 {
		on(t, l, func() {
			now := l.Now()
			if now <= last {
				t.Errorf("the time went from %v to %v", last, now)
			}
			time.Sleep(time.Millisecond)
			if l.Now() != now {
				t.Error("the time moves within a cycle")
			}
			if l.Clock() < now+time.Millisecond {
				t.Error("the clock does not move")
			}
			last = now
		})
	}
}

// TestRegistration: a registration that the poller refuses leaves nothing
// behind, and one that ends is forgotten.
func TestRegistration(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(5, p)
	if l.Index() != 5 {
		t.Errorf("Index is %d", l.Index())
	}
	p.add = func(int) error { return syscall.ENOMEM }
	if h, err := l.Add(3, &inert{}, poller.Read); h != 0 || !errors.Is(err, syscall.ENOMEM) {
		t.Fatalf("Add: %x, %v", h, err)
	}
	for range l.Sockets() {
		t.Fatal("a refused registration is there")
	}
	p.add = nil
	s := &inert{}
	h, err := l.Add(3, s, poller.Read)
	if err != nil || h.Loop() != 5 || p.tokens[3] != uint64(h) || l.Lookup(h) != s {
		t.Fatalf("Add: %x, %v", h, err)
	}
	if err := l.Modify(3, h, poller.Write); err != nil || p.want[3] != poller.Write || p.tokens[3] != uint64(h) {
		t.Errorf("Modify: %v, now %v", err, p.want)
	}
	if err := l.Unwatch(3); err != nil || len(p.tokens) != 0 || l.Lookup(h) != s {
		t.Errorf("Unwatch: %v", err)
	}
	if err := l.Watch(3, h, poller.Read); err != nil || p.tokens[3] != uint64(h) {
		t.Errorf("Watch: %v", err)
	}
	if err := l.Unwatch(3); err != nil {
		t.Error(err)
	}
	l.Remove(h)
	if l.Lookup(h) != nil {
		t.Error("the registration is there after Remove")
	}
}

// TestLoopInHandle: the index of a loop is in its handles, up to the last.
func TestLoopInHandle(t *testing.T) {
	for _, index := range []int{0, 1, 511, eventloop.MaxLoops - 1} {
		l := eventloop.New(index, &fakePoller{})
		for range 2 {
			if h, err := l.Add(3, &inert{}, poller.Read); err != nil || h.Loop() != index || h == 0 {
				t.Errorf("loop %d makes the handle %x of loop %d, %v", index, h, h.Loop(), err)
			}
		}
	}
}

func TestConnectionCount(t *testing.T) {
	l := eventloop.New(0, &fakePoller{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				l.Reserve()
				l.Reserve()
				l.Release()
			}
		})
	}
	wg.Wait()
	if n := l.ConnectionCount(); n != 400 {
		t.Errorf("%d connections, want 400", n)
	}
}

// TestPostAllocatesNothing: neither Post nor the loop's running of it.
func TestPostAllocatesNothing(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	run(t, l)
	done := make(chan struct{}, 1)
	target := perform(func(*eventloop.Task) { done <- struct{}{} })
	idle := perform(func(*eventloop.Task) {})
	if n := testing.AllocsPerRun(200, func() {
		for i := range 20 {
			l.Post(eventloop.Task{Target: idle, Op: i})
		}
		l.Post(eventloop.Task{Target: target})
		<-done
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// add registers a socket that has to be accepted.
func add(t *testing.T, l *eventloop.EventLoop, fd int, s eventloop.Socket, want poller.Interest) {
	t.Helper()
	if _, err := l.Add(fd, s, want); err != nil {
		t.Fatal(err)
	}
}
