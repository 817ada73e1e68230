package http1_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// server is a weir server that speaks HTTP.
type server struct {
	*weir.Server
	ended <-chan error // the cause of each connection that has ended
}

// observer is a Protocol that tells why connections end.
type observer struct {
	*http1.Protocol
	ended chan<- error
}

func (o observer) OnClose(c *weir.Connection) {
	o.Protocol.OnClose(c)
	o.ended <- c.Err()
}

// start runs a server until the test ends.
func start(t testing.TB, h http1.Handler, opts ...http1.Option) *server {
	t.Helper()
	p, err := http1.New(h, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, p)
}

func serve(t testing.TB, p *http1.Protocol, opts ...weir.Option) *server {
	t.Helper()
	ended := make(chan error, 1024)
	opts = append([]weir.Option{
		weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(p),
		weir.Logger(slog.New(slog.DiscardHandler)),
	}, opts...)
	s, err := weir.NewServer(observer{p, ended}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Start() }()
	t.Cleanup(func() {
		_ = s.Stop() // which returns none
		if err := receive(t, stopped); err != nil {
			t.Error(err)
		}
	})
	return &server{s, ended}
}

// startPool runs a server that has everything answered by an http.Handler.
func startPool(t testing.TB, h http.Handler, opts ...http1.PoolOption) *server {
	t.Helper()
	return start(t, newPool(t, h, opts...).Serve)
}

func newPool(t testing.TB, h http.Handler, opts ...http1.PoolOption) *http1.Pool {
	t.Helper()
	pool, err := http1.NewPool(h, append([]http1.PoolOption{http1.PanicLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func (s *server) url() string { return "http://" + s.Addrs()[0].String() }

// client is an http.Client for a server, until the test ends.
func client(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// peer is a connection to a server, as a client has it.
type peer struct {
	*net.TCPConn
	r *bufio.Reader
	t testing.TB
}

func dial(t testing.TB, s *server) *peer {
	t.Helper()
	c, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{c.(*net.TCPConn), bufio.NewReader(c), t}
}

// send sends something, in one piece.
func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Fatal(err)
	}
}

// response reads one response to a request of that method, with its body.
func (p *peer) response(method string) (r *http.Response, content string) {
	p.t.Helper()
	r, err := http.ReadResponse(p.r, &http.Request{Method: method})
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatalf("after %d bytes of the body: %v", len(b), err)
	}
	return r, string(b)
}

// expect reads a response, and compares status and body.
func (p *peer) expect(status int, content string) *http.Response {
	p.t.Helper()
	r, got := p.response("GET")
	if r.StatusCode != status || got != content {
		p.t.Fatalf("%s, body %q; want %d, %q", r.Status, clip(got), status, clip(content))
	}
	return r
}

// expectStatus reads a response, and compares the status.
func (p *peer) expectStatus(status int) *http.Response {
	p.t.Helper()
	r, got := p.response("GET")
	if r.StatusCode != status {
		p.t.Fatalf("%s, body %q; want %d", r.Status, clip(got), status)
	}
	return r
}

// expectEnd reads the end of the stream, and nothing before it, and ends its own.
func (p *peer) expectEnd() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.r); err != nil || len(rest) != 0 {
		p.t.Fatalf("read %q, %v; want the end of the stream", clip(string(rest)), err)
	}
	_ = p.CloseWrite() // as clients do then; the server may wait for it
}

// expectRaw reads exactly that.
func (p *peer) expectRaw(want string) {
	p.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(p.r, got); err != nil || string(got) != want {
		p.t.Fatalf("read %q, %v; want %q", clip(string(got[:n])), err, clip(want))
	}
}

// get is a request without a body.
func get(path string, fields ...string) string { return request("GET", path, "", fields...) }

// request is a request whose body, if it has one, has a Content-Length.
func request(method, path, content string, fields ...string) string {
	s := method + " " + path + " HTTP/1.1\r\nHost: test\r\n"
	for _, f := range fields {
		s += f + "\r\n"
	}
	if content != "" {
		s += "Content-Length: " + itoa(len(content)) + "\r\n"
	}
	return s + "\r\n" + content
}

// chunks is a chunked body.
func chunks(pieces ...string) string {
	var s strings.Builder
	for _, p := range pieces {
		s.WriteString(hex(len(p)) + "\r\n" + p + "\r\n")
	}
	return s.String() + "0\r\n\r\n"
}

// receive takes one value off ch.
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

// expectCause waits for the end of a connection, and checks that it was refused
// with that status.
func (s *server) expectCause(t testing.TB, status int) {
	t.Helper()
	var e *http1.Error
	if err := receive(t, s.ended); !errors.As(err, &e) || e.Status != status {
		t.Fatalf("the connection has ended with %v, want an *Error with status %d", err, status)
	}
}

// put writes to a response; an error shows at the client.
func put(w io.Writer, a ...any) { _, _ = fmt.Fprint(w, a...) }

// copyTo copies to a response; an error shows at the client.
func copyTo(w io.Writer, r io.Reader) { _, _ = io.Copy(w, r) }

func clip(s string) string { return s[:min(len(s), 80)] }

// pattern is n bytes in which one that is lost or out of place shows.
func pattern(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}
