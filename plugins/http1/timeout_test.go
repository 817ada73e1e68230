package http1_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// drip sends one byte after the other, slowly, until that fails.
func (p *peer) drip(s string) {
	go func() {
		for i := range len(s) {
			if _, err := io.WriteString(p, s[i:i+1]); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond) // what is tested is that time passes
		}
	}()
}

// expectTimeout expects a 408 and the end.
func (s *server) expectTimeout(t *testing.T, p *peer) {
	t.Helper()
	p.expectStatus(408)
	_, _ = io.Copy(io.Discard, p.r) // the end may be a reset: the client goes on sending
	if err := receive(t, s.ended); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the cause is %v", err)
	}
}

// TestSlowHead: a head that never ends, however busy the client is with it.
func TestSlowHead(t *testing.T) {
	s := start(t, path, http1.HeadTimeout(50*time.Millisecond))
	for _, first := range []string{"", get("/before")} {
		p := dial(t, s)
		if p.send(first); first != "" {
			p.expect(200, "/before")
		}
		p.drip("GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 20000))
		s.expectTimeout(t, p)
	}
}

// TestSlowBody: the same with a body, for all that may become of it.
func TestSlowBody(t *testing.T) {
	const content, chunkedContent = "Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	slow := http1.BodyTimeout(50*time.Millisecond, 1<<20)
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading the body: %v", err)
		}
	}))
	for name, h := range map[string]http1.Handler{"memory": echo, "handler": pool.Serve} {
		for _, framing := range []string{content, chunkedContent + "ffff\r\n"} {
			t.Run(name, func(t *testing.T) {
				s := start(t, h, slow)
				p := dial(t, s)
				p.send("POST / HTTP/1.1\r\nHost: a\r\n" + framing)
				p.drip(strings.Repeat("x", 20000))
				s.expectTimeout(t, p)
			})
		}
	}
	t.Run("behind a pause", func(t *testing.T) {
		s := start(t, pool.Serve, slow)
		p := dial(t, s)
		p.send("POST / HTTP/1.1\r\nHost: a\r\n" + content + pattern(900_000))
		s.expectTimeout(t, p)
	})
	t.Run("nobody", func(t *testing.T) {
		s := start(t, path, slow)
		p := dial(t, s)
		p.send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
		p.expect(200, "/u")
		p.drip(strings.Repeat("x", 20000))
		s.expectCause(t, 408)
	})
}

// TestBodySlowEnough: a body that comes slowly, but fast enough, has more time than one
// that doesn't come.
func TestBodySlowEnough(t *testing.T) {
	t.Parallel()
	p := dial(t, start(t, echo, http1.BodyTimeout(time.Second, 10)))
	p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 250\r\n\r\n")
	content := strings.Repeat("x", 250)
	p.drip(content) // 1,250 ms
	p.expect(200, content)
}

// TestSlowHandler: the time that a handler takes is not the client's.
func TestSlowHandler(t *testing.T) {
	const much = 250 * time.Millisecond // for a client that only has to be quick
	s := start(t, newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(5 * much / 2) // what is tested is that it passes
		n, err := io.Copy(io.Discard, r.Body)
		if n != 1<<20 || err != nil {
			t.Errorf("%d bytes of the body, %v", n, err)
		}
	})).Serve, http1.HeadTimeout(much), http1.BodyTimeout(much, 1<<30), http1.IdleTimeout(much))
	p := dial(t, s)
	go func() { _, _ = io.WriteString(p, request("POST", "/", pattern(1<<20))) }() // an error shows in the reply
	p.expect(200, "")
}

// TestIdle: a connection on which nothing begins is closed without a word, one that
// is used is not.
func TestIdle(t *testing.T) {
	s := start(t, path, http1.IdleTimeout(200*time.Millisecond))
	for _, first := range []string{"", get("/before")} {
		p := dial(t, s)
		if p.send(first); first != "" {
			p.expect(200, "/before")
		}
		p.expectEnd()
		if err := receive(t, s.ended); !errors.Is(err, weir.ErrIdleTimeout) {
			t.Errorf("the cause is %v", err)
		}
	}
	p := dial(t, s)
	for range 15 {
		p.send(get("/"))
		p.expect(200, "/")
		time.Sleep(40 * time.Millisecond) // three times the idle time in all
	}
}

// TestNoTimeouts: 0 is for ever.
func TestNoTimeouts(t *testing.T) {
	s := start(t, echo, http1.HeadTimeout(0), http1.BodyTimeout(0, 1), http1.IdleTimeout(0))
	p := dial(t, s)
	for _, piece := range []string{"POST / HTTP/1.1\r\nHo", "st: a\r\nContent-Length: 5\r\n\r\nhe", "llo"} {
		time.Sleep(5 * time.Millisecond) // so that they come in pieces
		p.send(piece)
	}
	p.expect(200, "hello")
}
