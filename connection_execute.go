package weir

import "github.com/go-weir/weir/internal/eventloop"

// Wake makes the loop call OnMessage with a nil ctx and no data, soon and
// once, however many goroutines call Wake before it does. On a connection that is
// ending it returns ErrConnectionClosed.
func (c *Connection) Wake() error {
	if c.state.Load() != open {
		return ErrConnectionClosed
	}
	if c.bits.Or(bitWoken)&bitWoken == 0 && !c.post(opWake) {
		return ErrConnectionClosed
	}
	return nil
}

func (c *Connection) wake() {
	c.bits.And(^bitWoken)
	if c.state.Load() != open {
		return
	}
	c.call("OnMessage", func() {
		if out := c.loop.server.handler.OnMessage(c, nil, nil); out != nil {
			c.reply(out)
		}
	})
}

// Execute runs f on the connection's loop, in the order of this goroutine's
// Sends. If the connection ends first, f is not run. On a connection that is
// ending it returns ErrConnectionClosed. If f panics, the
// connection is closed, as with any callback.
func (c *Connection) Execute(f func()) error {
	if c.state.Load() != open {
		return ErrConnectionClosed
	}
	if !c.loop.Post(eventloop.Task{Target: (*socket)(c), Op: opExecute, Arg: f}) {
		return ErrConnectionClosed
	}
	return nil
}

// resume has the loop look at c again, in this cycle or the next: once, however often
// it is asked before it does.
func (c *Connection) resume() {
	if c.bits.Or(bitResuming)&bitResuming == 0 {
		c.post(opResume)
	}
}

func (c *Connection) post(op int) bool {
	return c.loop.Post(eventloop.Task{Target: (*socket)(c), Op: op})
}
