package weir

import (
	"sync"
	"sync/atomic"

	balance "github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/ringbuffer"
)

// loop is an event loop with what the connections on it share: the buffers
// that are only needed while one of them is being served.
type loop struct {
	*eventloop.EventLoop

	// set once
	server *Server
	choice *balance.EventLoop // as strategies see it; nil for one that only accepts
	sys    sock.Calls

	// loop only
	readBuffer   []byte                // with headroom in front
	input        ringbuffer.RingBuffer // a view of readBuffer
	current      *Connection           // whose callback is running; nil while AppendPacket encodes into out
	encoding     *Connection           // whose output out is while current is nil
	out          []byte                // what current has written in it
	turn         int                   // bytes that current was sent since its turn began
	scratch      []byte                // for messages that go somewhere else; nil while one is made
	vector       sock.Vector
	userBuffer   []byte
	dirty        []*Connection // to be settled by the next settleDirty
	settling     []*Connection // settled by this one, if it has not come to its end
	settled      int           // how many of them are
	dones        []doneCall    // functions of SendInLoop that have to be called
	told         int           // how many of them were
	progressed   []*Connection // whose progress of this cycle has no time yet
	stats        metrics.LoopCounters
	untimed      int // calls of OnMessage until the next one that is timed
	callbacks    eventloop.Durations
	busyPollSeen struct{ reads, bytes uint64 } // stats.Reads and BytesIn at the end of the last cycle that read

	// any goroutine
	refusedSends  atomic.Uint64
	stalls        atomic.Uint64
	listenersLost atomic.Uint64
	calling       atomic.Pointer[Connection] // whose callback runs, of those but OnMessage
	goroutine     atomic.Uint64              // the number of the loop's goroutine; 0: it hasn't run yet

	// guarded by mu
	mu        sync.Mutex
	published published
}

func newLoop(s *Server, index int) (*loop, error) {
	p, err := s.opts.testHooks.newPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{
		EventLoop:  eventloop.New(index, p),
		server:     s,
		sys:        s.sys,
		readBuffer: make([]byte, headroom+readBufferSize),
		out:        make([]byte, 0, writeBufferSize),
		untimed:    metrics.CallbackSampling,
	}
	l.SetBusyPoll(s.opts.BusyPoll)
	l.stats.Loop = index
	l.publish()
	l.SetHooks(eventloop.Hooks{Settle: l.settleDirty, AfterCycle: l.afterCycle, Resume: l.resume, End: l.closeAll})
	return l, nil
}

// serve runs the loop on a goroutine of its own. If a callback ends that
// (runtime.Goexit; testing's FailNow calls it), the loop goes on on another one: never
// on two at a time, as starting the next is the last that the first one does.
func (l *loop) serve(running *sync.WaitGroup, failed chan<- error) {
	running.Go(func() {
		returned := false
		defer func() {
			if !returned {
				l.serve(running, failed)
			}
		}()
		l.goroutine.Store(goroutineNumber())
		if err := l.Run(); err != nil {
			failed <- err
		}
		returned = true
	})
}

// resume goes on after a callback has ended the loop's goroutine. Its connection is
// ending, if it had one: see panicked.
func (l *loop) resume() {
	l.runDone()
	l.input.RetrieveAll()
	c := l.writer()
	l.current = nil
	if c == nil || c.state.Load() == closed {
		l.out = trim(l.out)
		return
	}
	c.publishInputSize()
	c.settle() // what it had written before is sent
}

// writer is whose output out is, if there is any.
func (l *loop) writer() *Connection {
	if l.current == nil {
		return l.encoding // whose AppendPacket runs, or has panicked
	}
	return l.current
}

// markDirty has c settled in this cycle, or in the next one if this one has begun to settle.
func (l *loop) markDirty(c *Connection) {
	if !c.has(flagDirty) {
		c.set(flagDirty)
		l.dirty = append(l.dirty, c)
	}
}

// settleDirty settles what was marked dirty, however often, once: so all that was
// sent to a connection during the cycle is one write. What that touches in its turn
// waits for the next cycle: two connections that write to each other whenever they are
// settled would keep the loop from everything else.
func (l *loop) settleDirty() (more bool) {
	if l.settled == len(l.settling) { // else a callback has ended the goroutine meanwhile
		l.settling, l.dirty, l.settled = l.dirty, l.settling[:0], 0
	}
	for l.settled < len(l.settling) {
		c := l.settling[l.settled]
		l.settling[l.settled] = nil
		l.settled++
		c.unset(flagDirty)
		if c.state.Load() != closed {
			c.settle()
		}
	}
	return len(l.dirty) > 0
}

// afterCycle draws up the account of the cycle.
func (l *loop) afterCycle() {
	l.stampProgress()
	if l.server.opts.BusyPoll > 0 {
		l.updateBusyPoll()
	}
	l.publish()
}

// eagerRead is the number of bytes that a read brings, on average over a cycle,
// from which on what it costs to wake up for it does not count.
const eagerRead = 1 << 10

// updateBusyPoll tells the loop whether the reads of this cycle brought little.
func (l *loop) updateBusyPoll() {
	if reads := l.stats.Reads - l.busyPollSeen.reads; reads > 0 {
		l.SetCheapEvents(l.stats.BytesIn-l.busyPollSeen.bytes < eagerRead*reads)
		l.busyPollSeen.reads, l.busyPollSeen.bytes = l.stats.Reads, l.stats.BytesIn
	}
}

// forget ends c's registration.
func (l *loop) forget(c *Connection) {
	l.Remove(eventloop.Handle(c.id))
	l.Release()
}

// connections calls f for each of the loop's connections.
func (l *loop) connections(f func(*Connection)) {
	for s := range l.Sockets() {
		if s, ok := s.(*socket); ok {
			f((*Connection)(s))
		}
	}
}

// drain has every connection closed as soon as it has delivered and sent what
// was received and accepted.
func (l *loop) drain() {
	finished := false
	defer func() {
		if !finished { // a callback has ended the goroutine: there may be others
			l.Post(eventloop.Task{Target: eventloop.Func(l.drain)})
		}
	}()
	l.connections(func(c *Connection) {
		if c.has(flagLastCall) {
			return
		}
		c.lastCall()
		l.markDirty(c)
		if h := l.server.shutdown; h != nil && c.state.Load() == open {
			c.call("OnShutdown", func() { h.OnShutdown(c) })
		}
	})
	finished = true
}

// stop closes every connection now, and ends the loop.
func (l *loop) stop() {
	defer l.Stop() // which closes the rest, should a callback end the goroutine
	l.closeAll()
}

// closeAll closes every connection now. It is also the last thing that a loop does:
// one that has failed has some left.
func (l *loop) closeAll() {
	l.connections(func(c *Connection) {
		c.fail(ErrServerStopped)
		c.settle()
	})
}

// rings are the connections' input rings.
var rings = sync.Pool{New: func() any { return new(ringbuffer.RingBuffer) }}

func takeRing() *ringbuffer.RingBuffer { return rings.Get().(*ringbuffer.RingBuffer) }

func returnRing(r *ringbuffer.RingBuffer) {
	r.Release()
	rings.Put(r)
}
