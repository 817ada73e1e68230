package protocoltest

import (
	"errors"
	"fmt"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// fruitless is how many messages in a row UnPacket may return without taking a
// byte.
const fruitless = 1000

// plan is a way to feed a stream to UnPacket.
type plan struct {
	name string

	// cut returns how many of the rest bytes come next; nil: all. 0 means that
	// UnPacket is called again although nothing has come.
	cut func(rest int) int

	// layout returns how the ring holds the waiting bytes, which are the last
	// of the fed bytes; nil: borrowed.
	layout func(waiting, fed int) int
}

// outcome is what became of a stream.
type outcome struct {
	messages []Message
	counts   []int  // counts[i]: how many messages had been returned when i bytes had come
	written  []byte // to the peer
	err      error  // why the connection was closed; nil: it wasn't
}

// feed calls UnPacket for stream, on the loop of a connection of its own.
func (x *Tester) feed(stream []byte, p plan) (outcome, error) {
	l, err := x.dial()
	if err != nil {
		return outcome{}, err
	}
	f := feeder{x: x, conn: l.conn, plan: p}
	err = l.conn.Execute(func() {
		f.prelude()
		f.stream(stream)
		f.closed = !l.conn.Connected()
		_ = l.conn.Close() // an error means that it is closed already
	})
	if err != nil {
		return outcome{}, x.giveUp(l, fmt.Errorf("a new connection: %w", err))
	}
	written, err := x.hangUp(l)
	if x.stuck != nil {
		return outcome{}, err // f is the loop's still
	}
	o := outcome{messages: f.messages, counts: f.counts, written: written}
	if f.closed {
		o.err = l.conn.Err()
	}
	return o, errors.Join(panicked(l.conn.Err()), f.err, err)
}

// panicked returns the panic that has ended a connection, with its stack.
func panicked(cause error) error {
	var p *weir.PanicError
	if !errors.As(cause, &p) {
		return nil
	}
	return fmt.Errorf("%w\n%s", p, p.Stack)
}

// feeder is one feed, on the loop.
type feeder struct {
	x    *Tester
	conn *weir.Connection
	plan plan

	waiting  []byte                 // the bytes that UnPacket has not taken
	ring     *ringbuffer.RingBuffer // with them in it; nil: not yet
	moved    int                    // how many bytes were moved between calls
	messages []Message
	counts   []int // as in outcome
	fruit    int   // messages in a row without a byte taken
	closed   bool
	err      error // what UnPacket must not do, and did
}

// prelude feeds the Spec's Prelude and forgets its messages.
func (f *feeder) prelude() {
	first := feeder{x: f.x, conn: f.conn}
	first.stream(f.x.spec.Prelude)
	f.waiting, f.err = first.waiting, first.err
	if f.err == nil && !f.conn.Connected() {
		f.err = errors.New("the Prelude has ended the connection")
	}
}

// stream feeds all of p, or what is taken before the connection is closed.
func (f *feeder) stream(p []byte) {
	f.counts = make([]int, 1, len(p)+1)
	for fed := 0; fed < len(p) && f.going(); {
		n := len(p) - fed
		if f.plan.cut != nil {
			n = min(f.plan.cut(n), n)
		}
		f.waiting = append(f.waiting, p[fed:fed+n]...)
		fed += n
		for f.unpack(fed) {
		}
		for range n {
			f.counts = append(f.counts, len(f.messages))
		}
	}
}

func (f *feeder) going() bool { return f.err == nil && f.conn.Connected() }

// unpack calls UnPacket once, and reports whether to call it again.
func (f *feeder) unpack(fed int) (again bool) {
	f.place(fed)
	first, end := f.ring.PeekAll()
	ctx, payload := f.x.spec.Protocol.UnPacket(f.conn, f.ring)
	found := (ctx != nil || len(payload) > 0) && f.conn.Connected()
	if found {
		f.message(ctx, payload)
	}
	left := f.ring.Length()
	if f.fruit++; !found || left != len(f.waiting) {
		f.fruit = 0
	}
	switch {
	case left > len(f.waiting):
		f.err = errors.New("UnPacket has put bytes into the buffer")
	case f.fruit > fruitless:
		f.err = fmt.Errorf("UnPacket has returned %d messages without taking a byte", f.fruit)
	}
	again = found && f.going()
	if f.moved += left; again && f.moved > effort {
		f.waiting = f.waiting[len(f.waiting)-left:] // what matters is how many
		return true
	}
	f.waiting = f.ring.Bytes()
	spoil(f.ring, first, end)
	f.ring = nil
	scratch := *f.conn.UserBuffer()
	fill(scratch[:cap(scratch)])
	return again
}

// place puts what is waiting into a ring, laid out as the plan says.
func (f *feeder) place(fed int) {
	if f.ring != nil {
		return // a stream of very many messages: moving it for each would take too long
	}
	layout := borrowed
	if f.plan.layout != nil {
		layout = f.plan.layout(len(f.waiting), fed)
	}
	f.ring = newRing(f.waiting, layout)
}

// message does what a loop does with a message.
func (f *feeder) message(ctx any, payload []byte) {
	f.messages = append(f.messages, f.x.message(ctx, payload))
	if h := f.x.spec.Handler; h != nil {
		if out := h.OnMessage(f.conn, ctx, payload); out != nil {
			_ = f.conn.WritePacket(out) // an error shows in what is written
		}
	}
}
