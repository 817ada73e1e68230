package eventloop_test

import (
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// turn is what a loop did between two waits that could block.
type turn struct{ polls int }

// startTurns runs a loop whose waits find nothing, and reports each turn. What is
// sent on next ends the blocking wait and begins the next turn; found says in which
// poll of the turn there is an event.
func startTurns(t *testing.T, prepare func(*eventloop.EventLoop)) (turns <-chan turn, next chan<- int) {
	t.Helper()
	p := &fakePoller{}
	ended, begin, over := make(chan turn), make(chan int), make(chan struct{})
	found, polls := -1, 0
	p.wait = func(events []poller.Event, timeout time.Duration) (int, error) {
		if timeout == 0 {
			if polls++; polls == found {
				return 1, nil // of no socket
			}
			return 0, nil
		}
		select {
		case ended <- turn{polls}:
		case <-over:
			return 0, nil
		}
		polls = 0
		select {
		case found = <-begin:
		case <-over:
		}
		return 0, nil
	}
	l := eventloop.New(0, p)
	prepare(l)
	run(t, l)
	t.Cleanup(func() { close(over) }) // before run's: the loop must go on to end
	return ended, begin
}

// TestBusyPollOff: a loop asks once before it blocks, unless it was told to ask on,
// and that events bring little.
func TestBusyPollOff(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(*eventloop.EventLoop)
	}{
		{"by default", func(l *eventloop.EventLoop) { l.SetCheapEvents(true) }},
		{"not eager", func(l *eventloop.EventLoop) { l.SetBusyPoll(time.Millisecond) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			turns, next := startTurns(t, tt.prepare)
			for range 20 {
				if got := receive(t, turns); got.polls > 3 {
					t.Fatalf("%d polls before the loop blocked", got.polls)
				}
				next <- -1
			}
		})
	}
}

// TestBusyPollTimer: a timer is not kept waiting.
func TestBusyPollTimer(t *testing.T) {
	l := eventloop.New(0, realPoller(t))
	fired := make(chan struct{})
	e := newTimed(func() {
		l.SetBusyPoll(0) // so that the test can end it
		close(fired)
	})
	l.SetCheapEvents(true)
	l.SetBusyPoll(time.Hour)
	l.Arm(&e.Timer, l.Clock()+5*time.Millisecond)
	run(t, l)
	receive(t, fired)
}

// TestBusyPoll: a loop asks on, does so less and less often while that is in vain,
// and again each time once it was not.
func TestBusyPoll(t *testing.T) {
	turns, next := startTurns(t, func(l *eventloop.EventLoop) {
		l.SetCheapEvents(true)
		l.SetBusyPoll(100 * time.Microsecond)
	})
	count := func(n, found int) (busy int) {
		for range n {
			if receive(t, turns).polls > 1 {
				busy++
			}
			next <- found
		}
		return busy
	}
	if n := count(8, -1); n != 8 {
		t.Errorf("asked on %d times of the first 8", n)
	}
	if n := count(128, -1); n != 2 {
		t.Errorf("asked on %d times of 128, want 2: it was always in vain", n)
	}
	count(64, 2) // an event in a second poll, as soon as there is one
	if n := count(8, -1); n != 8 {
		t.Errorf("asked on %d times of 8 after it was not in vain", n)
	}
}

// TestBusyPollTask: a task that is posted meanwhile is not kept waiting.
func TestBusyPollTask(t *testing.T) {
	p := &fakePoller{}
	var l *eventloop.EventLoop
	ran, posted := make(chan struct{}), false
	polls := 0
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if polls++; polls == 5 && !posted {
			posted = true
			l.Post(eventloop.Task{Target: eventloop.Func(func() { close(ran) })})
		}
		if timeout != 0 {
			<-p.waking()
		}
		return 0, nil
	}
	l = eventloop.New(0, p)
	l.SetCheapEvents(true)
	l.SetBusyPoll(time.Hour)
	run(t, l)
	receive(t, ran)
	on(t, l, func() { l.SetBusyPoll(0) }) // so that the test can end it
}

// TestBusyPollTasks: to meet a task is not in vain: the one who posted it need not
// wake the loop.
func TestBusyPollTasks(t *testing.T) {
	p := &fakePoller{}
	var l *eventloop.EventLoop
	const tasks = 3 * 64
	done, met, asked := make(chan struct{}), 0, 0 // asked: in this cycle
	p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
		if asked++; asked == 3 && met < tasks {
			l.Post(eventloop.Task{Target: eventloop.Func(func() {
				if met++; met == tasks {
					l.SetBusyPoll(0) // so that the test can end it
					close(done)
				}
				asked = 0
			})})
		}
		if timeout != 0 {
			if met < tasks {
				t.Errorf("the loop blocks after %d tasks", met)
				met = tasks
				close(done)
			}
			<-p.waking()
		}
		return 0, nil
	}
	l = eventloop.New(0, p)
	l.SetCheapEvents(true)
	l.SetBusyPoll(time.Hour)
	run(t, l)
	receive(t, done)
}
