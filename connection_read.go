package weir

import (
	"math"
	"os"
	"syscall"

	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/ringbuffer"
)

const (
	readBufferSize = 64 << 10
	// readRounds is how many buffers full of one peer's stream are read in a row.
	readRounds = 4
	// headroom is the room in front of the loop's read buffer. What is left of a
	// cut message and fits is put there, so that the next read continues it.
	headroom = 4 << 10
	// directRead is the room in a connection's own ring from which on bytes
	// are read straight into it; below, they go through the loop's buffer.
	directRead = 16 << 10
	// readBytes bounds one read, however much room the ring of a large message has.
	readBytes = 1 << 20
	// maxNoProgress is how many messages in a row UnPacket may return without
	// taking a byte. One that never takes any would occupy the loop for ever.
	maxNoProgress = 1 << 16
)

// readable reads and delivers what came. There is one read per wake-up, however
// busy the peer, because the poller reports the rest again; a stream that fills the
// buffer and asks for no answer is read up to readRounds times.
func (c *Connection) readable() {
	for range readRounds {
		if !c.receive() || len(c.loop.out) > 0 || c.pending.Load() > 0 {
			return
		}
	}
}

// receive reads once and delivers what came. It reports whether that has filled
// the buffer, so that there is more as a rule.
func (c *Connection) receive() bool {
	if c.has(flagClosing) || !c.wantsInput() {
		// finish reads, and throws away; or reading was paused by a callback
		// that ran since the poller was asked.
		return false
	}
	l := c.loop
	p, direct := l.readBuffer[headroom:], false
	if c.in != nil {
		if free := c.in.Free(); len(free) >= directRead {
			p, direct = free[:min(len(free), readBytes)], true
		}
	}
	n, errno := l.sys.Read(int(c.fd), p)
	l.stats.Reads++
	switch {
	case sock.Temporary(errno):
		if errno == syscall.EAGAIN && c.has(flagLastCall) {
			c.countdown(math.MaxInt) // whatever was counted, there is nothing left
		}
		return false
	case errno != 0:
		c.fail(os.NewSyscallError("read", errno))
		return false
	case n == 0:
		c.set(flagEOF)
		c.halfClosed()
		return false
	}
	l.stats.BytesIn += uint64(n)
	c.madeProgress()
	if c.has(flagLastCall) {
		c.countdown(n)
	}
	switch {
	case direct:
		c.in.Commit(n)
		c.deliverOwn()
	case c.in == nil:
		l.input.WithData(p[:n])
		c.deliver(&l.input)
		if !l.input.IsEmpty() {
			c.saveRemainder(takeRing())
		}
	case c.in.Length() <= headroom:
		c.deliverBoth(n)
	default:
		_, _ = c.in.Write(p[:n]) // never fails: the ring grows
		c.deliverOwn()
	}
	return n == len(p)
}

// saveRemainder makes r the connection's own ring, with what deliver left of the loop's
// view.
func (c *Connection) saveRemainder(r *ringbuffer.RingBuffer) {
	view := &c.loop.input
	if view.IsEmpty() || c.state.Load() != open {
		returnRing(r)
	} else {
		first, end := view.PeekAll()
		_, _ = r.Write(first) // never fails: the ring grows
		_, _ = r.Write(end)
		r.Shrink() // a few bytes must not hold on to the memory of many
		c.in = r
	}
	view.RetrieveAll()
	c.publishInputSize()
}

// shrinkInput gives back the memory that c.in has no more use for.
func (c *Connection) shrinkInput() {
	if c.in.IsEmpty() || c.state.Load() != open {
		c.dropInput()
		return
	}
	c.in.Shrink() // a few bytes must not hold on to the memory of many
	c.publishInputSize()
}

func (c *Connection) dropInput() {
	if c.has(flagIncomplete) {
		c.uncountIncomplete()
	}
	if c.in != nil {
		returnRing(c.in)
		c.in = nil
		c.publishInputSize()
	}
}

func (c *Connection) publishInputSize() {
	n := 0
	if c.in != nil {
		n = c.in.Length()
	}
	c.loop.stats.InputBytes += int64(n) - c.received.Swap(int64(n))
}
