// Package eventloop runs one event loop: it polls descriptors for readiness and
// tells their owners, runs tasks that other goroutines post, and keeps the
// timers of what it serves.
//
// Everything that a loop calls runs on its one goroutine, one call after the
// other, so what the loop owns needs no lock. A method is for that goroutine
// ("loop only") unless its comment says "any goroutine".
package eventloop

import (
	"iter"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-weir/weir/poller"
)

// Socket is the owner of a registered descriptor.
type Socket interface {
	// OnReady runs on the loop whenever the descriptor is ready for what is
	// wanted of it, or has failed.
	OnReady(poller.Readiness)
}

const (
	batchSize = 1024
	// yieldEvery is how many polls that find work may pass before the loop
	// lets other goroutines run. On one P they would otherwise wait for ever.
	yieldEvery = 4
	// eventsPerSocket is how many events one poll may have for a descriptor:
	// kqueue has one for each direction.
	eventsPerSocket = 2
	// heldCycles is for how many cycles timers wait for tasks that were posted before
	// the time that they are judged by.
	heldCycles = 8
)

// Hooks are the functions by which a loop's owner takes part in its cycles. They run
// on the loop. Those that are nil do nothing.
type Hooks struct {
	// Settle runs after a cycle's events and tasks, and again after timers have fired.
	// If it says more, the loop polls and comes back to it without waiting.
	Settle func() (more bool)
	// AfterCycle runs at the end of every cycle.
	AfterCycle func()
	// Resume runs first when Run is called again because a callback has ended the
	// goroutine of the last call.
	Resume func()
	// End runs when the loop has run its last task.
	End func()
}

// EventLoop is one loop and what is registered with it.
type EventLoop struct {
	// set once
	index  int
	poll   poller.Poller
	origin time.Time
	hooks  Hooks

	// loop only
	events   []poller.Event
	at, end  int // events[at:end] are those of this cycle that have yet to be dispatched
	wheel    wheel
	now      time.Duration // the time of this cycle, 0 until somebody asks
	timers   judgement
	busy     busyPoll
	more     bool // Settle has left something for the next cycle
	cut      bool // a callback has ended the goroutine of Run
	stopping bool
	draining bool  // no cycle follows
	failure  error // what Run will return
	counters Counters

	// any goroutine
	share       share
	tasks       queue
	slots       slots
	watched     atomic.Bool // the loop has begun nothing since Stuck was called
	parked      atomic.Bool // the loop is in a wait that may block, or about to be
	connections atomic.Int64
}

// New makes a loop on p, which it owns from now on. The index becomes part of
// its handles and is less than MaxLoops. Run it once, or Close it.
func New(index int, p poller.Poller) *EventLoop {
	l := &EventLoop{
		index:  index,
		poll:   p,
		origin: time.Now(),
		events: make([]poller.Event, batchSize),
	}
	l.SetHooks(Hooks{})
	l.wheel.init()
	l.share.init()
	return l
}

// SetHooks makes h the loop's hooks. Before Run only.
func (l *EventLoop) SetHooks(h Hooks) {
	nothing := func() {}
	if h.Settle == nil {
		h.Settle = func() bool { return false }
	}
	for _, f := range []*func(){&h.AfterCycle, &h.Resume, &h.End} {
		if *f == nil {
			*f = nothing
		}
	}
	l.hooks = h
}

// Index is the loop's place among its server's loops. Any goroutine.
func (l *EventLoop) Index() int { return l.index }

// ConnectionCount is the number of connections that the loop has or was
// chosen for. Any goroutine.
func (l *EventLoop) ConnectionCount() int64 { return l.connections.Load() }

// Reserve counts a connection as the loop's from the moment the loop was
// chosen for it, so that the next choice knows. Release takes it back. Any
// goroutine.
func (l *EventLoop) Reserve() { l.connections.Add(1) }

// Release undoes one Reserve. Any goroutine.
func (l *EventLoop) Release() { l.connections.Add(-1) }

// Post queues t to run on the loop and reports whether it will: false means
// that the loop has stopped. Tasks of one goroutine run in the order in which
// it posted them. Any goroutine.
func (l *EventLoop) Post(t Task) bool {
	if !l.tasks.push(t) {
		return false
	}
	// The loop sets parked first and looks at the queue then; here it is the
	// other way round, so one of the two always sees the other.
	if l.parked.Load() && l.parked.CompareAndSwap(true, false) && l.poll.Wake() != nil {
		// Either the poller is closed: then the loop has ended, and what is
		// queued was run by its end. Or the next Post has to try again.
		l.parked.Store(true)
	}
	return true
}

// Add registers fd and its owner. ENOSPC means that the loop has no slot left;
// other errors are the poller's.
func (l *EventLoop) Add(fd int, s Socket, want poller.Interest) (Handle, error) {
	h, ok := l.slots.add(l.index, s)
	if !ok {
		return 0, syscall.ENOSPC
	}
	if err := l.poll.Add(fd, uint64(h), want); err != nil {
		l.slots.remove(h)
		return 0, err
	}
	return h, nil
}

// Watch starts to poll fd for h again after Unwatch.
func (l *EventLoop) Watch(fd int, h Handle, want poller.Interest) error {
	return l.poll.Add(fd, uint64(h), want)
}

// Modify changes what is wanted of fd.
func (l *EventLoop) Modify(fd int, h Handle, want poller.Interest) error {
	return l.poll.Modify(fd, uint64(h), want)
}

// Unwatch stops polling fd, which stays registered under its handle.
func (l *EventLoop) Unwatch(fd int) error { return l.poll.Remove(fd) }

// Remove ends the registration h. Its owner hears nothing from now on, not even
// of events that were already polled. fd must be Unwatched first.
func (l *EventLoop) Remove(h Handle) { l.slots.remove(h) }

// Lookup is the owner registered as h, or nil. Any goroutine.
func (l *EventLoop) Lookup(h Handle) Socket { return l.slots.lookup(h) }

// Sockets yields the owners of all registrations. Those that come or go
// meanwhile may be missed or still be seen. Any goroutine.
func (l *EventLoop) Sockets() iter.Seq[Socket] { return l.slots.all() }

// Now is the time since the loop was made, read once in a cycle: cheap, and up to a
// cycle old. In OnExpire it is the time by which timers are judged: what had come in
// by then has been dealt with.
func (l *EventLoop) Now() time.Duration {
	if l.now == 0 {
		l.now = l.Clock()
	}
	return l.now
}

// Clock is the time since the loop was made. Any goroutine.
func (l *EventLoop) Clock() time.Duration { return time.Since(l.origin) }

// Arm makes t fire at the given time since the loop was made, or a little
// later. If it was armed, the earlier time is forgotten.
func (l *EventLoop) Arm(t *Timer, at time.Duration) { l.wheel.arm(t, at) }

// ExpiresAt is the time, since the loop was made, for which t is armed.
func (l *EventLoop) ExpiresAt(t *Timer) time.Duration { return time.Duration(t.tick) << tickShift }

// Disarm keeps t from firing.
func (l *EventLoop) Disarm(t *Timer) { l.wheel.disarm(t) }

// Stop makes Run return at the end of this cycle, after every task that was
// posted before has run.
func (l *EventLoop) Stop() { l.stopping = true }

// Fail is Stop for a loop that can't go on: Run returns err, the first one if there
// are several.
func (l *EventLoop) Fail(err error) {
	l.stopping = true
	if l.failure == nil {
		l.failure = err
	}
}

// Run serves until Stop, or until the poller fails. Its goroutine is the loop.
//
// It returns once. Only if something that it calls has ended its goroutine
// (runtime.Goexit), a deferred function of that goroutine can see to it that it is
// called again, on another one: then it goes on with what is left of the cycle.
func (l *EventLoop) Run() error {
	returned := false
	l.share.wake(l.Clock())
	defer func() {
		l.cut = !returned
		l.share.sleep(l.Clock())
	}()
	if l.cut {
		l.resume()
	}
	for !l.stopping {
		l.now, l.at = 0, 0
		n, err := l.wait()
		l.end = n
		if err != nil {
			l.Fail(err)
			break
		}
		l.counters.countBatch(n)
		l.cycle()
	}
	l.drain()
	returned = true
	return l.failure
}

// resume ends the cycle that was cut short.
func (l *EventLoop) resume() {
	l.tasks.resume()
	l.hooks.Resume()
	if l.draining {
		return
	}
	l.now = l.timers.time
	l.wheel.fire()
	l.cycle()
}

// cycle is what a cycle does after its poll.
func (l *EventLoop) cycle() {
	for l.at < l.end {
		e := &l.events[l.at]
		l.at++
		if s := l.slots.get(Handle(e.Token)); s != nil {
			l.Progress()
			s.OnReady(e.Ready)
		}
	}
	l.tasks.run(tasksPerCycle)
	l.more = l.hooks.Settle()
	if l.expire() {
		l.more = l.hooks.Settle()
	}
	l.hooks.AfterCycle()
}

// Close releases the poller. After Run, or instead of it.
func (l *EventLoop) Close() error {
	l.tasks.close()
	return l.poll.Close()
}

// wait asks for events without waiting first: a loop under load finds some and
// never tells the scheduler. Only if there are none, other goroutines get
// their turn, and then the loop blocks.
func (l *EventLoop) wait() (int, error) {
	n, err := l.look()
	if n > 0 || err != nil || l.more || l.due() {
		if l.counters.Polls%yieldEvery == 0 {
			l.share.sleep(l.Clock())
			runtime.Gosched()
			l.share.wake(l.Clock())
		}
		return n, err
	}
	l.share.sleep(l.Clock()) // from here on the loop has nothing to do
	runtime.Gosched()
	l.now = 0
	if l.busy.worthwhile() && l.tasks.len() == 0 {
		l.share.wake(l.Clock())
		if n, err := l.pollOn(); n > 0 || err != nil {
			return n, err
		}
		l.share.sleep(l.Clock())
	}
	return l.block()
}

// block waits for events until the next timer, or without limit; not at all if there
// are tasks.
func (l *EventLoop) block() (int, error) {
	l.parked.Store(true)
	defer l.parked.Store(false)
	timeout := l.timeout()
	if timeout == 0 || l.tasks.len() > 0 {
		l.share.wake(l.Now())
		return l.look()
	}
	l.counters.Polls++
	l.counters.Waits++
	n, err := l.poll.Wait(l.events, timeout)
	l.share.wake(l.Now())
	return n, err // that no timer fires before the next look: see judgement
}

// look asks for events without waiting. The time is read before: whatever has come in
// by then is found, and timers may be judged by that time.
func (l *EventLoop) look() (int, error) {
	l.counters.Polls++
	if l.wheel.count > 0 {
		l.judgeBy(l.Now())
	}
	return l.poll.Wait(l.events, 0)
}

// timeout is how long the loop may block: until its next timer.
func (l *EventLoop) timeout() time.Duration {
	at, ok := l.wheel.next()
	if !ok {
		return -1
	}
	return max(at-l.Clock(), 0)
}

// drain runs what was posted before the queue closed, and ends the last cycle.
func (l *EventLoop) drain() {
	l.draining = true
	l.tasks.close()
	for l.tasks.len() > 0 {
		l.tasks.run(tasksPerCycle)
	}
	l.hooks.Settle()
	l.hooks.End()
	l.hooks.AfterCycle()
}
