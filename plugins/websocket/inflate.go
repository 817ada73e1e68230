package websocket

import (
	"math"
	"slices"
	"sync"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// inflate returns the data of a compressed message. ok is false if there is none, or
// none yet: a long one is inflated aside.
func (w *Conn) inflate(m codec.Message) (data []byte, ok bool) {
	s := w.shard
	s.counts.Compressed++
	aside := s.protocol.options.inflateAside
	short := false
	var err error
	if len(m.Data) < aside {
		data, short, err = w.deflate.InflateShort(trim(s.inflated), m, asideFactor*min(aside, math.MaxInt/asideFactor))
		s.inflated = data[:0]
	}
	switch {
	case err != nil:
		w.fail(err)
	case short:
		return data, true
	case !s.protocol.codec.Pin(len(m.Data)):
		w.fail(codec.ErrTooMuchPending)
	default:
		w.inflateAside(m)
	}
	return nil, false
}

// asideFactor is how many times as long as what is inflated aside a message may become
// on the loop. Deflate can make a thousand times of it.
const asideFactor = 16

// inflateAside has a goroutine inflate m, which is pinned. Until that is done and the
// message delivered, the connection is not read and not ended by the end of its input.
func (w *Conn) inflateAside(m codec.Message) {
	s := w.shard
	s.counts.Aside++
	s.note()
	m.Data = slices.Clone(m.Data)
	w.decoder.Done() // the next call of Next may be long in coming
	w.bits.Or(bitInflates)
	w.flags |= flagAside
	w.followBits()
	w.c.Hold(true)
	shared := s.protocol.codec
	s.protocol.pool.run(func() {
		data, err := w.deflate.Inflate(nil, m)
		shared.Unpin(len(m.Data))
		if !shared.Pin(len(data)) {
			data, err = nil, codec.ErrTooMuchPending
		}
		if s.loop.Execute(func() { w.inflated(&inflated{m.Kind, data, err}) }) != nil {
			shared.Unpin(len(data))
			w.deflate.Release() // the loop has ended, and with it the connection
		}
	})
}

// inflated is a message that a goroutine has inflated, or could not. Its data is pinned.
type inflated struct {
	kind Kind
	data []byte
	err  error
}

// inflated goes on when a goroutine has inflated a message. It is run by the loop, and
// not for the connection, which may have ended.
func (w *Conn) inflated(m *inflated) {
	w.flags &^= flagAside
	if w.has(flagEnded) {
		w.shard.protocol.codec.Unpin(len(m.data))
		w.deflate.Release()
		return
	}
	w.rare().inflated = m
	_ = w.c.Execute(w.resume) // an error means that it is ending
}

// resume delivers the message that was inflated aside, if it is there, and goes on with
// what follows it. While reading is paused, both wait for ResumeRead, which comes back
// here.
func (w *Conn) resume() {
	bits := w.bits.Load()
	if w.more == nil || w.more.inflated == nil || bits&bitPaused != 0 && bits&bitClosing == 0 {
		return
	}
	m := w.more.inflated
	w.more.inflated = nil
	defer w.shard.protocol.codec.Unpin(len(m.data))
	w.bits.And(^bitInflates)
	w.followBits()
	_ = w.c.Execute(w.release) // behind the delivery of what was received before
	switch {
	case bits&bitClosing != 0: // nobody could answer
	case m.err != nil:
		w.fail(m.err)
	default:
		w.deliver(m.kind, m.data)
		w.shard.handler.handler.OnMessage(w, m.kind, m.data)
	}
}

// release undoes Hold, unless the next message is being inflated, or it is for another
// reason by now.
func (w *Conn) release() {
	if w.bits.Load()&bitInflates == 0 && !w.has(flagSettled|flagGoingAway) {
		w.c.Hold(false)
	}
}

// workers is a pool of goroutines, which exist while there is work.
type workers struct {
	// set once
	most int

	// guarded by mu
	mu      sync.Mutex
	running int
	waiting []func()
}

// run has f run, now or when a goroutine is free. Each connection waits for its one
// message, so there are no more than connections.
func (p *workers) run(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == p.most {
		p.waiting = append(p.waiting, f)
		return
	}
	p.running++
	go p.work(f)
}

func (p *workers) work(f func()) {
	for f != nil {
		f()
		f = p.next()
	}
}

func (p *workers) next() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.waiting = nil
		p.running--
		return nil
	}
	f := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	return f
}
