package weir

// AddPending has n bytes more counted as accepted for sending.
func AddPending(c *Connection, n int64) { c.pending.Add(n) }

// InputStorage is the size of the ring that holds what c has received. Loop only.
func InputStorage(c *Connection) int {
	if c.in == nil {
		return 0
	}
	return c.in.Capacity()
}

// LoopStorage is the capacity of the buffers of c's loop for output. Loop only.
func LoopStorage(c *Connection) (out, scratch int) {
	return cap(c.loop.out), cap(c.loop.scratch)
}

// PauseListener has the first listener of c's server pause once more, as after an accept
// that failed, and returns how long it does. On a server with one loop; loop only.
func PauseListener(c *Connection) int64 {
	ln := c.loop.server.listeners[0]
	ln.pause(0)
	return int64(ln.backoff)
}

// DropSpare closes the descriptor that the first listener has in reserve. As
// PauseListener.
func DropSpare(c *Connection) { c.loop.server.listeners[0].closeReserve() }

// Incomplete is what the IncompleteLimit of s is compared with.
func Incomplete(s *Server) int64 { return s.incomplete.Load() }
