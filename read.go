package weir

import (
	"fmt"
	"io"
	"math"
	"os"
	"syscall"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/ringbuffer"
)

const (
	readBufferSize = 64 << 10
	// readRounds is how many buffers full of one peer's stream are read in a row.
	readRounds = 4
	// headroom is the room in front of the loop's read buffer. What is left of a
	// cut message and fits is put there, so that the next read continues it.
	headroom = 4 << 10
	// directRead is the room in a connection's own ring from which on bytes
	// are read straight into it; below, they go through the loop's buffer.
	directRead = 16 << 10
	// readBytes bounds one read, however much room the ring of a large message has.
	readBytes = 1 << 20
	// fruitless is how many messages in a row UnPacket may return without
	// taking a byte. One that never takes any would occupy the loop for ever.
	fruitless = 1 << 16
)

// readable reads and delivers what came. There is one read per wake-up, however
// busy the peer, because the poller reports the rest again; a stream that fills the
// buffer and asks for no answer is read up to readRounds times.
func (c *Connection) readable() {
	for range readRounds {
		if !c.receive() || len(c.loop.out) > 0 || c.pending.Load() > 0 {
			return
		}
	}
}

// receive reads once and delivers what came. It reports whether that has filled
// the buffer, so that there is more as a rule.
func (c *Connection) receive() bool {
	if c.has(flagClosing) || !c.wantsInput() {
		// finish reads, and throws away; or reading was paused by a callback
		// that ran since the poller was asked.
		return false
	}
	l := c.loop
	p, direct := l.readBuffer[headroom:], false
	if c.in != nil {
		if free := c.in.Free(); len(free) >= directRead {
			p, direct = free[:min(len(free), readBytes)], true
		}
	}
	n, errno := l.sys.Read(int(c.fd), p)
	l.stats.Reads++
	switch {
	case sock.Temporary(errno):
		if errno == syscall.EAGAIN && c.has(flagLastCall) {
			c.countdown(math.MaxInt) // whatever was counted, there is nothing left
		}
		return false
	case errno != 0:
		c.fail(os.NewSyscallError("read", errno))
		return false
	case n == 0:
		c.set(flagEOF)
		c.halfClosed()
		return false
	}
	l.stats.BytesIn += uint64(n)
	c.madeProgress()
	if c.has(flagLastCall) {
		c.countdown(n)
	}
	switch {
	case direct:
		c.in.Commit(n)
		c.deliverOwn()
	case c.in == nil:
		l.input.WithData(p[:n])
		c.deliver(&l.input)
		if !l.input.IsEmpty() {
			c.keepRest(takeRing())
		}
	case c.in.Length() <= headroom:
		c.deliverBoth(n)
	default:
		_, _ = c.in.Write(p[:n]) // never fails: the ring grows
		c.deliverOwn()
	}
	return n == len(p)
}

// deliverOwn delivers what is in the connection's own ring.
func (c *Connection) deliverOwn() {
	c.deliver(c.in)
	c.tidyInput()
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
	c.keepRest(own)
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
	c.set(flagUncut)
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
	if c.has(flagUncut) && c.has(flagIncomplete) { // what is left may be whole messages
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
		} else if same++; same == fruitless {
			c.fruitless()
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
		} else if same == fruitless {
			c.fruitless()
		}
	}
}

// cut notes that what was received has no whole message any more, and closes c if
// what waits for the rest of its message is too much. fresh says that this message
// was not waited for before.
func (c *Connection) cut(waiting int, fresh bool) {
	receiving := c.receiving()
	if receiving { // else whole messages may be left: UnPacket has paused c, and stopped for that reason
		c.unset(flagUncut)
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

// fruitless closes c because its Protocol would occupy the loop for ever.
func (c *Connection) fruitless() {
	c.closeFor(fmt.Errorf("weir: %s returned %d messages without taking a byte: %w", c.loop.server.decoder, fruitless, io.ErrNoProgress))
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
	return c.state.Load() == open && c.bits.Load()&(bitPaused|bitOver) == 0 && !c.has(flagPressured)
}

// keepRest makes r the connection's own ring, with what deliver left of the loop's
// view.
func (c *Connection) keepRest(r *ringbuffer.RingBuffer) {
	view := &c.loop.input
	if view.IsEmpty() || c.state.Load() != open {
		returnRing(r)
	} else {
		first, end := view.PeekAll()
		_, _ = r.Write(first) // never fails: the ring grows
		_, _ = r.Write(end)
		r.Shrink() // a few bytes must not hold on to the memory of many
		c.in = r
	}
	view.RetrieveAll()
	c.noteInput()
}

// tidyInput gives back the memory that c.in has no more use for.
func (c *Connection) tidyInput() {
	if c.in.IsEmpty() || c.state.Load() != open {
		c.dropInput()
		return
	}
	c.in.Shrink() // a few bytes must not hold on to the memory of many
	c.noteInput()
}

func (c *Connection) dropInput() {
	if c.has(flagIncomplete) {
		c.uncountIncomplete()
	}
	if c.in != nil {
		returnRing(c.in)
		c.in = nil
		c.noteInput()
	}
}

func (c *Connection) noteInput() {
	n := 0
	if c.in != nil {
		n = c.in.Length()
	}
	c.loop.stats.InputBytes += int64(n) - c.received.Swap(int64(n))
}

// redeliver goes on with messages that were received and had to wait.
func (c *Connection) redeliver() {
	if c.in != nil && c.receiving() {
		c.restartIncomplete()
		c.deliverOwn()
	}
}

// pressure stops reading from a peer that does not read what it is sent. It
// goes by what mark has noted, and not by what is pending now: who has seen the
// high-water mark passed, and stopped, waits for OnWritable, even if all was
// sent meanwhile.
func (c *Connection) pressure() {
	if c.bits.Load()&bitOver == 0 {
		return
	}
	c.bits.And(^bitOver)
	if !c.has(flagPressured) && c.state.Load() == open {
		c.set(flagPressured)
		c.loop.stats.Pauses++
		c.loop.stats.Paused++
	}
}

// unpressure undoes pressure.
func (c *Connection) unpressure() {
	if c.has(flagPressured) {
		c.unset(flagPressured)
		c.loop.stats.Paused--
	}
}

// relieved reports whether c was over its high-water mark and has drained.
func (c *Connection) relieved() bool {
	return c.has(flagPressured) && c.pending.Load() <= int64(c.loop.server.opts.LowWaterMark)
}

// relieve goes on with a connection that was over its high-water mark and has
// drained, and reports whether it has: then there may be more to send.
func (c *Connection) relieve() bool {
	c.pressure()
	if !c.relieved() {
		return false
	}
	s := c.loop.server
	c.unpressure()
	if s.writable != nil && c.state.Load() == open {
		c.call("OnWritable", func() { s.writable.OnWritable(c) })
	}
	c.redeliver()
	return true
}

// lastCall begins Shutdown's part of the end: what the peer's system has been told is
// received, and that is what lies in the socket now, is still read, by and by and in
// turn with the others, and nothing that comes later. If that waits for the peer to read
// what it was sent, the peer's time for it begins: see stallTimeout.
func (c *Connection) lastCall() {
	c.set(flagLastCall)
	if c.out != nil {
		c.track()
		c.lastProgress = c.loop.Clock()
	}
	if c.state.Load() != open || c.has(flagEOF|flagDead) {
		return
	}
	if n := c.loop.sys.Unread(int(c.fd)); n > 0 {
		c.extra().unread = n
	}
}

// countdown notes that n of the bytes that Shutdown has found are read.
func (c *Connection) countdown(n int) {
	if c.extras != nil {
		c.extras.unread -= min(n, c.extras.unread)
	}
}

// unread reports whether bytes that Shutdown has found in the socket are still there.
func (c *Connection) unread() bool { return c.extras != nil && c.extras.unread > 0 }

// inputEnded reports that no message will come any more: the peer's stream
// has ended, or the server drains, and everything was delivered.
func (c *Connection) inputEnded() bool {
	if !c.has(flagEOF|flagLastCall) || c.has(flagHeld) || !c.has(flagEOF) && c.unread() {
		return false
	}
	return c.in == nil || !c.has(flagUncut) // what is not a whole message, and never will be, waits for nothing
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
