package weir

import (
	"sync"
	"sync/atomic"

	"github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/internal/sock"
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
	readBuffer []byte
	input      ringbuffer.RingBuffer // a view of readBuffer
	current    *Connection           // whose callback is running
	out        []byte                // what current has written in it
	scratch    []byte                // for messages that go somewhere else
	vector     sock.Vector
	userBuffer []byte
	touched    []*Connection // to be settled when the cycle ends
	stats      LoopStats

	// any goroutine
	refusedSends atomic.Uint64

	// guarded by mu
	mu        sync.Mutex
	published LoopStats
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
		readBuffer: make([]byte, readBufferSize),
		out:        make([]byte, 0, writeBufferSize),
	}
	l.stats.Loop = index
	l.publish()
	l.AfterCycle(l.afterCycle)
	return l, nil
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
	l.publish()
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
		if h := l.server.shutdown; h != nil && c.state.Load() == open {
			c.call("OnShutdown", func() { h.OnShutdown(c) })
		}
		c.set(flagLastCall)
		l.touch(c)
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
