package weir

import (
	"sync"
	"sync/atomic"

	"github.com/go-weir/weir/eventloop"
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
	sys    sock.Calls

	// loop only
	readBuffer []byte                // with headroom in front
	input      ringbuffer.RingBuffer // a view of readBuffer
	current    *Connection           // whose callback is running; nil while AppendPacket encodes into out
	encoding   *Connection           // whose output out is while current is nil
	out        []byte                // what current has written in it
	turn       int                   // bytes that current was sent since its turn began
	scratch    []byte                // for messages that go somewhere else; nil while one is made
	vector     sock.Vector
	userBuffer []byte
	touched    []*Connection // to be settled when the cycle ends
	progressed []*Connection // whose progress of this cycle has no time yet
	stats      metrics.LoopCounters
	untimed    int // calls of OnMessage until the next one that is timed
	callbacks  eventloop.Durations
	weighed    struct{ reads, bytes uint64 } // stats.Reads and BytesIn at the end of the last cycle that read

	// any goroutine
	refusedSends atomic.Uint64
	stalls       atomic.Uint64
	calling      atomic.Pointer[Connection] // whose callback runs, of those but OnMessage
	goroutine    atomic.Uint64              // the number of the loop's goroutine; 0: it hasn't run yet

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
	l.AfterCycle(l.afterCycle)
	return l, nil
}

// writer is whose output out is, if there is any.
func (l *loop) writer() *Connection {
	if l.current == nil {
		return l.encoding // whose AppendPacket runs, or has panicked
	}
	return l.current
}

// touch has c settled at the end of the cycle.
func (l *loop) touch(c *Connection) {
	if !c.has(flagTouched) {
		c.set(flagTouched)
		l.touched = append(l.touched, c)
	}
}

// afterCycle settles what was touched, however often, once: so all that was
// sent to a connection during the cycle is one write.
func (l *loop) afterCycle() {
	for i := 0; i < len(l.touched); i++ { // settling may touch more
		c := l.touched[i]
		l.touched[i] = nil
		c.unset(flagTouched)
		if c.state.Load() != closed {
			c.settle()
		}
	}
	l.touched = l.touched[:0]
	l.stampProgress()
	if l.server.opts.BusyPoll > 0 {
		l.weigh()
	}
	l.publish()
}

// eagerRead is the number of bytes that a read brings, on average over a cycle,
// from which on what it costs to wake up for it does not count.
const eagerRead = 1 << 10

// weigh tells the loop whether the reads of this cycle brought little.
func (l *loop) weigh() {
	if reads := l.stats.Reads - l.weighed.reads; reads > 0 {
		l.SetEager(l.stats.BytesIn-l.weighed.bytes < eagerRead*reads)
		l.weighed.reads, l.weighed.bytes = l.stats.Reads, l.stats.BytesIn
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
	l.connections(func(c *Connection) {
		c.lastCall()
		l.touch(c)
		if h := l.server.shutdown; h != nil && c.state.Load() == open {
			c.call("OnShutdown", func() { h.OnShutdown(c) })
		}
	})
}

// stop closes every connection now, and ends the loop.
func (l *loop) stop() {
	l.closeAll()
	l.Stop()
}

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
