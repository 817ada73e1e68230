package eventloop_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// runOn runs l, again and again on another goroutine, until Run returns, and says how
// often that was.
func runOn(l *eventloop.EventLoop) (runs int, err error) {
	for returned := false; !returned; runs++ {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			err = l.Run()
			returned = true
		}()
		<-ended
	}
	return runs, err
}

// TestGoexit: what ends the loop's goroutine does not end the loop. The rest of its
// cycle runs on another one: events, tasks and timers of that cycle, each once.
func TestGoexit(t *testing.T) {
	for _, kind := range []string{"event", "task", "timer", "settle", "after", "last task", "end"} {
		t.Run(kind, func(t *testing.T) {
			var order []string
			left := 1
			note := func(what string) {
				order = append(order, what)
				if what == kind && left > 0 {
					left--
					runtime.Goexit()
				}
			}
			p := &fakePoller{}
			l := eventloop.New(0, p)
			add(t, l, 3, socket(func(poller.Readiness) { note("event") }), poller.Read)
			for range 3 {
				l.Post(eventloop.Task{Target: eventloop.Func(func() { note("task") })})
			}
			timers := 0
			for range 3 {
				e := newTimed(func() {
					if timers++; timers == 3 {
						l.Stop()
						l.Post(eventloop.Task{Target: eventloop.Func(func() { note("last task") })})
					}
					note("timer")
				})
				l.Arm(&e.Timer, 0)
			}
			l.SetHooks(eventloop.Hooks{
				Settle:     func() bool { note("settle"); return false },
				AfterCycle: func() { note("after") },
				Resume:     func() { note("resume") },
				End:        func() { note("end") },
			})
			p.wait = func(events []poller.Event, _ time.Duration) (int, error) {
				for i := range events[:3] {
					events[i] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
				}
				return 3, nil
			}
			time.Sleep(2 * tick) // so that the timers are due
			runs, err := runOn(l)
			if err != nil || runs != 2 {
				t.Errorf("%d runs, want 2; %v", runs, err)
			}
			count := func(what string) (n int) {
				for _, got := range order {
					if got == what {
						n++
					}
				}
				return n
			}
			for what, want := range map[string]int{"event": 3, "task": 3, "timer": 3, "resume": 1, "last task": 1} {
				if n := count(what); n != want {
					t.Errorf("%d of %q, want %d", n, what, want)
				}
			}
			at := slices.Index(order, "resume")
			if at < 1 || order[at-1] != kind {
				t.Errorf("the loop goes on in %q", order)
			}
			if order[len(order)-1] != "after" || order[len(order)-2] != "end" {
				t.Errorf("the loop ends in %q", order)
			}
			if kind == "last task" || kind == "end" { // there is no cycle left to end
				if got := order[at+1:]; !slices.Equal(got, []string{"settle", "end", "after"}) {
					t.Errorf("the loop goes on with %q", got)
				}
			}
			if l.HoldsTasks() {
				t.Error("a task that has run is still referred to")
			}
			if n := l.Counters(); n.Tasks != 4 || n.Events != 3 || n.Pending != 0 || n.Timers != 0 {
				t.Errorf("counters %+v", n)
			}
		})
	}
}

// TestGoexitAlways: every callback ends its goroutine.
func TestGoexitAlways(t *testing.T) {
	p := &fakePoller{}
	l := eventloop.New(0, p)
	failure := errors.New("failure")
	n := 0
	exit := func() { n++; runtime.Goexit() }
	add(t, l, 3, socket(func(poller.Readiness) { exit() }), poller.Read)
	for range 10 {
		l.Post(eventloop.Task{Target: eventloop.Func(exit)})
		e := newTimed(exit)
		l.Arm(&e.Timer, 0)
	}
	time.Sleep(2 * tick) // so that the timers are due
	polls := 0
	p.wait = func(events []poller.Event, _ time.Duration) (int, error) {
		if polls++; polls > 10 {
			return 0, failure
		}
		events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
		return 1, nil
	}
	if runs, err := runOn(l); runs != 31 || n != 30 || !errors.Is(err, failure) {
		t.Errorf("%d runs, %d callbacks, %v; want 31, 30 and the poller's error", runs, n, err)
	}
}

// TestFail: a loop that fails ends with the first error, after its cycle.
func TestFail(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	l := eventloop.New(0, realPoller(t))
	ran := 0
	for _, err := range []error{first, second} {
		l.Post(eventloop.Task{Target: eventloop.Func(func() { ran++; l.Fail(err) })})
	}
	if err := l.Run(); !errors.Is(err, first) || ran != 2 {
		t.Errorf("%v after %d tasks", err, ran)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestStuck: a loop at work that begins nothing is stuck; one that goes on to something
// else, or sleeps, or gives way to others, is not.
func TestStuck(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	for range 2 {
		if l.Stuck() {
			t.Error("stuck before it runs")
		}
	}
	run(t, l)
	begun, release := make(chan struct{}), make(chan struct{})
	l.Post(eventloop.Task{Target: eventloop.Func(func() {
		for range 3 {
			l.Progress()
			begun <- struct{}{}
			<-release
		}
	})})
	for range 3 {
		receive(t, begun)
		if l.Stuck() {
			t.Error("stuck in a callback that has just begun")
		}
		for range 3 {
			if !l.Stuck() {
				t.Error("not stuck in one that goes on")
			}
		}
		release <- struct{}{}
	}
	for deadline := time.Now().Add(patience); l.Stuck(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("stuck while it sleeps")
		}
	}
	for range 2 {
		if l.Stuck() {
			t.Error("stuck while it sleeps")
		}
	}
}

// TestGoschedIsNoWork: a loop that gives way to other goroutines is not at work, however
// long they take.
func TestGoschedIsNoWork(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const others = 50 * time.Millisecond
	for _, idle := range []bool{false, true} { // it gives way after a poll, or before it blocks
		p := &fakePoller{}
		l := eventloop.New(0, p)
		add(t, l, 3, socket(func(poller.Readiness) {}), poller.Read)
		polls := 0
		p.wait = func(events []poller.Event, timeout time.Duration) (int, error) {
			if timeout != 0 {
				return 0, nil // at once: what is measured is not the poll
			}
			go func() {
				for begin := time.Now(); time.Since(begin) < others; { // keeps the one P
				}
			}()
			if polls++; polls == 8 {
				l.Stop()
			}
			if idle {
				return 0, nil
			}
			events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
			return 1, nil
		}
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if busy, waited := l.Time(); waited < others/10 || busy > waited/2 {
			t.Errorf("idle %v: %v at work, %v not", idle, busy, waited)
		}
	}
}
