package eventloop

import "time"

// busyPoll is how a loop that has nothing to do asks again for a while before it
// blocks. A processor that goes idle needs some microseconds to come back, and a
// peer on the same machine pays for waking it, with every message. Loop only.
type busyPoll struct {
	limit  time.Duration // 0: never
	cheap  bool          // events bring little work: see SetCheapEvents
	misses int           // times in a row that it brought nothing
	turns  int           // times that it could have been done
}

const (
	// busyMisses is how often in a row polling may find nothing until it is done at
	// every busyRetry-th occasion only: where nothing comes that soon, it would
	// cost a processor and bring nothing.
	busyMisses, busyRetry = 8, 64
)

// worthwhile reports whether to poll this time.
func (b *busyPoll) worthwhile() bool {
	if b.limit == 0 || !b.cheap {
		return false
	}
	b.turns++
	return b.misses < busyMisses || b.turns%busyRetry == 0
}

// SetBusyPoll has the loop ask for events for that long before it blocks. Before
// Run only.
func (l *EventLoop) SetBusyPoll(d time.Duration) { l.busy.limit = d }

// SetCheapEvents enables busy polling while events are cheap, so that the wake-up
// dominates. It is off at first.
func (l *EventLoop) SetCheapEvents(on bool) { l.busy.cheap = on }

// pollOn asks for events until there are some, or a task, or a timer is due, or
// its time is up.
func (l *EventLoop) pollOn() (int, error) {
	until := l.Clock() + l.busy.limit
	if at, ok := l.wheel.next(); ok {
		until = min(until, at)
	}
	for l.Clock() < until {
		l.Progress()
		l.counters.Polls++
		if n, err := l.poll.Wait(l.events, 0); n > 0 || err != nil || l.tasks.len() > 0 {
			l.busy.misses = 0 // whoever has posted a task need not wake the loop
			return n, err
		}
	}
	l.busy.misses++
	return 0, nil
}
