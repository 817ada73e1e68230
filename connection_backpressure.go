package weir

// pauseForBackpressure stops reading from a peer that does not read what it is sent. It
// goes by what mark has noted, and not by what is pending now: who has seen the
// high-water mark passed, and stopped, waits for OnWritable, even if all was
// sent meanwhile.
func (c *Connection) pauseForBackpressure() {
	if c.bits.Load()&bitOverHighWater == 0 {
		return
	}
	c.bits.And(^bitOverHighWater)
	if !c.has(flagBackpressure) && c.state.Load() == open {
		c.set(flagBackpressure)
		c.loop.stats.Pauses++
		c.loop.stats.Paused++
	}
}

// clearBackpressure undoes pressure.
func (c *Connection) clearBackpressure() {
	if c.has(flagBackpressure) {
		c.unset(flagBackpressure)
		c.loop.stats.Paused--
	}
}

// drained reports whether c was over its high-water mark and has drained.
func (c *Connection) drained() bool {
	return c.has(flagBackpressure) && c.pending.Load() <= int64(c.loop.server.opts.LowWaterMark)
}

// resumeAfterDrain goes on with a connection that was over its high-water mark and has
// drained, and reports whether it has: then there may be more to send.
func (c *Connection) resumeAfterDrain() bool {
	c.pauseForBackpressure()
	if !c.drained() {
		return false
	}
	s := c.loop.server
	c.clearBackpressure()
	if s.writable != nil && c.state.Load() == open {
		c.call("OnWritable", func() { s.writable.OnWritable(c) })
	}
	c.redeliver()
	return true
}

// PauseRead stops OnMessage for this connection after the current one, and
// reading from its peer, whose system then stops it from sending. A peer that
// resets the connection meanwhile is noticed; one that ends its stream is
// noticed after ResumeRead. Wake still calls OnMessage.
func (c *Connection) PauseRead() {
	if c.bits.Or(bitPaused)&bitPaused == 0 {
		c.resume() // with the bit set, it only tells the poller
	}
}

// ResumeRead undoes PauseRead, however often that was called. Messages that were
// received already are delivered first.
func (c *Connection) ResumeRead() {
	if c.bits.And(^bitPaused)&bitPaused != 0 {
		c.resume()
	}
}

// blocked notes that the system takes nothing more until it says so.
func (c *Connection) blocked() {
	if !c.has(flagBlocked) {
		c.set(flagBlocked)
		c.track()
		c.madeProgress() // its buffer has just filled: what ends a stall, or begins one
	}
}

// noteHighWater notes that the high-water noteHighWater was passed, if it was by what has made
// pending that much. Any goroutine.
func (c *Connection) noteHighWater(pending int64) {
	if pending > int64(c.loop.server.opts.HighWaterMark) {
		c.bits.Or(bitOverHighWater)
	}
}
