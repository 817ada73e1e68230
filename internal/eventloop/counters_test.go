package eventloop_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

func TestDurations(t *testing.T) {
	bounds := eventloop.DurationBounds()
	if !slices.IsSorted(bounds) {
		t.Fatalf("bounds are not ascending: %v", bounds)
	}
	var h eventloop.Durations
	var sum time.Duration
	for i, b := range bounds {
		h.Observe(b)
		h.Observe(b + 1)
		sum += 2*b + 1
		want := uint64(2)
		if i == 0 {
			want = 1
		}
		if h.Counts[i] != want {
			t.Errorf("bucket up to %v has %d, want %d", b, h.Counts[i], want)
		}
	}
	h.Observe(-time.Second) // a clock that is not what it was counts as no time
	if h.Counts[0] != 2 || h.Counts[len(bounds)] != 1 || h.Sum != sum || h.N != uint64(2*len(bounds)+1) {
		t.Errorf("%+v", h)
	}
}

// TestBatches has polls find numbers of events around the bounds.
func TestBatches(t *testing.T) {
	sizes := []int{0, 1, 2, 4, 5, 16, 17, 64, 65, 256, 257, 1024}
	want := [...]uint64{1, 2, 2, 2, 2, 2}
	p := &fakePoller{}
	l := eventloop.New(0, p)
	p.wait = func(list []poller.Event, timeout time.Duration) (int, error) {
		n := sizes[0]
		if timeout == 0 {
			sizes = sizes[1:]
		}
		if len(sizes) == 0 {
			l.Stop()
		}
		clear(list[:n])
		return n, nil
	}
	l.Post(eventloop.Task{Target: eventloop.Func(func() {})}) // so that the empty poll is not followed by a wait
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	c := l.Counters()
	if c.Batches != want || c.Events != 1+2+4+5+16+17+64+65+256+257+1024 {
		t.Errorf("batches %v, want %v, of %d events", c.Batches, want, c.Events)
	}
	if bounds := eventloop.BatchBounds(); len(bounds) != len(want) || bounds[len(bounds)-1] != eventloop.BatchSize {
		t.Errorf("bounds are %v", bounds)
	}
}

// TestTime lets a loop work and sleep for known times.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePoller{}
		l := eventloop.New(0, p)
		steps := 0
		check := func(busy, waited time.Duration) {
			t.Helper()
			if b, w := l.Time(); b != busy || w != waited || b+w != l.Clock() {
				t.Errorf("busy %v, waited %v, want %v and %v", b, w, busy, waited)
			}
		}
		p.wait = func(_ []poller.Event, timeout time.Duration) (int, error) {
			if timeout == 0 {
				return 0, nil
			}
			time.Sleep(3 * time.Second)
			check(time.Duration(steps)*time.Second, time.Duration(5+3*steps+3)*time.Second)
			if !l.Asleep() {
				t.Error("it is not asleep in a poll that may block")
			}
			return 0, nil
		}
		l.SetHooks(eventloop.Hooks{AfterCycle: func() {
			if l.Asleep() {
				t.Error("it is asleep in AfterCycle")
			}
			if steps == 3 {
				return // that of the end
			}
			time.Sleep(time.Second)
			if steps++; steps == 3 {
				l.Stop()
			}
			check(time.Duration(steps)*time.Second, time.Duration(5+3*steps)*time.Second)
		}})
		time.Sleep(5 * time.Second) // before Run is not work
		if err := l.Run(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // nor is the time after it
		check(3*time.Second, 15*time.Second)
	})
}

func TestTaskWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q eventloop.Queue
		target := perform(func(*eventloop.Task) {})
		for range 10 * 64 {
			q.Push(eventloop.Task{Target: target})
		}
		time.Sleep(2 * time.Millisecond)
		for q.Len() > 0 {
			q.Run(50)
		}
		for range 64 {
			q.Push(eventloop.Task{Target: target})
		}
		time.Sleep(7 * time.Millisecond)
		q.Run(64)
		if w := q.Waits(); w.N != 2 || w.Sum != 9*time.Millisecond {
			t.Errorf("%d waits of %v in all, want one of 2 ms and one of 7 ms", w.N, w.Sum)
		}
	})
}

func TestTimerDelays(t *testing.T) {
	for _, late := range []time.Duration{0, eventloop.Tick / 2, time.Second} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			w := eventloop.NewWheel()
			e := newTimed(func() {})
			w.Arm(&e.Timer, 10*eventloop.Tick)
			w.Advance(10*eventloop.Tick - 1)
			w.Advance(10*eventloop.Tick + late)
			if d := w.Delays(); d.N != 1 || d.Sum != late {
				t.Errorf("%d delays of %v in all, want one of %v", d.N, d.Sum, late)
			}
		})
	}
}
