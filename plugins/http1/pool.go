package http1

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Pool runs an http.Handler on goroutines of its own, so that it may block. Its
// Serve is a Handler:
//
//	files, err := http1.NewPool(http.FileServer(http.Dir("public")))
//	…
//	p, err := http1.New(files.Serve)
//
// One connection's requests are served one after the other, so replies are in
// order; meanwhile the next ones wait, and if there are many the connection is not
// read. The request's body is read while it comes, and what is written goes to the
// client while the handler runs; both wait for the slower side. The request's
// context is cancelled when the client has closed the connection, or its half of
// it, and when the handler returns. Server.Shutdown waits for handlers that are
// running.
//
// Up to 256 KiB of a response may be on their way, or less if the server's
// WriteBufferLimit is lower; that must be 32 KiB and a head at least.
//
// # Workers
//
// A request occupies one of the Workers for as long as its handler runs, and a client
// can make that long: it sends its body as slowly as BodyTimeout allows, or reads its
// response as slowly as StallTimeout does. When all are occupied, requests wait in the
// queue, for QueueTimeout at most, and then are answered with 503. So
//
//   - have bodies read before a worker is asked for, on the loop and into memory, which
//     BodyMemory bounds:
//
//     r.ReadBody(func(w *http1.Response, r *http1.Request, _ []byte) { pool.Serve(w, r) })
//
//   - send event streams and what else has no end with Response.Stream, which needs no
//     worker, or give them a Pool of their own: they must not keep others waiting;
//
//   - give handlers that wait for a slow service a Pool of their own, too.
//
// A handler that panics costs the client a 500 and its connection.
// http.ErrAbortHandler, with which httputil.ReverseProxy, too, ends a response that
// can't be completed, costs the connection only: the client sees that the body is not
// whole, unless it speaks HTTP/1.0 and was told no length.
//
// # Differences from net/http
//
// Handlers find what net/http gives them, the values of http.LocalAddrContextKey and
// http.ServerContextKey in the context included; the latter's *http.Server has the
// Handler and an ErrorLog, and serves nothing. Response writers are an http.Flusher
// and an io.ReaderFrom. What is not there:
//
//   - Hijacking, so that httputil.ReverseProxy passes on no Upgrade, and deadlines:
//     the methods of http.ResponseController return http.ErrNotSupported. Limits of
//     time are options: HeadTimeout, BodyTimeout, StallTimeout.
//   - The end of the connection behind a body that http.MaxBytesReader has found too
//     long. As with any body that is not read to its end, up to 256 KiB more are
//     thrown away.
//   - Request.TLS, and what http.Server calls: BaseContext, ConnContext, ConnState.
//
// Full duplex (ResponseController.EnableFullDuplex) is always on.
type Pool struct {
	// set once
	handler http.Handler
	options poolOptions
	server  *http.Server // for http.ServerContextKey; it serves nothing

	// guarded by mu
	mu      sync.Mutex
	running int   // goroutines
	waiting queue // for one of them; empty while fewer run than may
}

type poolOptions struct {
	workers   int
	queue     int
	queueTime time.Duration
	stall     time.Duration
	logger    *slog.Logger
}

// PoolOption changes what NewPool makes.
type PoolOption func(*poolOptions)

// Workers sets how many requests are handled at a time. The default is 256.
func Workers(n int) PoolOption { return func(o *poolOptions) { o.workers = n } }

// Queue sets how many requests may wait until one of the workers is free. Those
// that come then are answered with 503, at once: waiting, too, takes memory and the
// client's time. One whose client has ended its half of the connection, and may be gone,
// gives up its place before that. The default is 1024.
func Queue(n int) PoolOption { return func(o *poolOptions) { o.queue = n } }

// QueueTimeout sets how long a request may wait in the queue; then it is answered with
// 503. The default is 10 s; 0 means for ever.
func QueueTimeout(d time.Duration) PoolOption { return func(o *poolOptions) { o.queueTime = d } }

// StallTimeout closes the connection of a client that makes no progress with a response
// of the Pool for that long, with weir.ErrStalled: see weir.StallTimeout, which it
// replaces for that connection. A client that reads, however slowly, makes progress. The
// default is 30 s; 0 leaves it to the server's option.
func StallTimeout(d time.Duration) PoolOption { return func(o *poolOptions) { o.stall = d } }

// PanicLogger sets where panics of the handler are reported. The default is slog's
// default logger.
func PanicLogger(l *slog.Logger) PoolOption { return func(o *poolOptions) { o.logger = l } }

// NewPool makes a Pool for h. It starts goroutines as it needs them, and has none
// when it has nothing to do. An invalid option is an error.
func NewPool(h http.Handler, opts ...PoolOption) (*Pool, error) {
	p := &Pool{handler: h, options: poolOptions{workers: 256, queue: 1024, queueTime: 10 * time.Second, stall: 30 * time.Second}}
	for _, opt := range opts {
		opt(&p.options)
	}
	o := &p.options
	switch {
	case h == nil:
		return nil, errors.New("http1: the http.Handler is nil")
	case o.workers < 1:
		return nil, fmt.Errorf("http1: option Workers is %d, must be at least 1", o.workers)
	case o.queue < 0:
		return nil, fmt.Errorf("http1: option Queue is %d, must be at least 0", o.queue)
	case o.queueTime < 0:
		return nil, fmt.Errorf("http1: option QueueTimeout is %v, must not be negative", o.queueTime)
	case o.stall < 0:
		return nil, fmt.Errorf("http1: option StallTimeout is %v, must not be negative", o.stall)
	}
	if o.logger == nil {
		o.logger = slog.Default()
	}
	p.server = &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(o.logger.Handler(), slog.LevelError)}
	return p, nil
}

// Serve passes the request on to the http.Handler. It is a Handler, and may also
// be called by one, which then returns: the reply is the http.Handler's.
func (p *Pool) Serve(w *Response, r *Request) {
	if r.Path()[0] == '*' { // OPTIONS about the server as a whole, and no resource
		return
	}
	k := newCall(p, r.x)
	what, instead := p.submit(k)
	switch what {
	case refused:
		k.closeInput()
		w.busy()
		return
	case waits:
		k.limitWait(p.options.queueTime)
	}
	k.begin()
	if instead != nil {
		instead.closeInput()
		_ = instead.c.Execute(instead.turnAway) // an error means that nobody waits for an answer
	}
}

// busy is the reply to a request for which there is no worker.
func (w *Response) busy() {
	w.Status(http.StatusServiceUnavailable)
	w.Header("Retry-After", "1")
}

// admission is what becomes of a call.
type admission uint8

const (
	runs    admission = iota
	waits             // for its turn
	refused           // there are too many
)

// submit has k run, now or when its turn comes, if that is possible. It may be instead
// of another one, which has to be turned away.
func (p *Pool) submit(k *call) (what admission, instead *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running < p.options.workers {
		p.running++
		go p.work(k)
		return runs, nil
	}
	if p.waiting.length >= p.options.queue {
		if instead = p.waiting.oldestLeaving(); instead == nil {
			return refused, nil
		}
		p.waiting.remove(instead)
	}
	p.waiting.push(k)
	return waits, instead
}

// withdraw takes k out of the queue, and reports whether it was there.
func (p *Pool) withdraw(k *call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.remove(k)
}

// leave notes that k's client has ended its half of the connection.
func (p *Pool) leave(k *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.leave(k)
}

// work runs k and then those that wait.
func (p *Pool) work(k *call) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if next := p.next(); next != nil { // the handler has ended its goroutine
			go p.work(next)
		}
	}()
	for k != nil {
		k.run()
		k = p.next()
	}
	returned = true
}

// next returns what has waited longest. If nothing has, the caller's goroutine is
// done.
func (p *Pool) next() *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.waiting.first
	if k == nil {
		p.running--
		return nil
	}
	p.waiting.remove(k)
	return k
}
