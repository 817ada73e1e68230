package eventloop_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// TestTimersAfterAnEmptyPoll: a poll that ends late and without events, as when the
// process was stopped meanwhile, says nothing of the sockets. The loop looks once more
// before a timer may judge by what has come in, and judges by a time before that look.
func TestTimersAfterAnEmptyPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePoller{}
		l := eventloop.New(0, p)
		const limit = time.Second
		var heard time.Duration // when the socket was last heard
		fired := 0
		var e *timed
		e = newTimed(func() {
			fired++
			if now := l.Now(); now < heard+limit {
				l.Arm(&e.Timer, heard+limit) // as for an idle time
				return
			}
			t.Errorf("expired at %v, after input at %v", l.Now(), heard)
			l.Stop()
		})
		add(t, l, 3, socket(func(poller.Readiness) { heard = l.Clock() }), poller.Read)
		l.Arm(&e.Timer, limit)
		stops := 0
		var input bool // lies in the socket
		p.wait = func(events []poller.Event, timeout time.Duration) (int, error) {
			if timeout == 0 {
				time.Sleep(time.Microsecond)
				if !input {
					return 0, nil
				}
				input = false
				events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
				return 1, nil
			}
			if stops++; stops == 10 {
				l.Stop()
			}
			time.Sleep(3 * limit)
			input = true
			return 0, nil // EINTR
		}
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if fired == 0 {
			t.Error("the timer has never fired")
		}
	})
}

// TestTimersAfterALateCycle: what arrived while a callback kept the loop is dealt with
// before timers that came due meanwhile, though that poll comes after the callback.
func TestTimersAfterALateCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePoller{}
		l := eventloop.New(0, p)
		var order []string
		var polled time.Duration
		e := newTimed(func() {
			if l.Now() > polled {
				t.Errorf("judged by %v, after a poll at %v", l.Now(), polled)
			}
			order = append(order, "timer")
			l.Stop()
		})
		events := 0
		add(t, l, 3, socket(func(poller.Readiness) {
			order = append(order, "event")
			if events++; events == 1 {
				l.Arm(&e.Timer, l.Clock()+time.Second)
				time.Sleep(time.Minute) // the late one
			}
		}), poller.Read)
		p.wait = func(events []poller.Event, _ time.Duration) (int, error) {
			polled = l.Clock()
			time.Sleep(time.Millisecond)
			events[0] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
			return 1, nil
		}
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if want := []string{"event", "event", "timer"}; !slices.Equal(order, want) {
			t.Errorf("%q, want %q", order, want)
		}
	})
}

// TestTimersOverFullBatches: while polls fill the batch, timers wait until everybody
// has had a turn; but no longer.
func TestTimersOverFullBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3 // polls for a turn of all
		p := &fakePoller{}
		l := eventloop.New(0, p)
		events := 0
		for range n * eventloop.BatchSize / eventloop.EventsPerSocket {
			add(t, l, 3, socket(func(poller.Readiness) { events++ }), poller.Read)
		}
		polls, size := 0, eventloop.BatchSize
		var fired []int
		var e *timed
		e = newTimed(func() {
			fired = append(fired, polls)
			l.Arm(&e.Timer, 0)
		})
		l.Arm(&e.Timer, 0)
		p.wait = func(list []poller.Event, _ time.Duration) (int, error) {
			polls++
			switch polls {
			case 3*n + 1:
				size-- // everything was looked at
			case 3*n + 2:
				l.Stop()
			}
			for i := range list[:size] {
				list[i] = poller.Event{Token: p.tokens[3], Ready: poller.Readable}
			}
			time.Sleep(2 * tick)
			return size, nil
		}
		time.Sleep(2 * tick)
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if want := []int{n, 2 * n, 3 * n, 3*n + 1, 3*n + 2}; !slices.Equal(fired, want) {
			t.Errorf("fired at the polls %v, want %v", fired, want)
		}
		if want := polls*eventloop.BatchSize - 2; events != want {
			t.Errorf("%d events of %d", events, want)
		}
	})
}

// TestTimersAfterTasks: a timer does not fire over tasks that were posted before it
// came due, unless those take very many cycles.
func TestTimersAfterTasks(t *testing.T) {
	for _, tt := range []struct {
		name         string
		tasks, atEnd int
	}{
		{"some cycles", 5 * eventloop.TasksPerCycle, 5 * eventloop.TasksPerCycle},
		{"very many", 20 * eventloop.TasksPerCycle, (eventloop.HeldCycles + 1) * eventloop.TasksPerCycle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &fakePoller{wait: func([]poller.Event, time.Duration) (int, error) { return 0, nil }}
			l := eventloop.New(0, p)
			ran := 0
			e := newTimed(func() {
				if ran != tt.atEnd {
					t.Errorf("fired after %d tasks, want %d", ran, tt.atEnd)
				}
				l.Stop()
			})
			l.Arm(&e.Timer, 0)
			time.Sleep(2 * tick) // so that it is due
			for range tt.tasks {
				l.Post(eventloop.Task{Target: eventloop.Func(func() { ran++ })})
			}
			if err := l.Run(); err != nil {
				t.Fatal(err)
			}
			if ran != tt.tasks {
				t.Errorf("%d tasks of %d have run", ran, tt.tasks)
			}
		})
	}
}

// TestTimersAfterTasksOfTheNextBatch: tasks that were posted before the timer came due
// are not forgotten because those before them have just come to an end.
func TestTimersAfterTasksOfTheNextBatch(t *testing.T) {
	const first, second = eventloop.TasksPerCycle + 1, 50
	p := &fakePoller{wait: func([]poller.Event, time.Duration) (int, error) { return 0, nil }}
	l := eventloop.New(0, p)
	ran := 0
	e := newTimed(func() {
		if ran != first+second {
			t.Errorf("fired after %d tasks, want %d", ran, first+second)
		}
		l.Stop()
	})
	task := eventloop.Task{Target: eventloop.Func(func() {
		if ran++; ran > 1 {
			return
		}
		for range second {
			l.Post(eventloop.Task{Target: eventloop.Func(func() { ran++ })})
		}
		l.Arm(&e.Timer, l.Clock())
		time.Sleep(2 * tick) // so that it is due in the next cycle
	})}
	for range first {
		l.Post(task)
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
}

// TestTimerWakesUp: a timer of a loop that has nothing else to do costs the poll that
// waits for it, and one more.
func TestTimerWakesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePoller{}
		l := eventloop.New(0, p)
		var timeouts []time.Duration
		e := newTimed(l.Stop)
		l.Arm(&e.Timer, 10*tick)
		p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
			timeouts = append(timeouts, timeout)
			time.Sleep(timeout)
			return 0, nil
		}
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if want := []time.Duration{0, 10 * tick, 0}; !slices.Equal(timeouts, want) {
			t.Errorf("polls with the timeouts %v, want %v", timeouts, want)
		}
	})
}

// TestTasksOfAFlood: tasks that post others without end do not keep timers waiting.
func TestTasksOfAFlood(t *testing.T) {
	p := &fakePoller{wait: func([]poller.Event, time.Duration) (int, error) { return 0, nil }}
	l := eventloop.New(0, p)
	var again eventloop.Task
	again.Target = eventloop.Func(func() { l.Post(again) })
	for range 3 * eventloop.TasksPerCycle {
		l.Post(again)
	}
	e := newTimed(l.Stop)
	l.Arm(&e.Timer, 0)
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	if err := receive(t, ended); err != nil {
		t.Fatal(err)
	}
}

// TestMoreToSettle: a loop whose owner has more to settle polls and runs tasks before it
// comes back to that, and does not block.
func TestMoreToSettle(t *testing.T) {
	var order []string
	note := func(what string) { order = append(order, what) }
	p := &fakePoller{}
	l := eventloop.New(0, p)
	task := eventloop.Task{Target: eventloop.Func(func() { note("task") })}
	left := 3
	l.SetHooks(eventloop.Hooks{Settle: func() bool {
		note("settle")
		if left--; left > 0 {
			l.Post(task)
		}
		return left > 0
	}})
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if timeout == 0 {
			note("poll")
		} else {
			note("block")
			l.Stop()
		}
		return 0, nil
	}
	l.Post(task)
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"poll", "poll", "task", "settle", // twice, as nothing was there at first
		"poll", "task", "settle", "poll", "task", "settle",
		"poll", "block", "settle", "settle",
	}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}
