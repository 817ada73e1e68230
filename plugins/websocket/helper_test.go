package websocket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// patience is how long a test waits for what must happen. It is never the measure of
// anything.
const patience = 20 * time.Second

// handler is a websocket.Handler made of functions; those that are nil do nothing.
type handler struct {
	open     func(*websocket.Conn)
	message  func(c *websocket.Conn, kind websocket.Kind, data []byte)
	close    func(c *websocket.Conn, code websocket.Code, reason string)
	writable func(*websocket.Conn)
}

func (h *handler) OnOpen(c *websocket.Conn) {
	if h.open != nil {
		h.open(c)
	}
}

func (h *handler) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
	if h.message != nil {
		h.message(c, kind, data)
	}
}

func (h *handler) OnClose(c *websocket.Conn, code websocket.Code, reason string) {
	if h.close != nil {
		h.close(c, code, reason)
	}
}

func (h *handler) OnWritable(c *websocket.Conn) {
	if h.writable != nil {
		h.writable(c)
	}
}

// echo replies with what comes.
func echo(c *websocket.Conn, kind websocket.Kind, data []byte) {
	_ = c.Reply(kind, data) // an error means that the connection is ending
}

// end is what OnClose was told, and the cause.
type end struct {
	code   websocket.Code
	reason string
	err    error
}

// server is a server with its Protocol, and what is heard of its connections.
type server struct {
	*weir.Server
	protocol *websocket.Protocol
	opened   chan *websocket.Conn
	ended    chan end
}

// start runs a server on a port of its own until the test ends.
func start(t testing.TB, h *handler, opts ...websocket.Option) *server {
	t.Helper()
	return startOn(t, h, websocket.New(nil, opts...))
}

func startOn(t testing.TB, h *handler, p *websocket.Protocol, opts ...weir.Option) *server {
	t.Helper()
	s := &server{protocol: p, opened: make(chan *websocket.Conn, 1024), ended: make(chan end, 8192)}
	open, closing := h.open, h.close
	h.open = func(c *websocket.Conn) {
		if open != nil {
			open(c)
		}
		s.opened <- c
	}
	h.close = func(c *websocket.Conn, code websocket.Code, reason string) {
		if closing != nil {
			closing(c, code, reason)
		}
		s.ended <- end{code, reason, c.Connection().Err()}
	}
	var err error
	s.Server, err = weir.NewServer(websocket.Wrap(h), append([]weir.Option{
		weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(p), weir.Logger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Start() }()
	t.Cleanup(func() {
		_ = s.Stop() // which returns none
		if err := <-done; err != nil && !errors.Is(err, weir.ErrServerStopped) {
			t.Error(err)
		}
	})
	return s
}

func (s *server) addr() string { return s.Addrs()[0].String() }

func (s *server) url(path string) string { return "ws://" + s.addr() + path }

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

// dial connects a client, until the test ends.
func dial(t testing.TB, s *server, opts *websocket.DialOptions) *websocket.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := websocket.Dial(ctx, s.url("/"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() }) // a test may have closed it
	fail(t, c.NetConn().SetDeadline(time.Now().Add(patience)))
	return c
}

// pair is dial, and the connection as the server sees it.
func pair(t testing.TB, s *server, opts *websocket.DialOptions) (*websocket.Client, *websocket.Conn) {
	t.Helper()
	c := dial(t, s, opts)
	return c, receive(t, s.opened)
}

func fail(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// note is fail in a callback, whose goroutine is not the test's.
func note(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// expect reads exactly that message.
func expect(t testing.TB, c *websocket.Client, kind websocket.Kind, want string) {
	t.Helper()
	k, data, err := c.Read()
	if err != nil || k != kind || string(data) != want {
		t.Fatalf("read %v %.60q (%d bytes), %v; want %v %.60q (%d bytes)", k, data, len(data), err, kind, want, len(want))
	}
}

// expectClose reads a close frame, and the end of the stream behind it.
func expectClose(t testing.TB, c *websocket.Client, code websocket.Code) {
	t.Helper()
	_, data, err := c.Read()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		t.Fatalf("read %.60q, %v; want a close frame with %v", data, err, code)
	}
	if n, err := c.NetConn().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("behind the close frame: %d bytes, %v", n, err)
	}
	fail(t, c.CloseNow()) // which the server waits for
}

// expectEnd waits for OnClose.
func expectEnd(t testing.TB, s *server, code websocket.Code, cause error) end {
	t.Helper()
	e := receive(t, s.ended)
	if e.code != code || !errors.Is(e.err, cause) {
		t.Fatalf("OnClose(%v, %q) because of %v, want %v because of %v", e.code, e.reason, e.err, code, cause)
	}
	return e
}

// onLoop runs f on c's loop and returns its value.
func onLoop[T any](t testing.TB, c *websocket.Conn, f func() T) T {
	t.Helper()
	result := make(chan T, 1)
	fail(t, c.Execute(func() { result <- f() }))
	return receive(t, result)
}

// occupy keeps c's loop from doing anything until release is called.
func occupy(t testing.TB, c *websocket.Conn) (release func()) {
	t.Helper()
	occupied, free := make(chan struct{}), make(chan struct{})
	fail(t, c.Connection().Loop().Execute(func() { close(occupied); <-free }))
	receive(t, occupied)
	return func() { close(free) }
}

const key = "dGhlIHNhbXBsZSBub25jZQ==" // that of RFC 6455, section 1.3

// good is a handshake without the empty line at its end, and more lines.
func good(more ...string) string {
	return "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Version: 13\r\n" + strings.Join(append(more, ""), "\r\n")
}

// raw is a connection that sends what it is told.
type raw struct {
	net.Conn
	*bufio.Reader
}

func (r raw) Read(p []byte) (int, error) { return r.Reader.Read(p) }

// connect connects without a handshake.
func connect(t testing.TB, s *server) raw {
	t.Helper()
	c, err := net.Dial("tcp", s.addr())
	fail(t, err)
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	fail(t, c.SetDeadline(time.Now().Add(patience)))
	return raw{c, bufio.NewReader(c)}
}

// reply reads the reply to a handshake.
func (r raw) reply(t testing.TB) *http.Response {
	t.Helper()
	reply, err := http.ReadResponse(r.Reader, nil)
	fail(t, err)
	return reply
}

// upgraded connects, with a handshake of its own making.
func upgraded(t testing.TB, s *server, more ...string) raw {
	t.Helper()
	c := connect(t, s)
	send(t, c, good(more...)+"\r\n")
	if reply := c.reply(t); reply.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", reply.StatusCode)
	}
	return c
}

func send(t testing.TB, w io.Writer, p string) {
	t.Helper()
	if _, err := io.WriteString(w, p); err != nil {
		t.Fatal(err)
	}
}

// readFull fills p.
func readFull(t testing.TB, r io.Reader, p []byte) {
	t.Helper()
	if n, err := io.ReadFull(r, p); err != nil {
		t.Fatalf("%d of %d bytes: %.20q, %v", n, len(p), p[:n], err)
	}
}

// needsAcks skips a test on systems that do not say what a peer has acknowledged.
func needsAcks(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has SIOCOUTQ")
	}
}

// wire is a frame as a client sends it.
func wire(k websocket.Kind, f codec.Flags, payload string) string {
	return string(codec.AppendMasked(nil, k, f, [4]byte{1, 2, 3, 4}, []byte(payload)))
}

// wireClose is a close frame as a client sends it.
func wireClose(code websocket.Code, reason string) string {
	return wire(codec.Close, 0, string(codec.AppendClose(nil, code, reason)))
}

// frames reads all that a server sends, as a list of what it is, and closes.
func (r raw) frames(t testing.TB) string {
	t.Helper()
	stream, err := io.ReadAll(r.Reader)
	fail(t, err)
	_ = r.Close() // the server need not wait until it is sure
	shared, err := codec.New(codec.Config{Client: true})
	fail(t, err)
	var d codec.Decoder
	d.Init(shared, false)
	var list []string
	for {
		m, n, err := d.Next(stream)
		stream = stream[n:]
		switch {
		case err != nil:
			t.Fatalf("the server has sent %v: %v", list, err)
		case m.Kind == 0:
			if d.Pinned() != 0 {
				t.Fatalf("half a frame behind %v", list)
			}
			return strings.Join(list, " ")
		case m.Kind == codec.Close:
			list = append(list, fmt.Sprintf("close:%v", m.Code))
			if len(stream) > 0 { // which the decoder discards
				list = append(list, fmt.Sprintf("and %d bytes", len(stream)))
			}
		default:
			list = append(list, fmt.Sprintf("%v:%s", m.Kind, m.Data))
		}
	}
}
