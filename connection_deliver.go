package weir

import (
	"fmt"
	"io"
	"math"

	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/ringbuffer"
)

// deliverOwn delivers what is in the connection's own ring.
func (c *Connection) deliverOwn() {
	c.deliver(c.in)
	c.shrinkInput()
}

// deliverBoth delivers what was left of earlier reads, put in front of the n
// bytes of this one in the loop's read buffer.
func (c *Connection) deliverBoth(n int) {
	l := c.loop
	first, rest := c.in.PeekAll()
	start := headroom - len(first) - len(rest)
	copy(l.readBuffer[start+copy(l.readBuffer[start:], first):], rest)
	l.input.WithData(l.readBuffer[start : headroom+n])
	own := c.in
	own.RetrieveAll()
	c.in = nil
	c.deliver(&l.input)
	c.saveRemainder(own)
}

// method is which of the program's methods is running in deliver. It is noted
// for every message, so it is a small number.
type method uint8

const (
	inProtocol method = iota // UnPacket or Split
	inHandler                // OnMessage
	inEncoder                // Packet or AppendPacket
)

func (m method) name(s *Server) string {
	switch m {
	case inProtocol:
		return s.decoder
	case inEncoder:
		return s.encoder
	}
	return "OnMessage"
}

// deliver cuts messages from buf and hands them to OnMessage, until what is
// left is not a whole message, or nothing may be delivered now.
func (c *Connection) deliver(buf *ringbuffer.RingBuffer) {
	c.set(flagUndelivered)
	var running method
	returned := false
	defer func() {
		if v := recover(); !returned {
			c.panicked(running.name(c.loop.server), v)
		}
	}()
	if s := c.loop.server; s.splitter != nil {
		c.split(s, buf, &running)
	} else {
		c.unpack(s, buf, &running)
	}
	if c.has(flagUndelivered) && c.has(flagIncomplete) { // what is left may be whole messages
		c.uncountIncomplete()
	}
	returned = true
}

// unpack is deliver with UnPacket.
func (c *Connection) unpack(s *Server, buf *ringbuffer.RingBuffer, running *method) {
	l := c.loop
	whole := buf.Length()
	left, same := whole, 0
	for c.receiving() {
		*running = inProtocol
		l.Progress()
		ctx, payload := s.opts.Protocol.UnPacket(c, buf)
		if ctx == nil && len(payload) == 0 {
			n := buf.Length()
			c.cut(n, n < whole)
			return
		}
		if c.state.Load() != open {
			return
		}
		*running = inHandler
		l.stats.MessagesIn++
		var out any
		if l.untimed--; l.untimed == 0 {
			out = c.timed(ctx, payload)
		} else {
			out = s.handler.OnMessage(c, ctx, payload)
		}
		if out != nil {
			*running = inEncoder
			c.reply(out)
		}
		if n := buf.Length(); n != left {
			left, same = n, 0
		} else if same++; same == maxNoProgress {
			c.closeNoProgress()
		}
	}
}

// split is deliver with Split. It says once more what unpack says: one loop for both
// costs a nanosecond a message.
func (c *Connection) split(s *Server, buf *ringbuffer.RingBuffer, running *method) {
	l := c.loop
	data, same := buf.View(buf.Length()), 0
	whole := len(data)
	for len(data) > 0 && c.receiving() {
		*running = inProtocol
		l.Progress()
		n, ctx, payload := s.splitter.Split(c, data)
		data = data[n:]
		buf.Retrieve(n)
		if ctx == nil && len(payload) == 0 {
			if n == 0 {
				c.cut(len(data), len(data) < whole)
				return
			}
			continue
		}
		if c.state.Load() != open {
			return
		}
		*running = inHandler
		l.stats.MessagesIn++
		var out any
		if l.untimed--; l.untimed == 0 {
			out = c.timed(ctx, payload)
		} else {
			out = s.handler.OnMessage(c, ctx, payload)
		}
		if out != nil {
			*running = inEncoder
			c.reply(out)
		}
		if same++; n > 0 {
			same = 0
		} else if same == maxNoProgress {
			c.closeNoProgress()
		}
	}
}

// cut notes that what was received has no whole message any more, and closes c if
// what waits for the rest of its message is too much. fresh says that this message
// was not waited for before.
func (c *Connection) cut(waiting int, fresh bool) {
	receiving := c.receiving()
	if receiving { // else whole messages may be left: UnPacket has paused c, and stopped for that reason
		c.unset(flagUndelivered)
	}
	most := c.loop.server.opts.MaxMessageSize
	switch {
	case waiting > most:
		c.closeFor(fmt.Errorf("%w: over %d bytes", ErrMessageTooLarge, most))
	case !receiving:
	case waiting > uncounted:
		c.countIncomplete(waiting, fresh)
	case c.has(flagIncomplete):
		c.uncountIncomplete()
	}
}

// closeNoProgress closes c because its Protocol would occupy the loop for ever.
func (c *Connection) closeNoProgress() {
	c.closeFor(fmt.Errorf("weir: %s returned %d messages without taking a byte: %w", c.loop.server.decoder, maxNoProgress, io.ErrNoProgress))
}

// timed is an OnMessage that is measured, unless it panics.
func (c *Connection) timed(ctx any, payload []byte) any {
	l := c.loop
	l.untimed = metrics.CallbackSampling
	begin := l.Clock()
	out := l.server.handler.OnMessage(c, ctx, payload)
	took := l.Clock() - begin
	l.callbacks.Observe(took)
	if micros := uint32(min(took.Microseconds(), math.MaxUint32)); micros > c.slowest.Load() {
		c.slowest.Store(micros)
	}
	return out
}

// receiving reports whether OnMessage may be called now.
func (c *Connection) receiving() bool {
	return c.state.Load() == open && c.bits.Load()&(bitPaused|bitOverHighWater) == 0 && !c.has(flagBackpressure)
}

// redeliver goes on with messages that were received and had to wait.
func (c *Connection) redeliver() {
	if c.in != nil && c.receiving() {
		c.restartIncomplete()
		c.deliverOwn()
	}
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
