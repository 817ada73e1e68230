package weir

import (
	"fmt"

	"github.com/go-weir/weir/ringbuffer"
)

// Protocol cuts a byte stream into messages and turns messages into bytes.
// One Protocol serves all connections of a server, on all loops at once; the
// methods are called on the loop of the connection they are given, so what
// they keep with it (Connection.SetProtocolState) needs no lock.
type Protocol interface {
	// UnPacket takes the next message off buffer. It is called again until it
	// returns nil and an empty payload, which means that the bytes in buffer
	// are not a whole message yet. A message without bytes has a non-nil ctx.
	//
	// ctx and payload go to OnMessage. The payload may be a part of buffer
	// (RingBuffer.View, Peek): it is valid until OnMessage returns.
	//
	// A stream that can't be understood is ended with c.CloseWithError:
	// UnPacket and OnMessage are then not called again for c.
	UnPacket(c *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte)

	// Packet returns the bytes to send for data, which is what OnMessage
	// returned or Send was given. They are copied before Packet is called
	// again, except that data itself, if it is a []byte, may be returned. What it
	// writes to c itself (Write, WriteFrame, WritePacket) goes out before them, and
	// what it sends to c (Send) after them.
	Packet(c *Connection, data any) []byte
}

// PacketAppender is a Protocol that can encode without a buffer of its own.
// If a server's Protocol implements it, Packet is not called.
type PacketAppender interface {
	// AppendPacket appends the bytes to send for data to dst and returns the
	// extended slice, as append does. dst must not be kept. What it writes or sends
	// to c itself goes out as with Packet.
	AppendPacket(dst []byte, c *Connection, data any) []byte
}

// ValidProtocol is a Protocol that knows whether it can work: one that takes
// options, so that making it and giving it to CustomProtocol is one expression.
type ValidProtocol interface {
	// Validate is called once by NewServer, which fails with the error that it
	// returns.
	Validate() error
}

// DefaultProtocol has no framing: a message is whatever has arrived. Data to
// send is a []byte or a string.
type DefaultProtocol struct{}

// UnPacket returns all bytes in buffer.
func (*DefaultProtocol) UnPacket(_ *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	payload = buffer.View(buffer.Length())
	buffer.RetrieveAll()
	return nil, payload
}

// Packet returns data as it is. Anything but a []byte or a string closes the
// connection with an error that names its type.
func (*DefaultProtocol) Packet(c *Connection, data any) []byte {
	switch data := data.(type) {
	case []byte:
		return data
	case string:
		return []byte(data)
	}
	c.CloseWithError(fmt.Errorf("weir: DefaultProtocol can't send a %T: give it a []byte or a string, or set a CustomProtocol", data))
	return nil
}

// LastProtocol is a Protocol whose last message may be ended by the end of the stream,
// as the last line of a text often is.
type LastProtocol interface {
	// UnPacketLast is called at most once, when the peer has ended its stream and
	// UnPacket or Split has left something in buffer. What it returns is as
	// UnPacket's. A peer's system ends the stream of a program that has crashed, too:
	// such a message may be a part of one.
	UnPacketLast(c *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte)
}

// Splitter is a Protocol that cuts messages from a plain slice, as a
// bufio.SplitFunc does: simpler to write than UnPacket, and faster for streams of
// small messages. If a server's Protocol implements it, UnPacket is not called;
// UnPacketBySplit is what it can be made of. A type that embeds a Splitter to
// change what its UnPacket does has to change Split as well.
type Splitter interface {
	// Split takes the next message off the front of data, which is all that
	// was received and not yet taken, and never empty. It returns how many
	// bytes it takes, and the message, which is as UnPacket's. n == 0 and no
	// message: more bytes are needed. It is called again for what is
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
