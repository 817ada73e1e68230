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
	} {
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() {
			buf := make([]byte, 4096)
			n, err := far.Read(buf)
			accept := "none"
			if _, rest, ok := strings.Cut(string(buf[:n]), "Sec-Websocket-Key: "); ok {
				accept = acceptFor(rest[:24])
			}
			if err == nil {
				_, err = io.WriteString(far, strings.ReplaceAll(answer, "{}", accept))
			}
			_ = far.Close() // all is said
			done <- err
		}()
		_, err := websocket.Dial(t.Context(), "ws://example.com/", &websocket.DialOptions{
			NetDial: func(context.Context, string, string) (net.Conn, error) { return near, nil },
		})
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		fail(t, receive(t, done))
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
