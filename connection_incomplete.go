package weir

import (
	"fmt"
	"math"
	"os"
	"time"
)

// uncounted is what a connection may hold of an incomplete message without being
// counted or timed: few bytes, as most connections have at one time or another.
const uncounted = headroom

// incompleteSize is how many times the MaxMessageSize is in the IncompleteLimit of a
// server that sets none.
const incompleteSize = 16

// incomplete is what a connection has received of a message that has not ended. It
// outlives the message until the timer next fires, because another one may follow.
type incomplete struct {
	// loop only
	size  int           // counted in Server.incomplete; 0 unless flagIncomplete
	since time.Duration // loop time from which on the peer has had time to send it
	due   time.Duration // loop time of the next checkIncomplete
}

// countIncomplete notes that size bytes have come of a message, and closes c if they
// are more than what is left for all connections: whoever holds much makes room
// first, and small messages are served to the end. fresh says that the message before
// has ended meanwhile.
func (c *Connection) countIncomplete(size int, fresh bool) {
	s, x := c.loop.server, c.coldState()
	m := x.incomplete
	if m == nil {
		m = new(incomplete)
		x.incomplete = m
		if d := s.opts.MessageTimeout; d > 0 {
			c.checkIncompleteAfter(d)
		}
	}
	if fresh || !c.has(flagIncomplete) {
		m.since = c.loop.Clock()
	}
	c.set(flagIncomplete)
	held := s.incomplete.Add(int64(size - m.size))
	m.size = size
	if limit := s.opts.incompleteLimit(); int64(size) > limit-held {
		c.closeFor(fmt.Errorf("%w: %d bytes, and all connections hold %d of at most %d", ErrMessageTooLarge, size, held, limit))
	}
}

// uncountIncomplete notes that nothing is held of an incomplete message, or little.
func (c *Connection) uncountIncomplete() {
	c.unset(flagIncomplete)
	m := c.cold.incomplete
	c.loop.server.incomplete.Add(int64(-m.size))
	m.size = 0
}

// restartIncomplete begins the time for an incomplete message again: this side has not
// read, or has not looked at what it has read.
func (c *Connection) restartIncomplete() {
	if c.has(flagIncomplete) {
		c.cold.incomplete.since = c.loop.Clock()
	}
}

func (c *Connection) checkIncompleteAfter(d time.Duration) {
	c.cold.incomplete.due = later(c.loop.Clock(), d)
	c.RunAfter(d, c.checkIncomplete)
}

// lateCheck is how late checkIncomplete runs on a loop that did not get to reading.
const lateCheck = time.Second

// checkIncomplete runs by a timer as long as incomplete messages come.
func (c *Connection) checkIncomplete() {
	m := c.cold.incomplete
	if !c.has(flagIncomplete) {
		c.cold.incomplete = nil
		c.trimCold()
		return
	}
	now, o := c.loop.Clock(), &c.loop.server.opts
	if c.bits.Load()&bitPaused != 0 || c.has(flagBackpressure|flagHeld) || now-m.due > lateCheck {
		c.restartIncomplete()
	}
	allowed := later(o.MessageTimeout, time.Duration(float64(m.size)/float64(o.MessageRate)*float64(time.Second)))
	if left := later(m.since, allowed) - now; left > 0 {
		c.checkIncompleteAfter(left)
		return
	}
	c.closeFor(fmt.Errorf("weir: %d bytes of a message have come in %v, and not its end: %w",
		m.size, (now - m.since).Round(time.Millisecond), os.ErrDeadlineExceeded))
}

// incompleteLimit is IncompleteLimit, or its default.
func (o *Options) incompleteLimit() int64 {
	if o.IncompleteLimit > 0 {
		return int64(o.IncompleteLimit)
	}
	return incompleteSize * min(int64(o.MaxMessageSize), math.MaxInt64/incompleteSize)
}
