package weir

import (
	"sync"
	"unsafe"

	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/ringbuffer"
)

// outbound is the queue of what a connection has accepted for sending and the
// system has not taken: copies in pooled chunks, and slices that still belong
// to whoever gave them to Send. Loop only.
//
// Invariant: every segment from head on has unsent bytes, and there is at least
// one while a connection holds the queue between two callbacks.
type outbound struct {
	segments []segment
	head     int
}

type segment struct {
	data  []byte    // what is unsent of it
	chunk []byte    // the pooled storage that data is in; nil: data is referenced
	arg   any       // for done
	done  func(any) // told when the last byte was written, or never will be
}

// largestChunk is as much as goes into one writev(2) without waking the
// scheduler.
const largestChunk = sock.RawLimit

var outbounds = sync.Pool{New: func() any { return new(outbound) }}

func takeOutbound() *outbound { return outbounds.Get().(*outbound) }

// release gives the empty queue back.
func (o *outbound) release() {
	const kept = 64 // segments; a queue that was longer is left to the collector
	o.head = 0
	if o.segments = o.segments[:0]; cap(o.segments) <= kept {
		outbounds.Put(o)
	}
}

// append copies p to the end of the queue.
func (o *outbound) append(p []byte) {
	size := len(p)
	if last := len(o.segments) - 1; last >= o.head {
		s := &o.segments[last]
		if s.chunk != nil {
			n := copy(s.data[len(s.data):cap(s.data)], p)
			s.data = s.data[:len(s.data)+n]
			if p = p[n:]; len(p) == 0 {
				return
			}
			size = max(len(p), min(2*len(s.chunk), largestChunk))
		}
	}
	chunk := ringbuffer.Acquire(size)
	o.segments = append(o.segments, segment{data: chunk[:copy(chunk, p)], chunk: chunk})
}

// appendReference adds p itself to the end of the queue. done may be nil.
func (o *outbound) appendReference(p []byte, arg any, done func(any)) {
	o.segments = append(o.segments, segment{data: p, arg: arg, done: done})
}

// gather puts the beginning of the queue into v, flushBytes at most.
func (o *outbound) gather(v *sock.Vector) {
	for i := o.head; i < len(o.segments) && v.Size() < flushBytes; i++ {
		p := o.segments[i].data
		if !v.Append(p[:min(len(p), flushBytes-v.Size())]) {
			return
		}
	}
}

// only is what is unsent of a queue with one segment, nil if there are more.
func (o *outbound) only() []byte {
	if o.head+1 == len(o.segments) {
		return o.segments[o.head].data
	}
	return nil
}

// advance takes the first n bytes off the queue and reports whether it is
// empty.
func (o *outbound) advance(n int, c *Connection) bool {
	for o.head < len(o.segments) {
		s := &o.segments[o.head]
		if n < len(s.data) {
			s.data = s.data[n:]
			o.compact()
			return false
		}
		n -= len(s.data)
		o.head++
		s.finish(c)
	}
	return true
}

// compact moves the queue to the front of its slice once most of that has been
// sent, so that one that is never empty doesn't grow for ever.
func (o *outbound) compact() {
	if o.head > len(o.segments)/2 {
		n := copy(o.segments, o.segments[o.head:])
		clear(o.segments[n:])
		o.segments, o.head = o.segments[:n], 0
	}
}

// size is the number of bytes in the queue.
func (o *outbound) size() int {
	n := 0
	for i := o.head; i < len(o.segments); i++ {
		n += len(o.segments[i].data)
	}
	return n
}

// drop finishes all that is left, unsent.
func (o *outbound) drop(c *Connection) {
	for ; o.head < len(o.segments); o.head++ {
		o.segments[o.head].finish(c)
	}
}

// finish gives the bytes back to where they came from. runDone has to follow.
func (s *segment) finish(c *Connection) {
	if s.chunk != nil {
		ringbuffer.Recycle(s.chunk)
	}
	if s.done != nil {
		c.loop.dones = append(c.loop.dones, doneCall{c, s.done, s.arg})
	}
	*s = segment{}
}

// keptDones is the capacity that the loop's list of calls may keep.
const keptDones = 1024

// doneCall is a call of a function of SendInLoop.
type doneCall struct {
	c   *Connection
	f   func(any)
	arg any
}

// runDone makes the calls that segments have asked for when they were finished: later,
// when the queue is in order. Whatever such a function does, it can rely on that.
func (l *loop) runDone() {
	for l.told < len(l.dones) {
		d := l.dones[l.told]
		l.dones[l.told] = doneCall{}
		l.told++
		d.c.call("SendInLoop", func() { d.f(d.arg) })
	}
	l.told = 0
	if l.dones = l.dones[:0]; cap(l.dones) > keptDones {
		l.dones = nil
	}
}

// appendOutbound copies p behind all that waits already.
func (c *Connection) appendOutbound(p []byte) {
	c.outboundQueue().append(p)
	c.account(len(p), 0)
}

// outboundQueue is c.out, made if need be. Something must be put there.
func (c *Connection) outboundQueue() *outbound {
	if c.out == nil {
		c.out = takeOutbound()
	}
	return c.out
}

// account adds n bytes, or takes them away, from what is accepted and unsent.
// Those that Send has counted it takes off in the same step: in between, other
// Sends would meet a limit that is not the right one.
func (c *Connection) account(n int, counted int64) {
	pending := c.pending.Add(int64(n) - counted)
	c.loop.stats.OutputBytes += int64(n)
	if n > 0 {
		c.noteHighWater(pending)
	}
}

// sameBytes reports whether p is data itself, so that p is as much the
// library's as data is.
func sameBytes(p []byte, data any) bool {
	b, ok := data.([]byte)
	return ok && len(p) == len(b) && unsafe.SliceData(p) == unsafe.SliceData(b)
}
