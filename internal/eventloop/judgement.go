package eventloop

import "time"

// judgement is the time by which a loop's timers are judged, which is not the time at
// which that is done. A timer may end a connection because nothing was heard of it; so
// whatever had come in by the time that it is judged by must have been dealt with. A
// loop may come back late, from a long callback or because the process was stopped,
// and then that lies in the sockets, and in the queue of tasks. The poll in which it was
// stopped says nothing of it: one that a signal interrupts looks at nothing, signal(7).
//
// So the time is read, then the loop polls, then it dispatches what it has found, and
// then timers fire that are due by that time. If the loop finds more than it deals with
// in one cycle, the time stays and timers wait until all of that has had its turn.
type judgement struct {
	time time.Duration
	held int // cycles that have not dealt with everything
	seen int // events since time was read, while polls have filled their batch
}

// judgeBy makes now the time that timers are judged by. No poll was made since.
func (l *EventLoop) judgeBy(now time.Duration) {
	if l.timers.held == 0 {
		l.timers.time = now
		l.timers.seen = 0
		l.tasks.fresh = false
	}
}

// due reports whether a timer waits for nothing but that.
func (l *EventLoop) due() bool {
	at, ok := l.wheel.next()
	return ok && at <= l.timers.time
}

// expire fires the timers that are due, and reports whether there were any.
func (l *EventLoop) expire() bool {
	if l.wheel.count == 0 {
		l.timers.held = 0
		return false
	}
	if !l.caughtUp() {
		l.timers.held++
		return false
	}
	l.timers.held = 0
	due, clock := l.due(), l.timers.time
	if due {
		clock = l.Clock()
		l.now = l.timers.time
	}
	l.wheel.advance(l.timers.time, clock)
	if due {
		l.now = 0
	}
	return due
}

// caughtUp reports whether everything that had come by the time that timers are judged
// by was dealt with: each descriptor had its turn, and each task, though timers don't
// wait for ever for tasks that are many and slow.
func (l *EventLoop) caughtUp() bool {
	if l.end == len(l.events) {
		// More may be ready. The poller reports the rest before it reports the same
		// again, so nobody is left out once there were as many events as there can be.
		if l.timers.seen += l.end; l.timers.seen < eventsPerSocket*l.slots.count {
			return false
		}
	}
	return l.tasks.caughtUp() || l.timers.held >= heldCycles
}
