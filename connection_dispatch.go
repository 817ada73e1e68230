package weir

import (
	"errors"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// socket is a Connection as its event loop sees it.
type socket Connection

// What a connection's tasks ask for.
const (
	opRegister = iota
	opSend
	opHalfClose
	opClose
	opExecute
	opResume
	opWake
	opSlow
)

// OnReady is the loop's report that the descriptor can be used.
func (s *socket) OnReady(r poller.Readiness) {
	c := (*Connection)(s)
	c.loop.current = c
	if r&poller.Writable != 0 {
		c.unset(flagBlocked)
	}
	switch {
	case r&poller.Readable != 0:
		c.readable()
	case r&poller.Hangup != 0:
		c.hangup()
	}
	c.settle()
}

// Perform does what another goroutine asked for.
func (s *socket) Perform(t *eventloop.Task) {
	c := (*Connection)(s)
	c.loop.Progress()
	if t.Op == opSend {
		c.performSend(t) // the one that is not worth a settle of its own
		return
	}
	if c.state.Load() == closed {
		return
	}
	c.loop.current = c
	switch t.Op {
	case opRegister:
		c.begin()
		return
	case opHalfClose:
		c.set(flagHalfClose)
	case opClose:
		c.beginClosing()
	case opExecute:
		if !c.has(flagClosing) {
			c.call("Execute", t.Arg.(func()))
		}
	case opResume:
		c.bits.And(^bitResuming) // first: what is asked for from now on needs another one
		c.redeliver()
	case opWake:
		c.wake()
	case opSlow:
		c.slow()
	}
	c.settle()
}

// begin is the first that c's own loop hears of it.
func (c *Connection) begin() {
	c.loop.current = c
	if c.register() {
		c.settle()
	} else {
		c.loop.current = nil
	}
}

// register takes up a connection that was accepted, on its own loop.
func (c *Connection) register() bool {
	l := c.loop
	if !c.control() {
		return false
	}
	h, err := l.Add(int(c.fd), (*socket)(c), poller.Read)
	if err != nil {
		l.stats.Refused.Other++
		l.server.refuse(c, err)
		return false
	}
	c.id = ConnID(h)
	c.watched = poller.Read
	c.timer.Init((*connTimeout)(c))
	c.state.Store(open)
	l.stats.Opened++
	c.debug("weir: connection opened")
	if c.idleTime = l.server.opts.IdleTime; c.idleTime > 0 {
		c.track()
		c.schedule()
	}
	c.call("OnConnect", func() { l.server.handler.OnConnect(c) })
	c.bits.Or(bitConnected)
	return true
}

// call runs one of the user's functions, which may panic, or end the goroutine.
func (c *Connection) call(name string, f func()) {
	outer := c.loop.calling.Swap(c)
	returned := false
	defer func() {
		c.loop.calling.Store(outer)
		if v := recover(); !returned {
			c.panicked(name, v)
		}
	}()
	c.loop.Progress()
	f()
	returned = true
}

// errGoexit stands for the value of a panic where there was none.
var errGoexit = errors.New("runtime.Goexit was called")

// thrown is the value that ended a function: what recover has returned in a deferred
// one, where nil says that it was runtime.Goexit.
func thrown(recovered any) any {
	if recovered == nil {
		return errGoexit
	}
	return recovered
}

// panicked ends c because a callback has panicked, or called runtime.Goexit. What was
// answered before is still sent. After Goexit nothing that stands behind the callback
// is executed, but deferred functions; loop.resume does what is left.
func (c *Connection) panicked(callback string, recovered any) {
	value := thrown(recovered)
	err := &PanicError{Callback: callback, Value: value, Stack: debug.Stack()}
	l := c.loop
	l.stats.Panics++
	if c.state.Load() != closed {
		c.closeFor(err)
	}
	s := l.server
	s.logLimited(&s.lines.panics, slog.LevelError, "weir: panic in a callback, its connection is closed", func() []any {
		return c.attrs("callback", callback, "panic", value, "stack", string(err.Stack))
	})
}

// settle brings c up to date after anything has happened to it: it sends what
// can be sent, goes on with what waited for that, closes what is to be closed,
// and tells the poller what is wanted now. No callback of c is running.
func (c *Connection) settle() {
	l := c.loop
	l.current = c
	c.flush()
	if c.resumeAfterDrain() {
		c.flush()
		c.pauseForBackpressure()
		if c.drained() {
			c.resume() // once per cycle: a peer that reads fast must not keep the others waiting
		}
	}
	if c.advanceEnd() {
		c.watch()
		if c.out != nil {
			c.scheduleUnsent()
		}
		if c.has(flagDead) {
			c.teardown()
		}
	}
	l.current, l.turn = nil, 0
}

// advanceEnd moves the end of c on as far as it goes, and reports whether c is
// still there.
func (c *Connection) advanceEnd() bool {
	if f := c.failedWrite(); f != nil && !c.has(flagClosing) {
		c.moveFailed(f)
	}
	if !c.has(flagClosing) && c.inputEnded() {
		if c.deliverLast(); c.inputEnded() { // not, if it is held for the answer
			c.beginClosing()
		}
	}
	switch {
	case c.has(flagDead):
		c.teardown()
		return false
	case c.has(flagClosing):
		return c.finish()
	case c.has(flagHalfClose) && c.pending.Load() == 0:
		c.sendFIN()
	}
	return true
}

// watch tells the poller what is wanted of c now.
func (c *Connection) watch() {
	var want poller.Interest
	if c.wantsInput() {
		want |= poller.Read
	}
	if c.has(flagBlocked) {
		want |= poller.Write
	}
	l, h := c.loop, eventloop.Handle(c.id)
	var err error
	switch {
	case c.has(flagUnwatched):
		if want == 0 {
			return
		}
		c.unset(flagUnwatched)
		err = l.Watch(int(c.fd), h, want)
	case want != c.watched:
		err = l.Modify(int(c.fd), h, want)
	}
	c.watched = want
	if err != nil {
		c.fail(err)
	}
}

func (c *Connection) wantsInput() bool {
	if c.has(flagClosing) {
		return !c.has(flagEOF) // what comes is thrown away
	}
	if c.has(flagLastCall) && !c.has(flagHeld) && !c.unread() {
		return false
	}
	return !c.has(flagEOF|flagBackpressure|flagDead) && c.bits.Load()&bitPaused == 0
}

// hangup deals with a failure that the poller reports although nothing that it
// could stand in for is wanted.
func (c *Connection) hangup() {
	errno := c.loop.sys.Error(int(c.fd))
	switch {
	case errno != 0:
		c.fail(os.NewSyscallError("getsockopt", errno))
	case c.watched&poller.Read != 0:
		c.readable()
	case c.watched == 0 && !c.has(flagUnwatched):
		// Both directions were ended in good order while reading is paused.
		// The poller would say so again and again.
		if err := c.loop.Unwatch(int(c.fd)); err != nil {
			c.fail(err)
			return
		}
		c.set(flagUnwatched)
	}
}
