package weir

// failedWrite is a write that the system has refused for good while input was there to be
// read. A peer may have sent its last message and reset the connection: that message is
// delivered, as package net would, although nothing can be answered any more.
type failedWrite struct {
	err  error
	lost int64 // bytes that were accepted for sending and then given up
}

// writeFailed ends c because of err: at once, or as soon as what lies in the socket now is
// delivered. Nothing is accepted for sending meanwhile.
func (c *Connection) writeFailed(err error) {
	if c.failedWrite() != nil {
		return
	}
	unread := 0
	if c.state.Load() == open && !c.has(flagHeld|flagLastCall) && c.wantsInput() {
		unread = c.loop.sys.Unread(int(c.fd))
	}
	if unread <= 0 {
		c.fail(err)
		return
	}
	x := c.coldState()
	x.failed, x.unread = &failedWrite{err: err}, unread
	c.bits.Or(bitWriteShut)
	c.set(flagBlocked | flagLastCall)
	c.loop.markDirty(c)
}

// failedWrite is nil for a connection whose writes have not failed.
func (c *Connection) failedWrite() *failedWrite {
	if c.cold == nil {
		return nil
	}
	return c.cold.failed
}

// moveFailed gives up what can't be sent, and ends c once nothing more can be delivered.
func (c *Connection) moveFailed(f *failedWrite) {
	if c.out != nil {
		f.lost += int64(c.out.size())
		c.dropOutput()
	}
	if c.unread() && c.wantsInput() {
		return
	}
	err := f.err
	if f.lost > 0 {
		c.set(flagUnsent)
		err = &UnsentError{Bytes: f.lost, Cause: f.err}
	}
	c.fail(err)
}
