package weir

// Hold keeps the connection open for a reply that is still being made, perhaps by
// another goroutine: until Hold(false), neither the end of the peer's stream nor
// Shutdown ends it, and with Shutdown it is still read. All other ends, such as
// Close, a reset by the peer, or the idle time, come as ever. What was received
// meanwhile and not taken by UnPacket is lost with Hold(false), unless UnPacket is
// what calls it. Loop only.
func (c *Connection) Hold(on bool) {
	if on {
		c.set(flagHeld)
	} else if c.has(flagHeld) {
		c.unset(flagHeld)
		c.restartIncomplete()
		c.loop.markDirty(c) // it may be what was waited for
	}
}

// halfClosed tells the program that the peer has ended its stream.
func (c *Connection) halfClosed() {
	if h := c.loop.server.halfCloser; h != nil && c.state.Load() == open {
		c.call("OnHalfClose", func() { h.OnHalfClose(c) })
	}
}
