package http1_test

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// backend answers every connection with the same bytes, and ends it.
func backend(t *testing.T, answer string) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4<<10))
			_, _ = io.WriteString(c, answer) // an error shows at the client
			_ = c.Close()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// TestReverseProxyAborts: a response that breaks off at the backend does not end as a
// whole one.
func TestReverseProxyAborts(t *testing.T) {
	for name, answer := range map[string]string{
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			proxy := httputil.NewSingleHostReverseProxy(backend(t, answer))
			proxy.ErrorLog = log.New(io.Discard, "", 0)
			proxy.FlushInterval = -1 // so that a part of it is on its way
			transport := &http.Transport{DisableKeepAlives: true}
			defer transport.CloseIdleConnections()
			proxy.Transport = transport
			resp, err := client(t).Get(startPool(t, proxy).url())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("%q looks whole", got)
			}
		})
	}
}

// TestAbort: http.ErrAbortHandler cuts the connection wherever the response has got to:
// nothing that is sent can be taken for the end of it.
func TestAbort(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "10")
		}
		put(w, "hello")
		if r.URL.Path != "/unsent" {
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	for _, path := range []string{"/", "/unsent"} { // of HTTP/1.0: only a reset tells the client that there was more
		p := dial(t, s)
		p.send("GET " + path + " HTTP/1.0\r\n\r\n")
		got, err := io.ReadAll(p.r)
		if begun := path == "/"; errors.Is(err, syscall.ECONNRESET) != begun || strings.HasSuffix(string(got), "\r\n\r\nhello") != begun {
			t.Errorf("%s of HTTP/1.0: %q, %v", path, got, err)
		}
	}
	for path, end := range map[string]string{"/unsent": "", "/chunked": "\r\n\r\n5\r\nhello\r\n", "/length": "\r\n\r\nhello"} {
		p := dial(t, s)
		p.send(get(path) + get("/never"))
		got, err := io.ReadAll(p.r)
		if err != nil || !strings.HasSuffix(string(got), end) || (end == "") != (len(got) == 0) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

// TestHandlerContext: handlers look for their server in the context, and may have a
// context of their own made of it.
func TestHandlerContext(t *testing.T) {
	type key struct{}
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
		if !ok || server.Handler == nil || server.ErrorLog == nil {
			t.Errorf("the server is %v", server)
		}
		local, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr)
		if !ok || local.String() != r.Host {
			t.Errorf("the local address is %v, want %s", local, r.Host)
		}
		if v := ctx.Value(key{}); v != nil || ctx.Err() != nil {
			t.Errorf("%v, %v", v, ctx.Err())
		}
	}))
	resp, err := client(t).Get(s.url())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// TestBodyClosed: nothing is read behind Close, and who waits in Read is woken.
func TestBodyClosed(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.ReadFull(r.Body, make([]byte, 2)); n != 2 || err != nil {
			t.Error(n, err)
		}
		failed := make(chan error)
		if r.URL.Path == "/waiting" {
			go func() {
				_, err := io.ReadAll(r.Body)
				failed <- err
			}()
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/waiting" {
			if err := receive(t, failed); !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("Read that waited: %v", err)
			}
		}
		if n, err := r.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("Read behind Close: %d, %v", n, err)
		}
	}))
	for path, content := range map[string]string{"/": "hello", "/waiting": "he"} {
		p := dial(t, s)
		p.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n" + content)
		p.expect(200, "")
	}
}

// TestNotSupported: what a Pool does not have is said, in the way that net/http has for
// it.
func TestNotSupported(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_, _, hijack := c.Hijack()
		for what, err := range map[string]error{
			"Hijack": hijack, "SetReadDeadline": c.SetReadDeadline(time.Now()), "SetWriteDeadline": c.SetWriteDeadline(time.Now()),
		} {
			if !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}))
	p := dial(t, s)
	p.send(get("/"))
	p.expect(200, "")
}

// TestHintedType: what an informational response says is not said of the final one.
func TestHintedType(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/x")
		w.Header().Set("Date", "long ago")
		w.WriteHeader(http.StatusEarlyHints)
		clear(w.Header())
		put(w, "<!DOCTYPE html>")
	}))
	resp, err := client(t).Get(s.url())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if date := resp.Header.Get("Date"); resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || date == "" || date == "long ago" {
		t.Error(resp.Header)
	}
}

// TestSmallWriteBuffer: a server that allows less to be unsent than a Pool's window
// slows its handlers down, and costs no response.
func TestSmallWriteBuffer(t *testing.T) {
	const size = 4 << 20
	protocol, err := http1.New(newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(w, strings.NewReader(pattern(size))); n != size || err != nil {
			t.Errorf("%d bytes written, %v", n, err)
		}
	})).Serve)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.WriteBufferMarks(1<<10, 2<<10), weir.WriteBufferLimit(64<<10), weir.SocketWriteBuffer(16<<10))
	p := dial(t, s)
	p.send(get("/") + get("/"))
	p.expect(200, pattern(size))
	p.expect(200, pattern(size))
}

// TestTinyWriteBuffer: one that does not even have room for a piece of it ends the
// connection: nothing may follow a response that lacks a part.
func TestTinyWriteBuffer(t *testing.T) {
	protocol, err := http1.New(newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		put(w, pattern(100<<10))
	})).Serve)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.WriteBufferMarks(1<<10, 2<<10), weir.WriteBufferLimit(4<<10))
	p := dial(t, s)
	p.send(get("/") + get("/"))
	if err := receive(t, s.ended); !errors.Is(err, weir.ErrSlowConsumer) {
		t.Errorf("the cause is %v", err)
	}
}
