package weir_test

import (
	"errors"
	"io"
	"net"
	"sync"
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
	s, err := weir.NewServer(h, append([]weir.Option{weir.Address("127.0.0.1:0"), weir.NumLoops(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
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

// dial connects to s, until the test ends.
func dial(t testing.TB, s *weir.Server) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addrs()[0].String())
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
