package weir_test

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// patience is how long a test waits for what must happen. It is never the
// measure of anything.
const patience = 20 * time.Second

// handler is a weir.Handler made of functions; those that are nil do nothing.
type handler struct {
	connect  func(*weir.Connection)
	message  func(c *weir.Connection, ctx any, data []byte) any
	close    func(*weir.Connection)
	writable func(*weir.Connection)
}

func (h *handler) OnConnect(c *weir.Connection) {
	if h.connect != nil {
		h.connect(c)
	}
}

func (h *handler) OnMessage(c *weir.Connection, ctx any, data []byte) any {
	if h.message != nil {
		return h.message(c, ctx, data)
	}
	return nil
}

func (h *handler) OnClose(c *weir.Connection) {
	if h.close != nil {
		h.close(c)
	}
}

func (h *handler) OnWritable(c *weir.Connection) {
	if h.writable != nil {
		h.writable(c)
	}
}

// echo writes back what comes.
func echo(c *weir.Connection, _ any, data []byte) any {
	_, _ = c.Write(data) // an error means that the connection is ending
	return nil
}

// start runs a server on a port of its own until the test ends.
func start(t testing.TB, h weir.Handler, opts ...weir.Option) *weir.Server {
	t.Helper()
	s := newServer(t, h, opts...)
	serve(t, s)
	return s
}

// newServer makes a server, with one loop on a port of its own unless opts say
// otherwise. It has to be started or stopped.
func newServer(t testing.TB, h weir.Handler, opts ...weir.Option) *weir.Server {
	t.Helper()
	s, err := weir.NewServer(h, append([]weir.Option{weir.Address("127.0.0.1:0"), weir.NumLoops(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve starts s, and stops it when the test ends.
func serve(t testing.TB, s *weir.Server) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if err := receive(t, ended); err != nil && !errors.Is(err, weir.ErrServerStopped) {
			t.Errorf("Start: %v", err)
		}
	})
}

// quiet is for a server whose log lines the test brings about.
func quiet() weir.Option { return weir.Logger(slog.New(slog.DiscardHandler)) }

// dial connects to s, until the test ends.
func dial(t testing.TB, s *weir.Server) *net.TCPConn {
	t.Helper()
	return dialTo(t, s.Addrs()[0].String())
}

// dialTo connects to addr, until the test ends.
func dialTo(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// receive takes one value off ch, or fails the test.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// eventually waits until what holds is true.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// raise makes a at least n.
func raise(a *atomic.Int64, n int64) {
	for old := a.Load(); n > old && !a.CompareAndSwap(old, n); old = a.Load() {
	}
}

// send writes all of p.
func send(t testing.TB, w io.Writer, p string) {
	t.Helper()
	if _, err := io.WriteString(w, p); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly want.
func expect(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", clip(got[:n]), err, clip([]byte(want)))
	}
}

// expectEnd reads the end of the stream, and nothing before it.
func expectEnd(t testing.TB, r io.Reader) {
	t.Helper()
	if rest, err := io.ReadAll(r); err != nil || len(rest) != 0 {
		t.Fatalf("read %q, %v; want the end of the stream", clip(rest), err)
	}
}

func clip(p []byte) []byte { return p[:min(len(p), 64)] }

// errorLog collects the causes of ended connections.
type causes struct {
	mu   sync.Mutex
	list []error
}

func (l *causes) add(c *weir.Connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c.Err())
}

func (l *causes) all() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]error(nil), l.list...)
}

// observe makes h report each connection when it has begun and when it has
// ended.
func observe(h *handler) (begun, ended <-chan *weir.Connection) {
	b, e := make(chan *weir.Connection, 1024), make(chan *weir.Connection, 1024)
	report := func(f func(*weir.Connection), to chan<- *weir.Connection) func(*weir.Connection) {
		return func(c *weir.Connection) {
			if f != nil {
				f(c)
			}
			to <- c
		}
	}
	h.connect, h.close = report(h.connect, b), report(h.close, e)
	return b, e
}

// pair is a server and one connection of it, seen from both sides.
type pair struct {
	server *weir.Server
	conn   *weir.Connection
	peer   *net.TCPConn
	begun  <-chan *weir.Connection // the next ones
	ended  <-chan *weir.Connection
}

// startPair starts a server for h and connects to it.
func startPair(t testing.TB, h *handler, opts ...weir.Option) *pair {
	t.Helper()
	p := new(pair)
	p.begun, p.ended = observe(h)
	p.server = start(t, h, opts...)
	p.peer = dial(t, p.server)
	p.conn = receive(t, p.begun)
	return p
}

// expectErr waits for the end of the connection, and checks its cause.
func (p *pair) expectErr(t testing.TB, want error) {
	t.Helper()
	for receive(t, p.ended) != p.conn {
	}
	if err := p.conn.Err(); !errors.Is(err, want) {
		t.Fatalf("Err is %v, want %v", err, want)
	}
}

// pattern is n bytes in which a word that is lost, repeated or out of place
// shows.
func pattern(n int) []byte {
	b := make([]byte, 0, n+4)
	for i := uint32(1); len(b) < n; i++ {
		b = binary.LittleEndian.AppendUint32(b, i*2654435761)
	}
	return b[:n]
}

// expectIdle fails the test if the server polls, or the process uses a CPU,
// while nothing happens. What spins does so all the time, so one window in
// which nothing does is enough.
func expectIdle(t testing.TB, s *weir.Server) {
	t.Helper()
	const window = 300 * time.Millisecond
	var used time.Duration
	var polls uint64
	for range 8 {
		before, cpuBefore := s.Stats(), processorTime(t)
		<-time.After(window) // the time over which the use of the CPU is measured
		polls, used = s.Stats().Polls-before.Polls, processorTime(t)-cpuBefore
		if used < window/5 && polls < 100 {
			return
		}
	}
	t.Errorf("while nothing happens, %d polls and %v of CPU time in %v", polls, used, window)
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	used, err := cpuTime()
	if err != nil {
		t.Skip(err)
	}
	return used
}

// fail reports an error that a callback has met.
func fail(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// expectNothingLost checks that all was sent of a connection that has ended.
func expectNothingLost(t testing.TB, c *weir.Connection) {
	t.Helper()
	var lost *weir.UnsentError
	if errors.As(c.Err(), &lost) {
		t.Errorf("Err is %v", lost)
	}
}

// onLoop runs f on c's loop and returns its value.
func onLoop[T any](t *testing.T, c *weir.Connection, f func() T) T {
	t.Helper()
	result := make(chan T, 1)
	if err := c.Execute(func() { result <- f() }); err != nil {
		t.Fatal(err)
	}
	return receive(t, result)
}

// occupy keeps c's loop from doing anything until release is called.
func occupy(t *testing.T, c *weir.Connection) (release func()) {
	t.Helper()
	occupied, free := make(chan struct{}), make(chan struct{})
	if err := c.Execute(func() { close(occupied); <-free }); err != nil {
		t.Fatal(err)
	}
	receive(t, occupied)
	return sync.OnceFunc(func() { close(free) })
}

// expectEcho sends a message from a connection of its own and waits for the
// answer: the server goes on, and its loop has dealt with what came before.
func expectEcho(t testing.TB, s *weir.Server, message string) {
	t.Helper()
	c := dial(t, s)
	send(t, c, message)
	expect(t, c, message)
	_ = c.Close() // all was read
}

// reset ends a connection with a RST.
func reset(t testing.TB, c *net.TCPConn) {
	t.Helper()
	if err := errors.Join(c.SetLinger(0), c.Close()); err != nil {
		t.Error(err)
	}
}

// wasReset reports whether err says that the peer has reset the connection.
func wasReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
