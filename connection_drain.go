package weir

// lastCall begins Shutdown's part of the end: what the peer's system has been told is
// received, and that is what lies in the socket now, is still read, by and by and in
// turn with the others, and nothing that comes later. If that waits for the peer to read
// what it was sent, the peer's time for it begins: see stallTimeout.
func (c *Connection) lastCall() {
	c.set(flagLastCall)
	if c.out != nil {
		c.track()
		c.lastProgress = c.loop.Clock()
	}
	if c.state.Load() != open || c.has(flagEOF|flagDead) {
		return
	}
	if n := c.loop.sys.Unread(int(c.fd)); n > 0 {
		c.coldState().unread = n
	}
}

// countdown notes that n of the bytes that Shutdown has found are read.
func (c *Connection) countdown(n int) {
	if c.cold != nil {
		c.cold.unread -= min(n, c.cold.unread)
	}
}

// unread reports whether bytes that Shutdown has found in the socket are still there.
func (c *Connection) unread() bool { return c.cold != nil && c.cold.unread > 0 }

// inputEnded reports that no message will come any more: the peer's stream
// has ended, or the server drains, and everything was delivered.
func (c *Connection) inputEnded() bool {
	if !c.has(flagEOF|flagLastCall) || c.has(flagHeld) || !c.has(flagEOF) && c.unread() {
		return false
	}
	return c.in == nil || !c.has(flagUndelivered) // what is not a whole message, and never will be, waits for nothing
}
