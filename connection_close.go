package weir

import (
	"io"
	"os"
	"time"

	"github.com/go-weir/weir/internal/sock"
)

const (
	// ackPoll is how often a lingering connection asks whether the peer's
	// system has everything.
	ackPoll = 50 * time.Millisecond
	// discardReads bounds what is thrown away of a draining peer's input in
	// one go.
	discardReads = 4
)

// Close ends the connection: no OnMessage runs any more, not even for messages
// that were already received. What was accepted for sending is still sent, as long as
// the peer takes some of it within the linger time, and also what the OnMessage that is running returns.
// Then OnClose runs.
//
// It does not wait. On a connection that is ending already it changes nothing and
// returns ErrConnectionClosed.
func (c *Connection) Close() error {
	if !c.closeFor(ErrConnectionClosed) {
		return ErrConnectionClosed
	}
	return nil
}

// CloseWithError is Close with a cause: Err returns it. An UnPacket that can't
// make sense of the stream calls it. The first cause stays; nil stands for
// ErrConnectionClosed.
func (c *Connection) CloseWithError(err error) {
	if err == nil {
		err = ErrConnectionClosed
	}
	c.closeFor(err)
}

// Reset is CloseWithError for a stream that must not look whole: what was accepted for
// sending is sent and acknowledged first, as far as that is possible within the linger
// time, and then the peer's stream ends with a reset (RST) instead of in good order. It is
// for messages that only the end of the stream delimits, and for a proxy whose other side
// was reset. On a connection that Close is ending already, it changes how the stream ends
// unless that has happened. Any goroutine.
func (c *Connection) Reset(err error) {
	if err == nil {
		err = ErrConnectionClosed
	}
	c.bits.Or(bitReset)
	if !c.closeFor(err) {
		c.resume() // with the bit set, it settles c once more
	}
}

// closeFor starts the end, and reports whether it hadn't been started yet.
func (c *Connection) closeFor(err error) bool {
	if !c.drainFor(err) {
		return false
	}
	c.post(opClose)
	return true
}

// AwaitPeer makes closing wait until the peer has also closed its side, for at most the
// linger time. Without it, the peer's acknowledgement is enough, after which whatever else it
// sends is answered with a reset; on some systems that costs a program what it has
// received and not yet read. It is for last words to a peer that is in the middle of
// sending. It does not begin the end: that is for Close and CloseWithError. Loop only.
func (c *Connection) AwaitPeer() { c.set(flagAwaitPeer) }

// drainFor takes the connection from open to draining.
func (c *Connection) drainFor(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.state.CompareAndSwap(open, draining) {
		return false
	}
	c.lockedState().err = err
	return true
}

// ShutdownWrite ends this side's stream once what was accepted is sent, as
// shutdown(2) does: Send and Write are refused from now on, and Connected is
// false. Messages of the peer are still delivered, until it ends its stream
// too; what OnMessage returns for them is dropped. A peer that never does keeps
// the connection until its idle time; Close waits for nobody. The second call, and
// one on a connection that is ending, returns ErrConnectionClosed.
func (c *Connection) ShutdownWrite() error {
	if c.state.Load() != open || c.bits.Or(bitWriteShut)&bitWriteShut != 0 || !c.post(opHalfClose) {
		return ErrConnectionClosed
	}
	return nil
}

// beginClosing is the loop's part of Close: from here on nothing is delivered,
// and the linger time runs.
func (c *Connection) beginClosing() {
	if c.has(flagClosing) {
		return
	}
	cause := io.EOF
	if !c.has(flagEOF) {
		cause = ErrServerStopped
	}
	c.drainFor(cause) // no effect on one that Close has begun
	c.set(flagClosing)
	c.clearBackpressure()
	c.dropInput()
	c.dropTimers()
}

// finish ends a closing connection once it has sent everything, and reports
// whether it still has to wait. Closing at once could cost the peer the last
// bytes: if it sends something meanwhile, our system answers with a reset and
// drops what is still on the way. So the stream is ended, input is thrown away,
// and the descriptor is closed when the peer ends its stream or has acknowledged
// every byte, if that is enough (see AwaitPeer), or when the linger time is up.
func (c *Connection) finish() bool {
	if c.pending.Load() > 0 { // unsent, or a Send that was accepted and is on its way to the loop
		if !c.has(flagEOF) {
			c.discard() // a peer that can't send on may not come to read
		}
		if c.has(flagDead) {
			c.teardown()
			return false
		}
		c.linger()
		return true
	}
	reset := c.resetting()
	if c.has(flagEOF) && !reset || c.loop.server.opts.Linger == 0 {
		c.teardown()
		return false
	}
	if !reset && !c.has(flagFIN) {
		c.sendFIN()
	}
	quiet := c.has(flagEOF) || c.discard()
	switch {
	case c.has(flagDead),
		reset && c.checkAcks() <= 0, // where the system can't say, there is nothing to wait for
		!reset && c.has(flagEOF),
		!reset && quiet && !c.has(flagAwaitPeer) && c.acknowledged():
		c.teardown()
		return false
	}
	c.linger()
	return true
}

// resetting reports whether c's stream is to end with a reset, and has not ended.
func (c *Connection) resetting() bool { return c.bits.Load()&bitReset != 0 && !c.has(flagFIN) }

// acknowledged reports whether the peer's system has all that was sent.
func (c *Connection) acknowledged() bool {
	return c.checkAcks() == 0
}

// sendFIN ends this side's stream.
func (c *Connection) sendFIN() {
	c.unset(flagHalfClose)
	c.set(flagFIN)
	if errno := c.loop.sys.ShutdownWrite(int(c.fd)); errno != 0 {
		c.fail(os.NewSyscallError("shutdown", errno))
	}
}

// discard throws input away and reports whether it has seen the end of what is
// there.
func (c *Connection) discard() bool {
	l := c.loop
	for range discardReads {
		n, errno := l.sys.Read(int(c.fd), l.readBuffer[headroom:])
		l.stats.Reads++
		l.stats.BytesIn += uint64(n)
		switch {
		case sock.Temporary(errno):
			return true
		case errno != 0:
			c.fail(os.NewSyscallError("read", errno)) // which matters only if something is unsent
			return true
		case n == 0:
			c.set(flagEOF)
			return true
		}
	}
	return false
}

// linger sees to it that a draining connection ends.
func (c *Connection) linger() {
	if x := c.coldState(); x.linger == 0 {
		x.linger = max(c.loop.Clock(), 1)
		c.track()
		c.checkAcks() // what is acknowledged from now on is progress
	}
	c.schedule()
}

// fail ends c without sending anything more. Loop only; the rest happens when
// c is settled, so a callback that is running is not interrupted by OnClose.
func (c *Connection) fail(err error) {
	if c.state.Load() == closed {
		return
	}
	if !c.drainFor(err) {
		c.unsent(err)
	}
	c.set(flagClosing | flagDead)
	c.loop.markDirty(c)
}

// unsent notes in the cause that bytes are lost, once, and reports whether any
// are. err is what ended the sending.
func (c *Connection) unsent(err error) bool {
	n := c.pending.Load()
	if c.loop.writer() == c {
		n += int64(len(c.loop.out))
	}
	if n == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.has(flagUnsent) { // not found by errors.As: the cause may be another connection's, or panic when asked
		c.set(flagUnsent)
		c.lockedState().err = &UnsentError{Bytes: n, Cause: c.cause(), Err: err}
	}
	return true
}

// teardown is the end. Its callbacks may do anything but bring c back.
func (c *Connection) teardown() {
	l := c.loop
	if c.has(flagDead) && (c.unsent(nil) || c.has(flagUnsent)) || c.resetting() { // without the flag, what is pending now is a Send about to be refused
		// A stream that breaks off in the middle must not look complete, and
		// the system need not keep its part of it for a peer that doesn't read.
		_ = l.sys.Abort(int(c.fd))
	}
	c.state.Store(closed)
	c.clearBackpressure()
	l.Disarm(&c.timer)
	if !c.has(flagUnwatched) {
		_ = l.Unwatch(int(c.fd)) // it is closed anyway
	}
	c.mu.Lock()
	cause := c.cause()
	_ = l.sys.Close(int(c.fd))
	c.fd = -1
	c.mu.Unlock()
	l.forget(c)
	c.dropTimers()
	c.dropInput()
	c.finalCallbacks(cause)
}

// finalCallbacks makes the last calls for c. Each is made, even if the one before has ended the
// goroutine.
func (c *Connection) finalCallbacks(cause error) {
	h := c.loop.server.handler
	defer c.loop.server.leave() // only now: the handler never hears of more than MaxConnections
	defer c.call("OnClose", func() { h.OnClose(c) })
	defer c.debug("weir: connection closed", "err", cause)
	defer c.countClosed(cause)
	c.dropOutput()
}

// dropOutput gives up what is unsent. Those who wait for it are told.
func (c *Connection) dropOutput() {
	l := c.loop
	if l.writer() == c {
		l.out = trim(l.out)
	}
	if c.out == nil {
		return
	}
	c.account(-c.out.size(), 0)
	out := c.out
	c.out = nil
	out.drop(c)
	out.release()
	l.runDone()
}
