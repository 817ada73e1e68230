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
	// fullBatches is how many polls in a row may find more than a batch holds
	// before timers are looked at all the same. Until then a timer does not
	// fire over data that has arrived and waits for its turn.
	fullBatches = 8
)

// EventLoop is one loop and what is registered with it.
type EventLoop struct {
	// set once
	index  int
	poll   poller.Poller
	origin time.Time
	after  func() // runs at the end of each cycle

	// loop only
	events   []poller.Event
	wheel    wheel
	now      time.Duration // the time of this cycle, 0 until somebody asks
	full     int           // polls in a row that filled the batch
	busy     busyPoll
	stopping bool
	counters Counters

	// any goroutine
	share       share
	tasks       queue
	slots       slots
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
		after:  func() {},
		events: make([]poller.Event, batchSize),
	}
	l.wheel.init()
	l.share.init()
	return l
}

// AfterCycle makes f run at the end of every cycle of the loop: after its
// events, tasks and timers, and before the next poll. Before Run only.
func (l *EventLoop) AfterCycle(f func()) { l.after = f }

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

// Now is the time since the loop was made, read once in a cycle: cheap, and up
// to a cycle old.
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

// Run serves until Stop. It is called once, and its goroutine is the loop.
func (l *EventLoop) Run() error {
	l.share.wake(l.Clock())
	defer func() { l.share.sleep(l.Clock()) }()
	for !l.stopping {
		l.now = 0
		n, err := l.wait()
		if err != nil {
			l.drain()
			return err
		}
		for _, e := range l.events[:n] {
			if s := l.slots.get(Handle(e.Token)); s != nil {
				s.OnReady(e.Ready)
			}
		}
		l.counters.countBatch(n)
		l.counters.Tasks += uint64(l.tasks.run(tasksPerCycle))
		l.expire(n)
		l.after()
	}
	l.drain()
	return nil
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
	l.counters.Polls++
	n, err := l.poll.Wait(l.events, 0)
	if n > 0 || err != nil {
		if l.counters.Polls%yieldEvery == 0 {
			runtime.Gosched()
		}
		return n, err
	}
	runtime.Gosched()
	if n, err := l.pollOn(); n > 0 || err != nil {
		return n, err
	}
	l.counters.Polls++
	l.parked.Store(true)
	defer l.parked.Store(false)
	timeout := l.timeout()
	if l.tasks.len() > 0 {
		timeout = 0
	}
	if timeout == 0 {
		return l.poll.Wait(l.events, 0)
	}
	l.counters.Waits++
	l.share.sleep(l.Clock())
	n, err = l.poll.Wait(l.events, timeout)
	l.share.wake(l.Now())
	return n, err
}

// timeout is how long the loop may block: until its next timer.
func (l *EventLoop) timeout() time.Duration {
	at, ok := l.wheel.next()
	if !ok {
		return -1
	}
	return max(at-l.Clock(), 0)
}

// expire fires the timers that are due, unless the poll filled its batch of
// which it returned n.
func (l *EventLoop) expire(n int) {
	if n == len(l.events) && l.full < fullBatches {
		l.full++
		return
	}
	l.full = 0
	if l.wheel.count > 0 {
		l.wheel.advance(l.Now())
	}
}

// drain runs what was posted before the queue closed, then has the last cycle
// ended.
func (l *EventLoop) drain() {
	l.tasks.close()
	for l.tasks.len() > 0 {
		l.counters.Tasks += uint64(l.tasks.run(tasksPerCycle))
	}
	l.after()
}
