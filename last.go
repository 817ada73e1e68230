package weir

import "github.com/go-weir/weir/ringbuffer"

// LastProtocol is a Protocol whose last message may be ended by the end of the stream,
// as the last line of a text often is.
type LastProtocol interface {
	// UnPacketLast is called at most once, when the peer has ended its stream and
	// UnPacket or Split has left something in buffer. What it returns is as
	// UnPacket's. A peer's system ends the stream of a program that has crashed, too:
	// such a message may be a part of one.
	UnPacketLast(c *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte)
}

// deliverLast delivers what UnPacket has left, if it is a message now that the peer's
// stream has ended.
func (c *Connection) deliverLast() {
	s := c.loop.server
	if s.last == nil || c.in == nil || !c.has(flagEOF) || c.state.Load() != open {
		return
	}
	var ctx any
	var payload []byte
	c.call("UnPacketLast", func() { ctx, payload = s.last.UnPacketLast(c, c.in) })
	if (ctx != nil || len(payload) > 0) && c.state.Load() == open {
		c.loop.stats.MessagesIn++
		c.call("OnMessage", func() {
			if out := s.handler.OnMessage(c, ctx, payload); out != nil {
				c.reply(out)
			}
		})
	}
	c.dropInput() // what is left is no message, nor will it be one
	c.flush()
}
