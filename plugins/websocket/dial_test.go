package websocket_test

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestDial: what the options ask for is in the request, and what was agreed on known.
func TestDial(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Subprotocols("v2"), websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		if string(r.Header("X-Token")) != "42" || string(r.Host()) != "chat.example" || string(r.Target()) != "/a%20b?c=d" {
			return websocket.Answer{}, &websocket.Refusal{Status: http.StatusNotFound}
		}
		return websocket.Answer{}, nil
	}))
	opts := &websocket.DialOptions{
		Header:       http.Header{"X-Token": {"42"}, "Host": {"chat.example"}},
		Subprotocols: []string{"v3", "v2"},
	}
	c, err := websocket.Dial(t.Context(), s.url("/a%20b?c=d"), opts)
	fail(t, err)
	defer c.CloseNow() //nolint:errcheck // nothing is left to do with it
	if c.Subprotocol() != "v2" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	fail(t, c.Write(codec.Binary, make([]byte, 100_000)))
	expect(t, c, codec.Binary, strings.Repeat("\x00", 100_000))
	fail(t, c.Close(1000, ""))
	if err := c.Write(codec.Text, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	expectClose(t, c, 1000)
	for range 2 {
		if _, _, err := c.Read(); !errors.Is(err, io.EOF) {
			t.Errorf("Read after the end: %v", err)
		}
	}
	for _, url := range []string{"http://" + s.addr(), "ws:", "ws://a/#b", "ws://\x7f"} {
		if _, err := websocket.Dial(t.Context(), url, nil); err == nil {
			t.Errorf("%q is accepted", url)
		}
	}
}

// TestDialTLS: wss, through something that speaks TLS and passes all on.
func TestDialTLS(t *testing.T) {
	s := start(t, &handler{message: echo})
	certified := httptest.NewTLSServer(nil) // for its certificate
	defer certified.Close()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", certified.TLS)
	fail(t, err)
	defer ln.Close()
	done := make(chan error, 2)
	go func() {
		outer, err := ln.Accept()
		if err != nil {
			done <- err
			done <- nil
			return
		}
		inner, err := net.Dial("tcp", s.addr())
		if err != nil {
			done <- err
			done <- nil
			return
		}
		pass := func(to, from net.Conn) {
			_, err := io.Copy(to, from)
			_ = to.Close() // for the other direction
			if errors.Is(err, net.ErrClosed) {
				err = nil
			}
			done <- err
		}
		go pass(outer, inner)
		pass(inner, outer)
	}()
	url := strings.Replace(certified.URL, certified.Listener.Addr().String(), ln.Addr().String(), 1)
	url = strings.Replace(url, "https", "wss", 1)
	c, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{TLS: certified.Client().Transport.(*http.Transport).TLSClientConfig})
	fail(t, err)
	fail(t, c.NetConn().SetDeadline(time.Now().Add(patience)))
	fail(t, c.Write(codec.Text, []byte("secret")))
	expect(t, c, codec.Text, "secret")
	fail(t, c.Close(1000, ""))
	if _, _, err := c.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	fail(t, c.CloseNow())
	fail(t, receive(t, done))
	fail(t, receive(t, done))
}

// TestDialRefuses: what is not the answer to the handshake is no connection.
func TestDialRefuses(t *testing.T) {
	for name, answer := range map[string]string{
		"no answer":               "",
		"no HTTP":                 "\x00\x00",
		"wrong accept":            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		"extension, not offered":  "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		"subprotocol, not wanted": "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: x\r\n\r\n",
		"no upgrade":              "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
		"200":                     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0":                strings.Replace(switching, "HTTP/1.1", "HTTP/1.0", 1),
		"HTTP/2.0":                strings.Replace(switching, "HTTP/1.1", "HTTP/2.0", 1),
		"two upgrades":            strings.Replace(switching, "websocket", "websocket, h2c", 1),
		"two Upgrade fields":      strings.Replace(switching, "\r\n", "\r\nUpgrade: h2c\r\n", 1),
		"two accepts":             strings.Replace(switching, "\r\n", "\r\nSec-WebSocket-Accept: x\r\n", 1),
		"the same accept twice":   strings.Replace(switching, "\r\n", "\r\nSec-WebSocket-Accept: {}\r\n", 1),
		"malformed extensions":    strings.Replace(switching, "\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate;\r\n", 1),
		"other Connection":        strings.Replace(switching, "Connection: Upgrade", "Connection: close", 1),
		"interim replies alone":   "HTTP/1.1 103 X\r\n\r\nHTTP/1.1 100 X\r\n\r\n",
	} {
		c, err := dialAnswer(t, &websocket.DialOptions{}, answer)
		if err == nil {
			t.Errorf("%s: accepted", name)
			_ = c.CloseNow()
		}
	}
}

// switching is a good answer to a handshake; {} stands for what answers the key.
const switching = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n"

// dialAnswer is Dial of a server that sends that answer, which may go on with frames,
// and closes.
func dialAnswer(t *testing.T, opts *websocket.DialOptions, answer string) (*websocket.Client, error) {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close() // all is said
		buf := make([]byte, 4096)
		n, _ := far.Read(buf) // one read is all of a request
		accept := "none"
		if _, rest, ok := strings.Cut(string(buf[:n]), "Sec-Websocket-Key: "); ok {
			accept = acceptFor(rest[:24])
		}
		_, _ = io.WriteString(far, strings.ReplaceAll(answer, "{}", accept)) // the client may have heard enough
	}()
	t.Cleanup(func() { _ = near.Close(); <-done })
	opts.NetDial = func(context.Context, string, string) (net.Conn, error) { return near, nil }
	return websocket.Dial(t.Context(), "ws://example.com/", opts)
}

// TestDialReplies: answers that are unusual and good.
func TestDialReplies(t *testing.T) {
	for name, answer := range map[string]string{
		"plain":                    switching,
		"Connection in two fields": strings.Replace(switching, "\r\n", "\r\nConnection: keep-alive\r\n", 1),
		"Connection with two":      strings.Replace(switching, "Connection: ", "Connection: keep-alive, ", 1),
		"cases":                    strings.Replace(switching, "websocket", "WebSocket", 1),
		"interim replies":          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + switching,
		"HTTP/1.2":                 strings.Replace(switching, "HTTP/1.1", "HTTP/1.2", 1),
		"a long head":              strings.Replace(switching, "\r\n", "\r\nX: "+strings.Repeat("x", 60<<10)+"\r\n", 1),
	} {
		long := strings.Repeat("frame ", 30_000) // more than a head may have
		c, err := dialAnswer(t, &websocket.DialOptions{}, answer+string(codec.AppendFrame(nil, codec.Text, 0, []byte(long))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		expect(t, c, codec.Text, long)
	}
}

// endless is a connection whose server goes on and on.
type endless struct {
	net.Conn
	begun bool
	sent  int
	more  string
}

func (e *endless) Write(p []byte) (int, error) { return len(p), nil }

func (e *endless) Read(p []byte) (n int, err error) {
	if !e.begun {
		e.begun = true
		return copy(p, "HTTP/1.1 101 X\r\n"), nil
	}
	n = copy(p, e.more)
	e.sent += n
	if e.sent > 4<<20 {
		return 0, io.ErrClosedPipe
	}
	return n, nil
}

// TestDialEndless: neither a head nor interim replies are read without bound.
func TestDialEndless(t *testing.T) {
	for _, more := range []string{"x", strings.Repeat("X-Field: value\r\n", 100), "\r\nHTTP/1.1 103 X\r\n"} {
		near, far := net.Pipe() // for the methods that matter to nobody
		server := &endless{Conn: near, more: more}
		_, err := websocket.Dial(t.Context(), "ws://example.com/", &websocket.DialOptions{
			NetDial: func(context.Context, string, string) (net.Conn, error) { return server, nil },
		})
		if err == nil || server.sent > 100<<10 {
			t.Errorf("%.20q: %v after %d bytes", more, err, server.sent)
		}
		_ = far.Close()
	}
}

// acceptFor is what answers a key, RFC 6455 section 4.2.2.
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestDialTimeout: a server that says nothing costs no longer than the context.
func TestDialTimeout(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	fail(t, err)
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := websocket.Dial(ctx, "ws://"+ln.Addr().String(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestPipelined: what came together is answered with one write(2).
func TestPipelined(t *testing.T) {
	s := start(t, &handler{message: echo})
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	onLoop(t, conn, func() int { return 0 }) // the handshake is counted by the next cycle
	before := onLoop(t, conn, s.Stats)
	send(t, c, strings.Repeat(wire(codec.Text, 0, "message"), 16))
	if _, err := io.ReadFull(c, make([]byte, 16*9)); err != nil {
		t.Fatal(err)
	}
	onLoop(t, conn, func() int { return 0 }) // so is what was just answered
	after := onLoop(t, conn, s.Stats)
	if reads, writes := after.Reads-before.Reads, after.Writes-before.Writes; reads != 1 || writes != 1 {
		t.Errorf("%d reads and %d writes, want 1 of each", reads, writes)
	}
}
