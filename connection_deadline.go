package weir

import (
	"math"
	"os"
	"time"
)

// connTimeout is a Connection as its timer sees it.
type connTimeout Connection

// SetIdleTime replaces the server's IdleTime for this connection, from now on. 0
// means never. Loop only.
func (c *Connection) SetIdleTime(d time.Duration) {
	c.idleTime = max(d, 0)
	c.track()
	c.lastProgress = c.loop.Clock()
	c.schedule()
}

// SetReadDeadline closes the connection with os.ErrDeadlineExceeded at t,
// unless the deadline is moved before: a program that waits for a message sets
// it, and moves it or clears it with the zero time when the message is there.
// What is unsent at t is dropped. On a connection that is ending it returns
// ErrConnectionClosed. Loop only.
func (c *Connection) SetReadDeadline(t time.Time) error {
	return c.setDeadline(&c.coldState().readDeadline, t)
}

// SetWriteDeadline closes the connection with os.ErrDeadlineExceeded if at t,
// or later, anything is unsent; that is dropped. The zero time clears it. On a
// connection that is ending it returns ErrConnectionClosed. Loop only.
func (c *Connection) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(&c.coldState().writeDeadline, t)
}

func (c *Connection) setDeadline(deadline *time.Duration, t time.Time) error {
	if c.state.Load() != open {
		return ErrConnectionClosed
	}
	*deadline = 0
	if !t.IsZero() {
		*deadline = max(later(c.loop.Clock(), time.Until(t)), 1)
	}
	c.schedule()
	return nil
}

// schedule arms the timer for the earliest of c's times. One that is armed for
// an earlier time stays: it fires, finds nothing due, and comes back here. So
// progress costs no more than a store.
func (c *Connection) schedule() {
	if c.state.Load() == closed {
		return
	}
	at := c.nextTime()
	switch {
	case at == 0:
		c.loop.Disarm(&c.timer)
	case !c.timer.Armed() || c.loop.ExpiresAt(&c.timer) > at:
		c.loop.Arm(&c.timer, at)
	}
}

// scheduleUnsent is schedule for what matters only while something is unsent.
func (c *Connection) scheduleUnsent() {
	if c.cold != nil && c.cold.writeDeadline > 0 || c.stallTimeout() > 0 {
		c.schedule()
	}
}

// nextTime is the earliest of c's times, in loop time; 0 if there is none.
func (c *Connection) nextTime() time.Duration {
	var at time.Duration
	earliest := func(t time.Duration) {
		if t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	ending, x := c.has(flagClosing), c.cold
	if c.idleTime > 0 && !ending {
		earliest(c.nextLook(c.progressAt(), c.idleTime))
	}
	if limit := c.stallTimeout(); limit > 0 && c.out != nil && !ending {
		earliest(c.nextLook(c.progressAt(), limit))
	}
	if x == nil {
		return at
	}
	if !ending {
		earliest(x.readDeadline)
	}
	if x.writeDeadline > 0 && (c.out != nil || x.writeDeadline > c.loop.Clock()) {
		earliest(x.writeDeadline)
	}
	if x.linger > 0 {
		earliest(c.nextLook(max(x.linger, c.progressAt()), c.loop.server.opts.Linger))
		earliest(c.lingerLimit())
		if c.resetting() || c.has(flagFIN) && !c.has(flagAwaitPeer) {
			earliest(c.loop.Clock() + ackPoll)
		}
	}
	return at
}

// lingerLimit is the end of c's LingerLimit; 0 if there is none.
func (c *Connection) lingerLimit() time.Duration {
	limit := c.loop.server.opts.LingerLimit
	if limit == 0 {
		return 0
	}
	return later(c.cold.linger, limit)
}

// OnExpire finds out which of the times has come.
func (e *connTimeout) OnExpire() {
	c := (*Connection)(e)
	if x := c.cold; x != nil && x.writeDeadline > 0 && c.loop.Now() >= x.writeDeadline && c.refused() {
		c.fail(os.ErrDeadlineExceeded)
	} else {
		if c.has(flagTracked) {
			c.checkAcks()
		}
		c.checkTimes(c.loop.Now())
	}
	c.schedule()
}

// refused reports whether the system takes not all of c's output, now that it is
// offered once more.
func (c *Connection) refused() bool {
	if c.out == nil {
		return false // or a Send is on its way, which nobody has offered to the system yet
	}
	c.unset(flagBlocked)
	c.flush()
	c.loop.turn = 0
	c.loop.markDirty(c)
	return c.has(flagBlocked)
}

// checkTimes ends c if one of its times is over at now.
func (c *Connection) checkTimes(now time.Duration) {
	x, progress := c.cold, c.progressAt()
	stall := c.stallTimeout()
	switch {
	case x != nil && x.linger > 0:
		limit := c.lingerLimit()
		if now >= later(max(x.linger, progress), c.loop.server.opts.Linger) || limit > 0 && now >= limit {
			c.fail(nil)
		}
		c.loop.markDirty(c) // to look whether the peer has everything
	case c.idleTime > 0 && now >= later(progress, c.idleTime):
		c.fail(ErrIdleTimeout)
	case stall > 0 && c.out != nil && now >= later(progress, stall):
		c.fail(c.stalled())
	case x != nil && x.readDeadline > 0 && now >= x.readDeadline:
		c.fail(os.ErrDeadlineExceeded)
	}
}

// later is d after the loop time t, or the last time that there is.
func later(t, d time.Duration) time.Duration {
	if d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + d
}
