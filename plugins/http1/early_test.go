package http1_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

const chunkedHead = "POST /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

// early are the ways to answer a request without its body.
func early(t *testing.T) map[string]http1.Handler {
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		put(w, r.URL.Path)
	}))
	return map[string]http1.Handler{"loop": path, "pool": pool.Serve}
}

// TestEarlyAnswer: a client that is answered before it has sent its body, and whose
// connection ends with that, can go on sending, and reads the answer once it is done. A
// reset could cost it that.
func TestEarlyAnswer(t *testing.T) {
	handlers := early(t)
	panics := newPool(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("as asked") }))
	handlers["pool that panics"] = panics.Serve
	handlers["panic"] = func(*http1.Response, *http1.Request) { panic("as asked") }
	handlers["stream"] = func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		put(stream, "/u")
		_ = stream.Close() // an error shows at the client
	}
	const size = 400_000
	for name, h := range handlers {
		for framing, head := range map[string]string{
			"length":  "POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(size) + "\r\n\r\n",
			"chunked": chunkedHead + hex(size) + "\r\n",
		} {
			t.Run(name+" "+framing, func(t *testing.T) {
				s := start(t, h)
				p := dial(t, s)
				p.send(head)
				sent := s.Stats().BytesIn
				for range 20 {
					p.send(strings.Repeat("x", size/20))
					sent += size / 20
					eventually(t, "the server has read it", func() bool { return s.Stats().BytesIn >= sent })
				}
				status := 200
				if strings.Contains(name, "panic") {
					status = 500
				}
				if r := p.expectStatus(status); !r.Close {
					t.Error("the connection seems to stay open")
				}
				p.expectEnd()
				_ = receive(t, s.ended) // whatever the cause
			})
		}
	}
}

// TestCloseWhileSending: the same for requests behind one that ends the connection.
func TestCloseWhileSending(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) { w.Close() })
	p := dial(t, s)
	sent := s.Stats().BytesIn
	for range 20 {
		p.send(get("/"))
		sent += uint64(len(get("/")))
		eventually(t, "the server has read it", func() bool { return s.Stats().BytesIn >= sent })
	}
	p.expect(200, "")
	p.expectEnd()
}

// TestUnreadChunks: the answer to a request whose body nobody wants says whether the
// connection can be used again, and keeps the promise.
func TestUnreadChunks(t *testing.T) {
	for name, h := range early(t) {
		for size, again := range map[int]bool{200 << 10: true, 256 << 10: true, 256<<10 + 1: false, 300 << 10: false} {
			t.Run(name+" "+itoa(size), func(t *testing.T) {
				p := dial(t, start(t, h, http1.LateTime(patience)))
				p.send(chunkedHead)
				p.send(chunks(pattern(size))) // all of it, before anything is read
				r := p.expect(200, "/u")
				// What has come before the handler of a Pool has ended does not count.
				if r.Close == again && (again || name == "loop") {
					t.Errorf("close: %v", r.Close)
				}
				if r.Close {
					p.expectEnd()
					return
				}
				p.send(get("/next"))
				p.expect(200, "/next")
			})
		}
		t.Run(name+" HEAD", func(t *testing.T) {
			p := dial(t, start(t, h, http1.LateTime(patience)))
			p.send("HEAD" + chunkedHead[len("POST"):])
			p.send(chunks("x") + get("/next"))
			if r, content := p.response("HEAD"); content != "" || r.ContentLength != 2 {
				t.Errorf("length %d, content %q", r.ContentLength, content)
			}
			p.expect(200, "/next")
		})
	}
}

// TestUnreadChunksStall: a client that sends no more of such a body until it is answered
// is answered all the same, and so is one that has ended its half, or sends no body.
func TestUnreadChunksStall(t *testing.T) {
	for name, h := range early(t) {
		s := start(t, h, http1.BodyTimeout(time.Hour, 1))
		for what, rest := range map[string]string{"waits": "5\r\nhe", "ends": "5\r\nhe", "breaks": "x"} {
			t.Run(name+" "+what, func(t *testing.T) {
				p := dial(t, s)
				p.send(chunkedHead)
				p.send(rest)
				if what == "ends" {
					if err := p.CloseWrite(); err != nil {
						t.Fatal(err)
					}
				}
				if r := p.expect(200, "/u"); !r.Close {
					t.Error("the connection seems to stay open")
				}
				p.expectEnd()
				_ = receive(t, s.ended) // whatever the cause
			})
		}
	}
}

// TestUnreadChunksShutdown: Shutdown does not cost such a client its answer.
func TestUnreadChunksShutdown(t *testing.T) {
	for name, h := range early(t) {
		t.Run(name, func(t *testing.T) {
			s := start(t, h, http1.LateTime(patience))
			p := dial(t, s)
			p.send(chunkedHead + "5\r\nhe")
			eventually(t, "it is there", func() bool { return s.Stats().MessagesIn == 1 })
			done := make(chan error, 1)
			go func() { done <- s.Shutdown(context.Background()) }()
			eventually(t, "the server shuts down", func() bool {
				c, err := net.Dial("tcp", s.Addrs()[0].String())
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			})
			p.send("llo\r\n0\r\n\r\n")
			p.expect(200, "/u")
			p.expectEnd()
			if err := receive(t, done); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUnreadChunksFlushed: a response that has begun before the length of the body is
// known keeps its promise, however long that turns out to be.
func TestUnreadChunksFlushed(t *testing.T) {
	p := dial(t, startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		put(w, r.URL.Path)
	})))
	p.send(chunkedHead)
	go func() { _, _ = io.WriteString(p, chunks(pattern(1<<20))+get("/next")) }() // an error shows in the replies
	if r := p.expect(200, "/u"); r.Close {
		t.Error("the connection is closed")
	}
	p.expect(200, "/next")
}

// TestUnreadSetBody: a body that was given to SetBody, and is sent later, is as it was
// when the Handler returned.
func TestUnreadSetBody(t *testing.T) {
	scratch := []byte("as it was")
	p := dial(t, start(t, func(w *http1.Response, r *http1.Request) {
		w.Header("X-A", "b")
		w.SetBody(scratch)
		r.Connection().RunAfter(0, func() { copy(scratch, "otherwise") })
	}, http1.LateTime(patience)))
	p.send(chunkedHead)
	p.send("1\r\n")
	for _, piece := range []string{"x\r\n", "0\r\n", "\r\n"} {
		time.Sleep(20 * time.Millisecond) // so that scratch may change meanwhile
		p.send(piece)
	}
	if r := p.expect(200, "as it was"); r.Header.Get("X-A") != "b" || r.Close {
		t.Errorf("%v, close %v", r.Header, r.Close)
	}
}
