package websocket

import (
	"math"
	"slices"
	"sync"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// deflate is both directions of compression. Messages of other goroutines are
// compressed there, if they have no context in common.
type deflate struct {
	*codec.Compression

	mu sync.RWMutex // held while one is, and to release
}

func newDeflate(c *codec.Codec, params codec.Params) *deflate {
	z := c.NewCompression(params)
	if z == nil {
		return nil
	}
	return &deflate{Compression: z}
}

// release ends the use of a connection's compression, behind that by others.
func (z *deflate) release() {
	z.mu.Lock()
	z.Release()
	z.mu.Unlock()
}

// compress appends the frame of a message. Any goroutine, for connections without
// takeover. It reports false if w has ended.
func (w *Conn) compress(dst []byte, k Kind, p []byte) ([]byte, bool) {
	w.deflate.mu.RLock()
	defer w.deflate.mu.RUnlock()
	if w.bits.Load()&bitClosing != 0 {
		return dst, false
	}
	return w.deflate.AppendFrame(dst, k, p), true
}

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

// inflateAside has a goroutine inflate m, which is pinned. Until that is done, the
// connection is not read and not ended by the end of its input.
func (w *Conn) inflateAside(m codec.Message) {
	s := w.shard
	s.counts.Aside++
	m.Data = slices.Clone(m.Data)
	w.bits.Or(bitInflates)
	w.flags |= flagAside
	w.c.PauseRead()
	w.c.Hold(true)
	shared := s.protocol.codec
	s.protocol.pool.run(func() {
		data, err := w.deflate.Inflate(nil, m)
		shared.Unpin(len(m.Data))
		if !shared.Pin(len(data)) {
			data, err = nil, codec.ErrTooMuchPending
		}
		delivered := func() {
			shared.Unpin(len(data))
			w.inflated(m.Kind, data, err)
		}
		if s.loop.Execute(delivered) != nil {
			shared.Unpin(len(data))
			w.deflate.release() // the loop has ended, and with it the connection
		}
	})
}

// inflated goes on when a goroutine has inflated a message. It is run by the loop, and
// not for the connection, which may have ended.
func (w *Conn) inflated(k Kind, data []byte, err error) {
	w.flags &^= flagAside
	if w.has(flagEnded) {
		w.deflate.release()
		return
	}
	_ = w.c.Execute(func() { w.resume(k, data, err) }) // an error means that it is ending
}

// resume delivers the message and goes on with what follows.
func (w *Conn) resume(k Kind, data []byte, err error) {
	paused := w.bits.And(^bitInflates)&bitPaused != 0
	switch {
	case w.has(flagSettled) || w.bits.Load()&bitClosing != 0:
	case err != nil:
		w.fail(err)
	default:
		w.deliver(k, data)
		if !paused {
			w.c.ResumeRead() // before the call, which may pause it
		}
		w.shard.handler.handler.OnMessage(w, k, data)
		paused = true
	}
	if !paused {
		w.c.ResumeRead()
	}
	_ = w.c.Execute(func() { // behind the delivery of what was received before
		if w.bits.Load()&bitInflates == 0 && !w.has(flagCloseSent) {
			w.c.Hold(false)
		}
	})
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
