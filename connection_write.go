package weir

import "log/slog"

const (
	// writeBufferSize is how much of one connection's output is gathered for
	// one write(2).
	writeBufferSize = 64 << 10
	// keptWriteBuffer is the capacity that the loop's buffer may keep after a
	// message that needed more.
	keptWriteBuffer = 4 * writeBufferSize
	// flushBytes bounds one write(2) or writev(2), and turnBytes what a peer that
	// reads as fast as it is written to can get before it is the turn of the others.
	flushRounds = 4
	flushBytes  = 1 << 20
	turnBytes   = flushRounds * flushBytes
	// minReference is the length from which on the bytes given to Send are not
	// copied but kept until they were written.
	minReference = 4 << 10
)

// Write appends p to what goes to the peer, without passing the Protocol. It
// goes out in one write(2) with everything else that the current callback
// writes. p may be used again as soon as Write returns. Loop only.
//
// It returns len(p) and nil, or 0 and ErrConnectionClosed or ErrWriteBufferFull.
func (c *Connection) Write(p []byte) (int, error) {
	if !c.Connected() {
		return 0, ErrConnectionClosed
	}
	if err := c.buffer(p); err != nil {
		return 0, c.overLimit(len(p))
	}
	return len(p), nil
}

// WriteFrame is Write for a message in two parts, of which either both are accepted
// or none. Loop only.
func (c *Connection) WriteFrame(header, payload []byte) error {
	if !c.Connected() {
		return ErrConnectionClosed
	}
	if n := len(header) + len(payload); !c.fits(n) {
		return c.overLimit(n)
	}
	c.appendOutput(header, false)
	c.appendOutput(payload, false)
	return nil
}

// WritePacket is Write for data that the Protocol turns into bytes: what
// returning data from OnMessage does, any number of times. An error means that no
// bytes were accepted; it is ErrConnectionClosed if the Protocol can't encode data
// and has closed the connection for that. Loop only.
func (c *Connection) WritePacket(data any) error {
	if !c.Connected() {
		return ErrConnectionClosed
	}
	n, err := c.encode(data)
	if err != nil {
		return c.overLimit(n)
	}
	if n == 0 && c.state.Load() != open { // with bytes, it is another goroutine that closes c: they are sent
		return ErrConnectionClosed
	}
	return nil
}

// reply sends what OnMessage returned. Nobody would see its error, so a reply
// that can't be accepted ends the connection.
func (c *Connection) reply(data any) {
	if c.bits.Load()&bitWriteShut != 0 {
		return // this side has said that it sends nothing more
	}
	if _, err := c.encode(data); err != nil {
		c.slow()
	}
}

// overLimit applies the policy for slow consumers to a write of n bytes that was
// refused, and returns its error.
func (c *Connection) overLimit(n int) error {
	o := &c.loop.server.opts
	switch {
	case o.SlowConsumer == CloseSlow:
		c.slow()
	case n <= o.WriteBufferLimit: // who was refused waits for OnWritable
		c.bits.Or(bitOverHighWater)
		if c.loop.current != c { // whose turn ends with a look at it
			c.loop.markDirty(c)
		}
	}
	return ErrWriteBufferFull
}

// slow ends c, which went over its WriteBufferLimit.
func (c *Connection) slow() {
	if !c.has(flagDead) {
		c.loop.stats.SlowConsumers++
		s := c.loop.server
		s.logLimited(&s.lines.slow, slog.LevelWarn, "weir: a slow consumer is closed", func() []any { return c.attrs() })
	}
	c.fail(ErrSlowConsumer)
}

// encode passes data through the Protocol to where put would copy it, and returns
// how many bytes it became.
func (c *Connection) encode(data any) (int, error) {
	l := c.loop
	l.stats.MessagesOut++
	if l.server.appender == nil {
		p := l.server.opts.Protocol.Packet(c, data)
		return len(p), c.buffer(p)
	}
	if l.current != c || c.out != nil {
		p := l.encode(c, data)
		err := c.buffer(p)
		l.scratch = trim(p)
		return len(p), err
	}
	before := len(l.out)
	// Until AppendPacket returns, the bytes after l.out are its: see store for what
	// it writes to c itself.
	l.current, l.encoding = nil, c
	p := l.server.appender.AppendPacket(l.out, c, data)
	l.current, l.encoding = c, nil
	n := max(len(p)-before, 0) // less is a fault of the Protocol's, and nobody else's bytes
	switch {
	case c.out != nil: // it has written; what was in l.out went before that
		return n, c.buffer(p[len(p)-n:])
	case !c.fits(n):
		return n, ErrWriteBufferFull
	case n > 0:
		l.out = p
	}
	if len(l.out) >= writeBufferSize {
		c.writeBuffered()
	}
	return n, nil
}

// encode has the appender encode data for c into the loop's scratch buffer, which a
// call from within that does not find: the caller puts it back.
func (l *loop) encode(c *Connection, data any) []byte {
	p := l.scratch[:0]
	l.scratch = nil
	return l.server.appender.AppendPacket(p, c, data)
}

// buffer appends a copy of p to the output: to the loop's write buffer if c is
// the connection whose callback is running and nothing is before it, else to
// c's own queue.
func (c *Connection) buffer(p []byte) error {
	if !c.fits(len(p)) {
		return ErrWriteBufferFull
	}
	c.appendOutput(p, false)
	return nil
}

// appendOutput is put for what is known to fit. Shared bytes need not be copied.
func (c *Connection) appendOutput(p []byte, shared bool) {
	l := c.loop
	switch {
	case len(p) == 0:
	case l.current != c || c.out != nil:
		if l.current == nil && l.encoding == c {
			c.overtake()
		}
		c.keep(p, shared)
		if l.current != c { // whose turn ends with a flush
			l.markDirty(c)
		}
	case len(l.out)+len(p) < writeBufferSize:
		l.out = append(l.out, p...)
	default:
		c.writeBuffered()
		for n := 1; n > 0 && len(p) > 0 && c.direct(); {
			n = c.tryWrite(p[:min(len(p), flushBytes)])
			p = p[n:]
		}
		if len(p) > 0 {
			c.keep(p, shared)
		}
	}
}

// direct reports whether bytes of the callback that is running may go to the system
// now. Those past turnBytes wait in the queue, where they count: who writes as fast as
// the peer reads meets the high-water mark all the same.
func (c *Connection) direct() bool {
	return c.out == nil && !c.has(flagBlocked|flagDead) && c.loop.turn < turnBytes
}

// overtake queues what was written before the message that is being encoded: what
// AppendPacket writes to c goes out after that, and before what it returns.
func (c *Connection) overtake() {
	l := c.loop
	if len(l.out) > 0 {
		c.appendOutbound(l.out)
		l.out = l.out[:0]
	}
}

// fits reports whether n more bytes are within the WriteBufferLimit.
func (c *Connection) fits(n int) bool {
	return c.loop.server.opts.admit(c.pending.Load(), int64(n))
}

// admit reports whether size more bytes are accepted from a connection with that many
// pending. At the low-water mark all are that can be accepted at all, so that whoever
// was refused, and is told then, does not wait for more.
func (o *Options) admit(pending, size int64) bool {
	limit := int64(o.WriteBufferLimit)
	return pending <= limit-size || pending <= int64(o.LowWaterMark) && size <= limit
}
