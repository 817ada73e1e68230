package http1_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/ringbuffer"
)

// TestReadBody: bodies of both kinds, of all sizes, that come with the head or
// later, are handed over whole.
func TestReadBody(t *testing.T) {
	s := start(t, echo)
	for _, size := range []int{0, 1, 100, 4 << 10, 60 << 10, 70 << 10, 1 << 20} {
		content := pattern(size)
		var pieces []string
		for rest := content; rest != ""; {
			n := (len(rest) + 2) / 3
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		for name, one := range map[string]string{
			"length":  request("POST", "/", content),
			"chunked": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(pieces...),
		} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				p := dial(t, s)
				go func() { _, _ = io.WriteString(p, one+one+get("/")) }() // an error shows in the replies
				p.expect(200, content)
				p.expect(200, content)
				p.expect(200, "")
			})
		}
	}
}

// TestReadBodyKeepsHead: the head is still there when the body comes much later,
// and so is what was written of the reply.
func TestReadBodyKeepsHead(t *testing.T) {
	waiting := make(chan struct{}, 1)
	s := start(t, func(w *http1.Response, r *http1.Request) {
		w.WriteString("begun, ")
		r.ReadBody(func(w *http1.Response, r *http1.Request, body []byte) {
			put(w, fmt.Sprintf("%s %s %s %q trailer %q", r.Method(), r.Path(), r.Header("x-a"), body, r.Trailer("X-T")))
		})
		waiting <- struct{}{}
	})
	for framing, body := range map[string][2]string{
		"Content-Length: 5":          {"hel", "lo"},
		"Transfer-Encoding: chunked": {"3\r\nhel\r\n", "2\r\nlo\r\n0\r\nX-T: t\r\n\r\n"},
	} {
		p := dial(t, s)
		trailer := ""
		if strings.Contains(framing, "chunked") {
			trailer = "t"
		}
		for _, value := range []string{"one", "another"} { // in the same memory
			p.send("POST /p HTTP/1.1\r\nHost: a\r\nX-A: " + value + "\r\n" + framing + "\r\n\r\n")
			receive(t, waiting)
			p.send(body[0])
			p.send(body[1] + get("/next"))
			p.expect(200, fmt.Sprintf(`begun, POST /p %s "hello" trailer %q`, value, trailer))
			p.expect(200, `begun, GET /next  "" trailer ""`)
			receive(t, waiting)
		}
	}
}

// TestContinue: the client that waits for a 100 gets it when the body is wanted,
// and none when the body is there already.
func TestContinue(t *testing.T) {
	s := start(t, echo)
	p := dial(t, s)
	p.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	p.expectRaw("HTTP/1.1 100 Continue\r\n\r\n")
	p.send("hello")
	p.expect(200, "hello")
	p.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
	p.expectRaw("HTTP/1.1 100 Continue\r\n\r\n")
	p.send(chunks("hello"))
	p.expect(200, "hello")
	p.send(request("POST", "/", "at once", "Expect: 100-continue"))
	p.expect(200, "at once")
	p.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nh")
	p.send("ello")
	p.expect(200, "hello")
}

// TestUnreadBody: a body that nobody wants is skipped if that is not too much.
func TestUnreadBody(t *testing.T) {
	chunked := "POST /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name, request string
		again         bool
	}{
		{"short", request("POST", "/u", pattern(200<<10)), true},
		{"chunked", chunked + chunks(pattern(100<<10), pattern(100<<10)), true},
		{"long", request("POST", "/u", pattern(300<<10)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dial(t, start(t, path))
			go func() { _, _ = io.WriteString(p, c.request+get("/next")) }() // it may fail
			if r := p.expect(200, "/u"); r.Close == c.again {
				t.Errorf("close: %v", r.Close)
			}
			if c.again {
				p.expect(200, "/next")
			} else {
				p.expectEnd()
			}
		})
	}
	t.Run("chunked and long", func(t *testing.T) {
		s := start(t, path)
		p := dial(t, s)
		go func() { _, _ = io.WriteString(p, chunked+chunks(pattern(200<<10), pattern(200<<10))) }() // it may fail
		if r := p.expect(200, "/u"); !r.Close {
			t.Error("the connection seems to stay open")
		}
		p.expectEnd()
		s.expectCause(t, 413)
	})
	t.Run("announced", func(t *testing.T) {
		p := dial(t, start(t, path))
		p.send("POST /u HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if r := p.expect(200, "/u"); !r.Close { // nobody knows whether it will be sent
			t.Error("the connection stays open")
		}
		p.expectEnd()
	})
	t.Run("broken", func(t *testing.T) {
		s := start(t, path)
		p := dial(t, s)
		p.send(chunked + "x")
		p.expect(200, "/u")
		p.expectEnd()
		s.expectCause(t, 400)
	})
}

// TestBodyRefused: a body that turns out bad while it is read is answered with what
// is wrong with it.
func TestBodyRefused(t *testing.T) {
	for _, c := range []struct {
		first, second string
		status        int
	}{
		{"5\r\nhello\r\n", "6x", 400},
		{"5\r\nhello\r\n", "60\r\n", 413},
	} {
		s := start(t, echo, http1.MaxBody(100))
		p := dial(t, s)
		p.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + c.first)
		p.send(c.second)
		p.expectStatus(c.status)
		p.expectEnd()
		s.expectCause(t, c.status)
	}
}

// switching is a Protocol that begins with HTTP and ends as an echo.
type switching struct{ *http1.Protocol }

type switched struct{}

func (p switching) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if _, ok := c.ProtocolState().(switched); !ok {
		return p.Protocol.UnPacket(c, b)
	}
	payload = b.View(b.Length())
	b.RetrieveAll()
	return nil, payload
}

func (p switching) OnMessage(c *weir.Connection, ctx any, data []byte) any {
	if _, ok := c.ProtocolState().(switched); ok {
		return data
	}
	return p.Protocol.OnMessage(c, ctx, data)
}

// TestSwitch: another protocol can have this one in front.
func TestSwitch(t *testing.T) {
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { put(w, "no") }))
	p, err := http1.New(func(w *http1.Response, r *http1.Request) {
		if string(r.Upgrade()) != "echo" {
			pool.Serve(w, r)
			return
		}
		c := r.Connection()
		r.Leave()
		c.SetProtocolState(switched{})
		if _, err := c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")); err != nil {
			t.Error(err)
		}
	}, http1.IdleTimeout(200*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	both := switching{p}
	s, err := weir.NewServer(both, weir.CustomProtocol(both), weir.Address("127.0.0.1:0"), weir.NumLoops(1))
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Start() }()
	c := dial(t, &server{Server: s})
	c.send(get("/") + get("/", "Connection: upgrade", "Upgrade: echo") + "GET at once")
	c.expect(200, "no")
	c.expectRaw("HTTP/1.1 101 Switching Protocols\r\n\r\nGET at once")
	<-time.After(500 * time.Millisecond) // longer than HTTP's idle time, which is over
	c.send("and later")
	c.expectRaw("and later")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.expectEnd()
	_ = s.Stop() // which returns none
	if err := receive(t, stopped); err != nil {
		t.Error(err)
	}
}

// TestLeave: a connection that leaves HTTP is the caller's, from the byte behind
// the head on.
func TestLeave(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		c := r.Connection()
		if string(r.Upgrade()) != "nothing" {
			return
		}
		_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
		r.Leave()
		if c.ProtocolState() != nil {
			t.Error("HTTP has left something behind")
		}
		_ = c.Close()
	})
	p := dial(t, s)
	p.send(get("/"))
	p.expect(200, "")
	p.send(get("/", "Connection: upgrade", "Upgrade: nothing"))
	p.expectRaw("HTTP/1.1 101 Switching Protocols\r\n\r\n")
	p.expectEnd()
}

// TestRefusedWhileSending: a client whose body is refused can go on sending, and reads
// why once it is done. A reset could cost it that.
func TestRefusedWhileSending(t *testing.T) {
	s := start(t, path, http1.MaxBody(100))
	p := dial(t, s)
	p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
	sent := s.Stats().BytesIn
	for range 20 {
		p.send(strings.Repeat("x", 1000))
		sent += 1000
		eventually(t, "the server has read it", func() bool { return s.Stats().BytesIn >= sent })
	}
	p.expectStatus(413)
	p.expectEnd()
	s.expectCause(t, 413)
}
