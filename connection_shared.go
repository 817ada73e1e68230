package weir

// WriteShared is Write for bytes that many connections are sent: what the system does
// not take at once is referenced and not copied, if that is 4 KiB or more. So p must
// stay as it is for good: there is no way to know when the last connection has written
// it. Loop only.
//
// It returns nil, ErrConnectionClosed or ErrWriteBufferFull.
func (c *Connection) WriteShared(p []byte) error {
	if !c.Connected() {
		return ErrConnectionClosed
	}
	if !c.fits(len(p)) {
		return c.overLimit(len(p))
	}
	c.appendOutput(p, true)
	return nil
}

// keep puts p behind all that waits already: itself if it is shared and long enough,
// else a copy.
func (c *Connection) keep(p []byte, shared bool) {
	if !shared || len(p) < minReference {
		c.appendOutbound(p)
		return
	}
	c.outboundQueue().appendReference(p, nil, nil)
	c.account(len(p), 0)
}

// WriteBlocked reports whether the system has refused bytes of the connection, and has
// not said since that it takes more: what is unsent then is what the peer has not made
// room for. While it is false, unsent bytes have just been written and go to the system
// when the cycle ends. Loop only.
func (c *Connection) WriteBlocked() bool { return c.has(flagBlocked) }

// WriteFits reports whether Write accepts that many bytes at the moment. Any goroutine.
func (c *Connection) WriteFits(bytes int) bool { return c.fits(bytes) }
