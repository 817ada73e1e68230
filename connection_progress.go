package weir

import "time"

// A peer makes progress when bytes of it are received, or when its system acknowledges
// bytes that it was sent. Idle times, stall times and the linger time are all times
// without progress, and this is the one place that knows of it.
//
// What the system has taken is no progress by itself: its buffers hold megabytes, and
// move in jumps. So the loop looks at SIOCOUTQ (tcp(7)): halfway through each of these
// times, and four times as often while something is unacknowledged. Between two looks a
// write counts for as long as nothing was seen to be unacknowledged, so that a message
// costs a bit test and no system call. A time so never ends early, and late by at most
// a quarter of it after the first look.

// thisCycle stands in lastProgress until the cycle ends. Only then it is a time: a
// callback may have taken long since the cycle began.
const thisCycle time.Duration = -1

// looks at what is unacknowledged, in the time that a peer has for progress.
const looksPerLimit = 4

// acks is how far a peer is with what it was sent, since the loop first saw that it had
// not acknowledged everything.
type acks struct {
	watched bool
	sent    int64 // bytes that the system took since then
	acked   int64 // the most of them that were seen to be acknowledged; at first less than 0 by what was on its way
}

// track has the time of c's progress kept from now on.
func (c *Connection) track() {
	if !c.has(flagTracked) {
		c.set(flagTracked)
		c.lastProgress = c.loop.Clock()
	}
}

// madeProgress notes that c's peer made progress in this cycle.
func (c *Connection) madeProgress() {
	if c.has(flagTracked) && c.lastProgress != thisCycle {
		c.lastProgress = thisCycle
		c.loop.progressed = append(c.loop.progressed, c)
	}
}

// stampProgress gives the progress of this cycle its time.
func (l *loop) stampProgress() {
	if len(l.progressed) == 0 {
		return
	}
	now := l.Clock()
	for _, c := range l.progressed {
		if c.lastProgress == thisCycle { // not, if SetIdleTime was called since
			c.lastProgress = now
		}
	}
	clear(l.progressed)
	l.progressed = l.progressed[:0]
}

// progressAt is the loop time of the last progress.
func (c *Connection) progressAt() time.Duration {
	if c.lastProgress == thisCycle {
		return c.loop.Clock()
	}
	return c.lastProgress
}

// taken notes that the system took n bytes of c's output.
func (c *Connection) taken(n int) {
	if x := c.cold; x != nil && x.acks.watched {
		x.acks.sent += int64(n)
		return
	}
	c.madeProgress()
}

// checkAcks asks the system how many of the bytes that it took the peer's system has not
// acknowledged, and notes as progress if those have become fewer. It returns -1 where
// the system can't say; what it takes counts there.
func (c *Connection) checkAcks() int {
	n := c.loop.sys.Unacked(int(c.fd))
	if n == 1 && c.has(flagFIN) {
		n = 0 // the end of the stream counts as one; its acknowledgement may be delayed
	}
	if n < 0 {
		return n
	}
	x := c.cold
	watched := x != nil && x.acks.watched
	switch {
	case n == 0 && watched:
		x.acks = acks{}
		c.trimCold()
		c.madeProgress()
	case n == 0:
	case !watched:
		// When it acknowledged the last bytes is not known: its time starts now.
		c.coldState().acks = acks{watched: true, acked: -int64(n)}
		c.madeProgress()
	case x.acks.sent-int64(n) > x.acks.acked:
		x.acks.acked = x.acks.sent - int64(n)
		c.madeProgress()
	}
	return n
}

// nextLook is when to look again at a peer that has to make progress within limit.
func (c *Connection) nextLook(since, limit time.Duration) time.Duration {
	now, end := c.loop.Clock(), later(since, limit)
	if x := c.cold; x != nil && x.acks.watched {
		return min(end, later(now, limit/looksPerLimit))
	}
	if half := later(since, limit/2); now < half {
		return half
	}
	return end
}

// SinceProgress is how long ago the peer was last seen to make progress: bytes of it
// were received, or its system acknowledged bytes that it was sent (SIOCOUTQ in tcp(7);
// on other systems than Linux, the system took bytes for it). The first call on a
// connection without an idle time or a stall time begins to watch, and returns 0.
//
// Acknowledgements are noticed when somebody looks, as each call does; so it may say
// less than is true by the time since the call before. After the end of the connection
// it returns 0. Loop only.
func (c *Connection) SinceProgress() time.Duration {
	if c.state.Load() == closed {
		return 0
	}
	c.track()
	c.checkAcks()
	return max(c.loop.Clock()-c.progressAt(), 0)
}

// Unacknowledged is how many of the bytes that the system took the peer's system has not
// acknowledged, as far as the system says: always 0 on other systems than Linux. With
// WriteBufferLength it is what is still on its way. It is a system call. Loop only.
func (c *Connection) Unacknowledged() int {
	if c.state.Load() == closed {
		return 0
	}
	return max(c.checkAcks(), 0)
}

// SetStallTimeout replaces the server's StallTimeout for this connection. 0 means
// never. Loop only.
func (c *Connection) SetStallTimeout(d time.Duration) {
	if c.state.Load() == closed {
		return
	}
	if d <= 0 {
		d = -1
	}
	c.coldState().stall = d
	c.schedule()
}

// stallTimeout is the connection's; 0 or less: never. Shutdown waits for nobody for longer
// than closing does.
func (c *Connection) stallTimeout() time.Duration {
	limit := c.loop.server.opts.StallTimeout
	if c.cold != nil && c.cold.stall != 0 {
		limit = c.cold.stall
	}
	if linger := max(c.loop.server.opts.Linger, 1); c.has(flagLastCall) && (limit <= 0 || limit > linger) {
		return linger
	}
	return limit
}

// stalled is the cause of the end when the stallTimeout is over.
func (c *Connection) stalled() error {
	if c.has(flagLastCall) {
		return ErrServerStopped
	}
	return ErrStalled
}
