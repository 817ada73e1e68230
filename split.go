package weir

import "github.com/go-weir/weir/ringbuffer"

// Splitter is a Protocol that cuts messages from a plain slice, as a
// bufio.SplitFunc does: simpler to write than UnPacket, and faster for streams of
// small messages. If a server's Protocol implements it, UnPacket is not called;
// UnPacketBySplit is what it can be made of. A type that embeds a Splitter to
// change what its UnPacket does has to change Split as well.
type Splitter interface {
	// Split takes the next message off the front of data, which is all that
	// was received and not yet taken, and never empty. It returns how many
	// bytes it takes, and the message, which is as UnPacket's. 0 without a
	// message means that it has to see more. It is called again for what is
	// left, so bytes that belong to no message may be taken without one.
	//
	// The payload may be a part of data, and is valid until OnMessage returns.
	// The bytes that are taken may be changed; data must not be kept.
	Split(c *Connection, data []byte) (n int, ctx any, payload []byte)
}

// UnPacketBySplit is UnPacket for a Protocol that is written as a Splitter:
//
//	func (p *Protocol) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
//		return weir.UnPacketBySplit(p, c, b)
//	}
func UnPacketBySplit(s Splitter, c *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	for !buffer.IsEmpty() {
		data := buffer.View(buffer.Length())
		n, ctx, payload := s.Split(c, data)
		buffer.Retrieve(len(data) - len(data[n:]))  // a panic, if n is more than there is
		ended := c != nil && c.state.Load() != open // tests give no connection
		if n == 0 || ctx != nil || len(payload) > 0 || ended {
			return ctx, payload
		}
	}
	return nil, nil
}
