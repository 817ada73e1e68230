package weir

// CallBack is the part of a Handler that hears of messages and of the end.
type CallBack interface {
	// OnMessage hears of one message, as Protocol.UnPacket cut it. data is
	// valid until OnMessage returns. What it returns, unless nil, goes through
	// Protocol.Packet to the peer; Connection.Write does the same for raw
	// bytes without making an interface value of them. Connection.Wake calls
	// OnMessage too, with a nil ctx and no data.
	OnMessage(c *Connection, ctx any, data []byte) (out any)

	// OnClose is the last that is heard of c, exactly once for each
	// OnConnect. c.Err says why. Nothing can be sent any more.
	OnClose(c *Connection)
}

// Handler is what a server tells about its connections. All callbacks for one
// connection run on its loop, one after the other: they must not block, and
// what they keep with the connection needs no lock. Callbacks for connections
// on different loops run at the same time.
//
// A callback that panics loses that connection only (see PanicError).
type Handler interface {
	CallBack
	// OnConnect is the first that is heard of c.
	OnConnect(c *Connection)
}

// WritableHandler is a Handler that wants to know when a connection that was
// over its high-water mark, or refused something with ErrWriteBufferFull, has drained
// to its low-water mark, and may be sent more.
type WritableHandler interface {
	// OnWritable runs on the loop, like all callbacks. It follows each time that a
	// connection has passed the mark or refused a message, once for all that did
	// meanwhile, unless the connection ends first. Another goroutine may hear of it
	// before its own Send has returned.
	OnWritable(c *Connection)
}

// ShutdownHandler is a Handler that wants to know that Server.Shutdown has begun: to
// say goodbye in the words of its protocol.
type ShutdownHandler interface {
	// OnShutdown runs on the loop, once for each connection that is open then. What it
	// writes is sent. The connection is closed as soon as what was received is
	// delivered, unless OnShutdown holds it (see Connection.Hold) for the peer's
	// answer.
	OnShutdown(c *Connection)
}

// HalfCloseHandler is a Handler that wants to know at once that a peer has ended
// its stream. As a rule that is the end of the connection; one that is held (see
// Connection.Hold) stays open.
type HalfCloseHandler interface {
	// OnHalfClose runs on the loop, once at most, when all that the peer has
	// sent was received. A peer that went away looks just like one that only
	// ended its own half, and waits for the rest.
	OnHalfClose(c *Connection)
}
