package eventloop_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// BenchmarkPost is one task from another goroutine to the loop, which is awake
// most of the time.
func BenchmarkPost(b *testing.B) {
	l := eventloop.New(0, realPoller(b))
	run(b, l)
	target := perform(func(*eventloop.Task) {})
	b.ReportAllocs()
	for b.Loop() {
		l.Post(eventloop.Task{Target: target})
	}
	on(b, l, func() {})
}

// BenchmarkPostWake is one task to a loop that sleeps, and waiting for it.
func BenchmarkPostWake(b *testing.B) {
	l := eventloop.New(0, realPoller(b))
	run(b, l)
	done := make(chan struct{})
	target := perform(func(*eventloop.Task) { done <- struct{}{} })
	b.ReportAllocs()
	for b.Loop() {
		l.Post(eventloop.Task{Target: target})
		<-done
	}
}

// BenchmarkQueue is the cost of a task without the loop: push, take, run.
func BenchmarkQueue(b *testing.B) {
	var q eventloop.Queue
	target := perform(func(*eventloop.Task) {})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		q.Push(eventloop.Task{Target: target})
		if n++; n%64 == 0 {
			q.Run(eventloop.TasksPerCycle)
		}
	}
}

// armed is a wheel with n timers, up to a minute ahead.
func armed(n int, expire func(e *timed)) (*eventloop.Wheel, []*timed) {
	rnd := rand.New(rand.NewPCG(1, 1))
	w := eventloop.NewWheel()
	timers := make([]*timed, n)
	for i := range timers {
		var e *timed
		e = newTimed(func() { expire(e) })
		w.Arm(&e.Timer, time.Duration(rnd.Int64N(int64(time.Minute))))
		timers[i] = e
	}
	return w, timers
}

// BenchmarkWheelArm moves a timer that is armed already.
func BenchmarkWheelArm(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, timers := armed(n, func(*timed) {})
			b.ReportAllocs()
			i, at := 0, time.Duration(0)
			for b.Loop() {
				w.Arm(&timers[i].Timer, at)
				if i++; i == n {
					i = 0
				}
				at = (at + 37*time.Millisecond) % time.Minute
			}
		})
	}
}

// BenchmarkWheelAdvance is a loop's poll with nothing due, and with timers that
// fire and are armed again: 100,000 of them, each once a minute.
func BenchmarkWheelAdvance(b *testing.B) {
	for _, step := range []time.Duration{time.Microsecond, 10 * time.Millisecond} {
		b.Run(step.String(), func(b *testing.B) {
			var w *eventloop.Wheel
			var now time.Duration
			fired := 0
			w, _ = armed(100_000, func(e *timed) {
				fired++
				w.Arm(&e.Timer, now+time.Minute)
			})
			b.ReportAllocs()
			for b.Loop() {
				now += step
				w.Advance(now)
			}
			b.ReportMetric(float64(fired)/float64(b.N), "fired/op")
		})
	}
}

// BenchmarkDispatch is a cycle that finds 64 events, without the poll.
func BenchmarkDispatch(b *testing.B) {
	const events = 64
	p := &fakePoller{}
	l := eventloop.New(0, p)
	for fd := range 1000 {
		if _, err := l.Add(fd, &inert{}, poller.Read); err != nil {
			b.Fatal(err)
		}
	}
	p.wait = func(list []poller.Event, _ time.Duration) (int, error) {
		if !b.Loop() {
			l.Stop()
		}
		for i := range list[:events] {
			list[i] = poller.Event{Token: p.tokens[i*7], Ready: poller.Readable}
		}
		return events, nil
	}
	b.ReportAllocs()
	if err := l.Run(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSlots is the life of a registration in a table of 10,000.
func BenchmarkSlots(b *testing.B) {
	var s eventloop.Slots
	socket := &inert{}
	for range 10_000 {
		s.Add(socket)
	}
	b.ReportAllocs()
	for b.Loop() {
		h, _ := s.Add(socket)
		if s.Get(h) == nil {
			b.Fatal("lost")
		}
		s.Remove(h)
	}
}
