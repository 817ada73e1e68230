package weir

import (
	"unsafe"

	"github.com/go-weir/weir/internal/eventloop"
)

// SendInLoopFunc is called with the value passed to Send once the caller may reuse it.
type SendInLoopFunc func(any)

// ConnectionOptions is what ConnectionOption functions set.
type ConnectionOptions struct {
	sendInLoop SendInLoopFunc
}

// ConnectionOption changes one Send.
type ConnectionOption func(*ConnectionOptions)

// SendInLoop makes f run on the loop, exactly once, when the data given to Send
// has been written or copied, or can't be sent any more because the connection
// has ended: from then on it may be changed and used again. In the latter case
// that may be after OnClose. If Send returns an error, f is not called.
func SendInLoop(f SendInLoopFunc) ConnectionOption {
	return func(o *ConnectionOptions) { o.sendInLoop = f }
}

// sendOverhead is what a Send counts on top of its bytes while the loop has not
// got to it, so that a flood of small ones meets the limit too: what it holds
// meanwhile, which is its task and, as a rule, a slice in an interface value.
const sendOverhead = int64(unsafe.Sizeof(eventloop.Task{}) + unsafe.Sizeof([]byte(nil)))

// Send queues data, which the Protocol turns into bytes on the connection's
// loop. It never waits. Sends of one goroutine keep their order; what OnMessage
// returns or writes goes out before what is sent meanwhile.
//
// From the call on data belongs to the library, until it was written; the
// SendInLoop option tells when that is.
//
// A nil error means that data will be written unless the connection ends
// first (Err then says how many bytes were lost). ErrConnectionClosed and
// ErrWriteBufferFull mean that nothing was queued. A []byte or a string counts
// against the WriteBufferLimit with its length, and a value that has a method
// Len() int with what that returns; other values do once the loop has turned them
// into bytes.
func (c *Connection) Send(data any, opts ...ConnectionOption) error {
	var done func(any)
	if len(opts) > 0 {
		done = sendOption(opts)
	}
	size := sendSize(data)
	cost := size + sendOverhead
	if !c.Connected() {
		return ErrConnectionClosed
	}
	pending, ok := c.admit(size, cost)
	if !ok {
		c.refuse(size)
		return ErrWriteBufferFull
	}
	// Counted first and the state looked at then: the loop does it the other
	// way round before it closes, so one of the two sees the other.
	if !c.Connected() {
		c.unsend(cost)
		return ErrConnectionClosed
	}
	c.noteHighWater(pending)
	if !c.loop.Post(eventloop.Task{Target: (*socket)(c), Op: opSend, Size: size, Arg: data, Done: done}) {
		c.unsend(cost)
		return ErrConnectionClosed
	}
	return nil
}

func sendOption(opts []ConnectionOption) func(any) {
	var o ConnectionOptions
	for _, opt := range opts {
		opt(&o)
	}
	return o.sendInLoop
}

// admit counts cost if size bytes are within the WriteBufferLimit, and returns
// what is pending then. What is refused is never counted: the loop would take
// it for bytes that are waiting.
func (c *Connection) admit(size, cost int64) (pending int64, ok bool) {
	for {
		pending = c.pending.Load()
		if !c.loop.server.opts.admit(pending, size) {
			return pending, false
		}
		if c.pending.CompareAndSwap(pending, pending+cost) {
			return pending + cost, true
		}
	}
}

// refuse is overLimit for a Send. Each of its tasks is posted once, however many Sends
// are refused before the loop gets to it.
func (c *Connection) refuse(size int64) {
	c.loop.refusedSends.Add(1)
	o := &c.loop.server.opts
	switch {
	case o.SlowConsumer == CloseSlow:
		if c.bits.Or(bitSlow)&bitSlow == 0 {
			c.post(opSlow)
		}
	case size <= int64(o.WriteBufferLimit) && c.bits.Or(bitOverHighWater)&bitOverHighWater == 0:
		c.resume()
	}
}

// unsend takes back what Send has counted. The loop may have seen the count and
// be waiting for that data.
func (c *Connection) unsend(cost int64) {
	c.pending.Add(-cost)
	if !c.Connected() {
		c.resume()
	}
}

func sendSize(data any) int64 {
	switch data := data.(type) {
	case []byte:
		return int64(len(data))
	case string:
		return int64(len(data))
	case interface{ Len() int }:
		return int64(max(data.Len(), 0))
	}
	return 0
}

// performSend is Send on the loop. The bytes are written when the cycle ends,
// together with those of other Sends.
func (c *Connection) performSend(t *eventloop.Task) {
	n, referenced := 0, false
	switch f := c.failedWrite(); {
	case c.state.Load() == closed || c.has(flagDead):
	case f != nil: // it was accepted before writing failed
		f.lost += t.Size
	default:
		c.loop.markDirty(c)
		n, referenced = c.queueSend(t)
	}
	c.account(n, t.Size+sendOverhead)
	if t.Done != nil && !referenced {
		done, arg := t.Done, t.Arg
		c.call("SendInLoop", func() { done(arg) })
	}
}

// uncount takes back what a Send has counted that was not encoded.
func (c *Connection) uncount(t *eventloop.Task) {
	c.account(0, t.Size+sendOverhead)
	if done, arg := t.Done, t.Arg; done != nil {
		c.call("SendInLoop", func() { done(arg) })
	}
}

// queueSend encodes and queues data. It returns the number of bytes, and whether
// the queue has to tell done: it holds data itself then, and not a copy.
func (c *Connection) queueSend(t *eventloop.Task) (n int, referenced bool) {
	l, encoded := c.loop, false
	defer func() {
		v := recover()
		if encoded {
			return
		}
		c.panicked(l.server.encoder, v)
		if v == nil { // runtime.Goexit: performSend gets no further
			c.uncount(t)
		}
	}()
	l.stats.MessagesOut++
	var p []byte
	if l.server.appender != nil {
		p = l.encode(c, t.Arg)
		defer func() { l.scratch = trim(p) }()
	} else {
		p = l.server.opts.Protocol.Packet(c, t.Arg)
	}
	encoded = true
	switch {
	case len(p) == 0:
		return 0, false
	case len(p) >= minReference && sameBytes(p, t.Arg):
		c.outboundQueue().appendReference(p, t.Arg, t.Done)
		return len(p), true
	}
	c.outboundQueue().append(p)
	return len(p), false
}
