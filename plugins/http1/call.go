package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// call is one request on its way through an http.Handler.
type call struct {
	// set once
	pool   *Pool
	c      *weir.Connection
	origin origin // what ctx is made of
	ctx    context.Context
	cancel context.CancelFunc
	gone   chan struct{} // closed when the connection has ended

	// loop only, except that the handler's goroutine reads the head
	s     *conn
	x     *exchange
	timer *weir.Timer // for the time in the queue; nil: none

	// guarded by the pool's mu
	place place

	// the handler's goroutine only; then the loop's
	writer    writer
	postponed []byte // a response without the Connection field, in pooled storage; nil: none
	gap       int    // where in it that would stand

	// guarded by mu
	mu       sync.Mutex
	arrived  sync.Cond // something of the body, or its end
	input    ringbuffer.RingBuffer
	body     []byte // what input is on, if that was held until it was complete; nil: input has storage of its own
	inputErr error  // why no more of it comes: io.EOF for its end; nil: more may come
	left     int64  // bytes of it that have not come; -1: unknown
	trailer  http.Header
	paused   bool // the connection is not read until input is
	expected bool // the client waits for a 100
	ended    bool // nobody reads any more
}

const (
	// maxInput is how much of a body may wait for the handler to read it.
	maxInput = 64 << 10
	// lowInput is how far that must have sunk for more to be received.
	lowInput = 16 << 10
)

// origin is a context with the values that net/http gives a request's.
type origin struct {
	context.Context
	server *http.Server
	local  net.Addr
}

// Value implements context.Context.
func (o *origin) Value(key any) any {
	switch key {
	case http.ServerContextKey: // httputil.ReverseProxy looks for it before it panics with http.ErrAbortHandler
		return o.server
	case http.LocalAddrContextKey:
		return o.local
	}
	return nil
}

func newCall(p *Pool, x *exchange) *call {
	s := x.conn
	k := &call{pool: p, c: s.c, s: s, x: x, gone: make(chan struct{}), inputErr: io.EOF}
	k.arrived.L = &k.mu
	k.origin = origin{context.Background(), p.server, s.c.LocalAddr()}
	k.ctx, k.cancel = context.WithCancel(&k.origin)
	k.writer.init(k)
	x.keepHead()
	if x.pending {
		k.inputErr, k.left, k.expected = nil, s.remaining, x.wantsContinue()
	} else {
		k.trailer = x.trailer()
		if x.collected != nil {
			k.body, x.collected = x.collected, nil
			k.input.WithData(k.body)
		} else {
			k.input.Write(x.body)
		}
	}
	return k
}

// begin leaves the reply to the call. Loop only, as are limitWait, turnAway, feed,
// isPaused, feedEnd, halfClosed, abandon and end.
func (k *call) begin() {
	x, s := k.x, k.s
	x.state, x.call = elsewhere, k
	s.hold()
	if d := k.pool.options.stall; d > 0 {
		s.c.SetStallTimeout(d)
	}
	s.phase = inReply
	if x.pending {
		s.phase, s.sink = inBody, toHandler
	}
	if s.left {
		k.halfClosed()
	}
}

// limitWait has k turned away if it is still in the queue after d.
func (k *call) limitWait(d time.Duration) {
	if d > 0 {
		k.timer = k.c.RunAfter(d, func() {
			if k.pool.withdraw(k) {
				k.turnAway()
			}
		})
	}
}

// turnAway answers a request that has left the queue before its turn.
func (k *call) turnAway() {
	s, x := k.s, k.x
	k.stopTimer()
	k.cancel()
	k.closeInput()
	x.call, x.state = nil, replies
	if s.phase == over { // the body was not as it should be
		var failed *Error
		if err := k.failure(); errors.As(err, &failed) {
			s.refuse(failed)
		} else {
			s.end(err)
		}
		return
	}
	x.pending = s.phase == inBody
	x.res.reset()
	x.res.busy()
	switch x.reply(); {
	case x.state == late:
		x.awaitRest()
	case s.phase != over:
		s.resume()
	}
}

func (k *call) stopTimer() {
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

// feed passes on a part of the body, and reports whether that is enough for now.
func (k *call) feed(data []byte) (enough bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended || len(data) == 0 {
		return false
	}
	k.input.Write(data)
	if k.left > 0 {
		k.left -= int64(len(data))
	}
	k.arrived.Broadcast()
	if k.input.Length() > maxInput {
		k.paused = true
		k.c.PauseRead() // with mu held, so that Read can't undo it before
	}
	return k.paused
}

// isPaused reports whether the connection is not read because the handler does not.
func (k *call) isPaused() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.paused && !k.ended
}

// feedEnd is the end of the body, or of the hope for it.
func (k *call) feedEnd(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inputErr == nil {
		k.inputErr = err
		if errors.Is(err, io.EOF) {
			k.left = 0
			k.trailer = k.x.trailer()
		}
	}
	k.arrived.Broadcast()
}

// halfClosed tells the handler that the client may be gone.
func (k *call) halfClosed() {
	k.pool.leave(k)
	k.feedEnd(io.ErrUnexpectedEOF) // no effect on a body that is complete
	k.cancel()
}

// abandon tells it that the client is.
func (k *call) abandon() {
	if k.pool.withdraw(k) {
		k.closeInput()
	}
	k.halfClosed()
	close(k.gone)
}

// run calls the handler, on a goroutine of the pool.
func (k *call) run() {
	returned := false
	defer func() {
		v := recover()
		k.cancel()
		k.closeInput()
		if !returned {
			k.panicked(v)
		}
	}()
	if !k.isGone() { // while it waited for its turn
		if r := k.request(); r != nil {
			k.pool.handler.ServeHTTP(&k.writer, r)
		}
		k.closeInput()
		k.writer.finish()
	}
	returned = true
	_ = k.c.Execute(k.end) // an error means that the connection is ending, and that nothing is left to do
}

func (k *call) isGone() bool {
	select {
	case <-k.gone:
		return true
	default:
		return false
	}
}

// panicked ends the connection of a handler that has panicked with v, or ended its
// goroutine.
func (k *call) panicked(v any) {
	if v == nil || v == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it: errors.Is calls methods of v, which may panic in turn
		delimited := k.writer.delimited()
		k.writer.release()
		if delimited {
			_ = k.c.Close() // an error means that it is closed already
		} else {
			k.c.Reset(nil)
		}
		return
	}
	stack := debug.Stack()
	k.pool.options.logger.Error("http1: panic in an http.Handler", "panic", v, "peer", k.c.PeerAddr(), "stack", string(stack))
	delimited := k.writer.delimited()
	k.writer.fail(errPanic)
	cause := &weir.PanicError{Callback: "http.Handler", Value: v, Stack: stack}
	if !delimited {
		k.c.Reset(cause)
		return
	}
	_ = k.c.Execute(func() { // an error means that it is ending already
		k.c.AwaitPeer() // the client may be sending, and has yet to read the answer
		k.c.CloseWithError(cause)
	})
}

// closeInput throws away what was not read of the body, and what will come.
func (k *call) closeInput() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	k.input.Release()
	if k.body != nil {
		k.s.protocol.bodies.release(k.body)
		k.body = nil
	}
}

// end goes on with the next request.
func (k *call) end() {
	s, x := k.s, k.x
	k.stopTimer()
	switch {
	case s.phase == over: // the body was not as it should be
		if k.postponed != nil {
			s.sent(k.sendLate(false))
		}
		s.end(k.failure())
	case k.writer.close:
		s.finish()
	case k.postponed != nil && s.phase == inBody:
		x.postpone()
		x.awaitRest()
	case k.postponed != nil:
		x.pending = false
		if x.answer(true); s.phase == inHead {
			s.resume()
		}
	case s.phase == inBody:
		s.sink = toNobody
		s.resume()
	default:
		s.proceed()
	}
}

// sendLate sends a response that was postponed.
func (k *call) sendLate(again bool) error {
	out := k.postponed
	k.postponed = nil
	if !again {
		out = slices.Insert(out, k.gap, closeLine...)
	}
	_, err := k.c.Write(out)
	ringbuffer.Recycle(out)
	return err
}

var closeLine = []byte("Connection: close\r\n")

// failure is what was wrong with the body; nil if nothing was.
func (k *call) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if errors.Is(k.inputErr, io.EOF) {
		return nil
	}
	return k.inputErr
}
