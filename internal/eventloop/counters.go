package eventloop

import (
	"math/bits"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Counters count what a loop has done since it was made, and what it has now.
type Counters struct {
	Polls   uint64 // calls that asked for events
	Waits   uint64 // those of them that could block
	Events  uint64 // events dispatched
	Tasks   uint64 // tasks run
	Batches [len(batchBounds)]uint64
	Pending int // tasks posted and not yet run
	Timers  int // timers armed
}

// batchBounds are the upper bounds of Counters.Batches: how many of the polls
// that found events found up to that many, and more than the bound before.
var batchBounds = [...]int{1, 4, 16, 64, 256, batchSize}

// BatchBounds are the upper bounds of Counters.Batches, in events.
func BatchBounds() []int { return batchBounds[:] }

// countBatch counts a poll that has found n events.
func (c *Counters) countBatch(n int) {
	if n > 0 {
		c.Events += uint64(n)
		c.Batches[(bits.Len(uint(n-1))+1)/2]++ // each bound is four times the one before
	}
}

// Counters are the counts up to this cycle.
func (l *EventLoop) Counters() Counters {
	l.counters.Tasks = l.tasks.ran
	l.counters.Pending = l.tasks.len()
	l.counters.Timers = l.wheel.count
	return l.counters
}

// TaskWaits is how long tasks have waited from Post until their turn, of one in
// 64.
func (l *EventLoop) TaskWaits() *Durations { return &l.tasks.waits }

// TimerDelays is how long after their time timers were called, of all.
func (l *EventLoop) TimerDelays() *Durations { return &l.wheel.delays }

// Durations counts durations in buckets.
type Durations struct {
	N      uint64 // how many there were
	Sum    time.Duration
	Counts [len(durationBounds) + 1]uint64 // the last one: above all bounds
}

var durationBounds = [...]time.Duration{
	1 * time.Microsecond, 2500 * time.Nanosecond, 5 * time.Microsecond,
	10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// DurationBounds are the upper bounds, inclusive, of the buckets of Durations.
func DurationBounds() []time.Duration { return durationBounds[:] }

// Observe counts d.
func (h *Durations) Observe(d time.Duration) {
	d = max(d, 0)
	h.N++
	h.Sum += d
	h.Counts[sort.Search(len(durationBounds), func(i int) bool { return d <= durationBounds[i] })]++
}

// share divides the time since the loop was made into work and sleep, in one
// word: while the loop works, how long it has slept so far; while it sleeps, -1
// less how long it has worked. The clock and either give the other, so there is
// no moment at which they don't add up.
type share struct {
	word atomic.Int64 // any goroutine

	// guarded by mu
	mu           sync.Mutex
	busy, waited time.Duration // the last that Time has told
}

// init begins asleep: the time until Run is not work.
func (s *share) init() { s.word.Store(-1) }

// sleep ends a time of work. Loop only.
func (s *share) sleep(now time.Duration) {
	slept := s.word.Load()
	s.word.Store(-1 - (int64(now) - slept))
}

// wake ends a time of sleep. Loop only.
func (s *share) wake(now time.Duration) {
	worked := -1 - s.word.Load()
	s.word.Store(int64(now) - worked)
}

// Time is how long the loop has worked since it was made, and how long it was
// asleep in polls, giving way to other goroutines, waiting to be run, or after its
// end. Together they are its
// Clock. Any goroutine.
func (l *EventLoop) Time() (busy, waited time.Duration) {
	l.share.mu.Lock()
	defer l.share.mu.Unlock()
	for {
		word := l.share.word.Load()
		now := l.Clock()
		if word == l.share.word.Load() {
			return l.share.tell(word, now)
		} // else it woke or fell asleep between the two
	}
}

// tell says what the word means at now. The loop may be about to change it, by a time
// that it has read before: what was told already is not taken back. With mu held.
func (s *share) tell(word int64, now time.Duration) (busy, waited time.Duration) {
	if word < 0 {
		busy = time.Duration(-1 - word)
	} else {
		busy = now - time.Duration(word)
	}
	busy = min(max(busy, s.busy), now-s.waited)
	s.busy, s.waited = busy, now-busy
	return s.busy, s.waited
}

// Asleep reports whether the loop waits for something to do, or doesn't run.
// Any goroutine.
func (l *EventLoop) Asleep() bool { return l.share.word.Load() < 0 }

// Progress notes that the loop begins something else. Its owner calls it before each
// callback; the loop itself does before each event. Unless somebody has
// called Stuck since, it is a load.
func (l *EventLoop) Progress() {
	if l.watched.Load() {
		l.watched.Store(false)
	}
}

// Stuck reports whether the loop has begun nothing since the last call, though it is at
// work. For one goroutine, any.
func (l *EventLoop) Stuck() bool { return l.watched.Swap(true) && !l.Asleep() }
