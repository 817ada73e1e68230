package weir

import (
	"fmt"
	"iter"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	balance "github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

// Server accepts connections and serves them on its event loops. Its methods
// are for any goroutine.
type Server struct {
	// set once
	opts       Options
	handler    Handler
	writable   WritableHandler  // handler, if it is one
	halfCloser HalfCloseHandler // handler, if it is one
	shutdown   ShutdownHandler  // handler, if it is one
	appender   PacketAppender   // opts.Protocol, if it is one
	splitter   Splitter         // opts.Protocol, if it is one
	last       LastProtocol     // opts.Protocol, if it is one
	decoder    string           // the method of it that cuts messages
	encoder    string           // the method of it that encodes
	log        *slog.Logger
	name       string // for metrics and logs
	sys        sock.Calls
	loops      []*loop              // those that serve connections
	metrics    *metricsServer       // nil: none
	acceptor   *loop                // accepts for all of them; may be loops[0]; nil with ListenerPerLoop
	choices    []*balance.EventLoop // loops, as strategies see them
	listeners  []*listener

	// any goroutine
	open       atomic.Int64  // connections accepted and not ended
	panics     atomic.Uint64 // in functions of timers
	incomplete atomic.Int64  // bytes of incomplete messages; see countIncomplete
	timers     timerSet
	goroutine  atomic.Uint64 // the number of the one that Start runs on; 0: none yet
	lines      lines
	stopping   chan struct{} // closed by Stop
	draining   chan struct{} // closed by Shutdown
	ended      chan struct{} // has an element when the last open connection has ended
	done       chan struct{} // closed when nothing is left

	// guarded by mu
	mu      sync.Mutex
	started bool
	stopped bool
	drained bool
}

// testHooks is what tests put in place of the system.
type testHooks struct {
	calls  func(*sock.Calls)
	poller func() (poller.Poller, error)
}

func (h testHooks) newPoller() (poller.Poller, error) {
	if h.poller != nil {
		return h.poller()
	}
	return poller.New()
}

// NewServer makes a server for h and binds its addresses: connections are
// queued by the system from now on, and served from Start on. A server that is
// not started has to be stopped all the same.
//
// An invalid option is an *OptionError. Errors of Protocol.Validate (see ValidProtocol)
// and of listening, such as an address in use, are wrapped. Nothing is left open then.
func NewServer(h Handler, opts ...Option) (*Server, error) {
	o := defaultOptions()
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if h == nil {
		return nil, fmt.Errorf("weir: the Handler is nil")
	}
	o.fitMarks()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if v, ok := o.Protocol.(ValidProtocol); ok {
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("weir: option CustomProtocol: %w", err)
		}
	}
	if o.NumLoops <= 0 {
		o.NumLoops = runtime.GOMAXPROCS(0)
	}
	if !o.balanced && !o.ListenerPerLoop {
		o.Strategy = RoundRobin()
	}
	s := &Server{
		opts: o, handler: h, log: o.Logger, sys: sock.System(),
		stopping: make(chan struct{}), draining: make(chan struct{}),
		ended: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.lines.init()
	s.writable, _ = h.(WritableHandler)
	s.halfCloser, _ = h.(HalfCloseHandler)
	s.decoder = "UnPacket"
	if s.splitter, _ = o.Protocol.(Splitter); s.splitter != nil {
		s.decoder = "Split"
	}
	s.last, _ = o.Protocol.(LastProtocol)
	s.shutdown, _ = h.(ShutdownHandler)
	s.encoder = "Packet"
	if s.appender, _ = o.Protocol.(PacketAppender); s.appender != nil {
		s.encoder = "AppendPacket"
	}
	if s.log == nil {
		s.log = slog.New(warnings{slog.Default().Handler()})
	}
	if o.testHooks.calls != nil {
		o.testHooks.calls(&s.sys)
	}
	if err := s.build(); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// build makes the loops and binds the addresses.
func (s *Server) build() error {
	endpoints, err := s.opts.endpoints()
	if err != nil {
		return err
	}
	for i := range s.opts.NumLoops {
		l, err := newLoop(s, i)
		if err != nil {
			return err
		}
		s.loops = append(s.loops, l)
		l.choice = balance.Of(l.EventLoop)
		s.choices = append(s.choices, l.choice)
	}
	if !s.opts.ListenerPerLoop {
		s.acceptor = s.loops[0]
		if len(s.loops) > 1 {
			if s.acceptor, err = newLoop(s, len(s.loops)); err != nil {
				s.acceptor = nil
				return err
			}
		}
	}
	for _, e := range endpoints {
		if err := s.listen(e); err != nil {
			return err
		}
	}
	if s.name = s.opts.Name; s.name == "" {
		s.name = s.listeners[0].addr.String()
	}
	s.log = s.log.With("server", s.name)
	return s.serveMetrics()
}

// listen binds one address, once, or with ListenerPerLoop once per loop.
func (s *Server) listen(e endpoint) error {
	c := sock.ListenConfig{
		ReusePort: s.opts.ReusePort || s.opts.ListenerPerLoop, NoDelay: s.opts.NoDelay, KeepAlive: s.opts.KeepAlive,
		ReadBuffer: s.opts.SocketReadBuffer, WriteBuffer: s.opts.SocketWriteBuffer, Backlog: s.opts.Backlog,
		Control: s.opts.Control,
	}
	if !s.opts.ListenerPerLoop {
		return s.bind(s.acceptor, s.target(), e.network, e.address, c)
	}
	for i, l := range s.loops {
		if err := s.bind(l, l, e.network, e.address, c); err != nil {
			return err
		}
		if i == 0 { // the others share its port, which the system may have chosen
			host, _, _ := net.SplitHostPort(e.address) // was split before
			port := s.listeners[len(s.listeners)-1].addr.Port
			e.address = net.JoinHostPort(host, fmt.Sprint(port))
		}
	}
	return nil
}

// target is the only loop that an acceptor can hand connections to; nil if
// there are several.
func (s *Server) target() *loop {
	if len(s.loops) == 1 {
		return s.loops[0]
	}
	return nil
}

func (s *Server) bind(l, target *loop, network, address string, c sock.ListenConfig) error {
	if len(s.listeners) > math.MaxUint16 { // a connection keeps the index of its own
		return &OptionError{"Address", fmt.Sprintf("asks for more than %d listeners", len(s.listeners))}
	}
	ln, err := listen(len(s.listeners), l, target, network, address, c)
	if err != nil {
		return fmt.Errorf("weir: %w", err)
	}
	if ln.address = ln.index; s.opts.ListenerPerLoop {
		ln.address /= uint16(len(s.loops))
	}
	s.listeners = append(s.listeners, ln)
	return nil
}

// balance asks the strategy for the loop of a new connection; nil if it fails.
func (s *Server) balance(peer netip.AddrPort) (chosen *loop) {
	returned := false
	defer func() {
		if v := recover(); !returned {
			s.acceptor.stats.Panics++
			s.logLimited(&s.lines.panics, slog.LevelError, "weir: panic in the load balancing strategy, a connection is refused", func() []any {
				return []any{"panic", thrown(v), "peer", peer, "stack", string(debug.Stack())}
			})
			chosen = nil
		}
	}()
	s.acceptor.Progress()
	var choice *balance.EventLoop
	if s.opts.AddrStrategy != nil {
		choice = s.opts.AddrStrategy(s.choices, peer)
	} else {
		choice = s.opts.Strategy(s.choices)
	}
	returned = true
	i := slices.IndexFunc(s.loops, func(l *loop) bool { return l.choice == choice })
	if i < 0 {
		s.logLimited(&s.lines.panics, slog.LevelError, "weir: the load balancing strategy returned a loop that it was not given, a connection is refused",
			func() []any { return []any{"peer", peer} })
		return nil
	}
	return s.loops[i]
}

// Loops are the event loops that serve the server's connections, in the order of their
// indices. What Loop.Execute is given before Start runs when the server has started.
func (s *Server) Loops() []Loop {
	loops := make([]Loop, len(s.loops))
	for i, l := range s.loops {
		loops[i] = Loop{l}
	}
	return loops
}

// Options returns the server's configuration.
func (s *Server) Options() Options { return s.opts }

// Addrs are the addresses that the server listens on, each a *net.TCPAddr, in
// the order of the options; with port 0 asked for, the port is the one that
// the system chose.
func (s *Server) Addrs() []net.Addr {
	var addrs []net.Addr
	for _, ln := range s.listeners {
		if int(ln.address) == len(addrs) { // with ListenerPerLoop, the first of its address
			addrs = append(addrs, ln.addr)
		}
	}
	return addrs
}

// Connection finds a connection by its ID, from OnConnect on and as long as it has not
// ended; nil if there is none. Who has the ID of a connection whose OnConnect is still
// running finds it.
func (s *Server) Connection(id ConnID) *Connection {
	h := eventloop.Handle(id)
	if h.Loop() >= len(s.loops) {
		return nil
	}
	sk, ok := s.loops[h.Loop()].Lookup(h).(*socket)
	if c := (*Connection)(sk); ok && c.named() {
		return c
	}
	return nil
}

// Connections yields the connections whose OnConnect has returned and that have not
// ended. Those that come or go meanwhile may be missed or still be seen.
func (s *Server) Connections() iter.Seq[*Connection] {
	return func(yield func(*Connection) bool) {
		for _, l := range s.loops {
			for sk := range l.Sockets() {
				sk, ok := sk.(*socket)
				if c := (*Connection)(sk); ok && c.visible() && !yield(c) {
					return
				}
			}
		}
	}
}

// allLoops are the loops that serve, and the one that accepts if that is
// another one.
func (s *Server) allLoops() []*loop {
	if s.acceptor == nil || len(s.loops) > 0 && s.acceptor == s.loops[0] {
		return s.loops
	}
	return append(s.loops[:len(s.loops):len(s.loops)], s.acceptor)
}

// leave takes a connection off the count, and tells drain if it was the last.
func (s *Server) leave() {
	if s.open.Add(-1) == 0 {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	}
}
