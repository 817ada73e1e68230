package http1_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// bodyHead is the head of a request with a body of that length, and what begins it.
func bodyHead(chunked bool, size int) string {
	if chunked {
		return chunkedHead + hex(size) + "\r\n"
	}
	return "POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(size) + "\r\n\r\n"
}

// TestBodyMemory: unfinished bodies have a bound on all connections together, and those
// who use it up keep nobody out who wants little.
func TestBodyMemory(t *testing.T) {
	const limit = 1 << 20
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprint("chunked ", chunked), func(t *testing.T) {
			protocol, err := http1.New(echo, http1.BodyMemory(limit))
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, protocol)
			var hogs []*peer
			refused := make(chan string, 20)
			for range cap(refused) {
				p := dial(t, s)
				hogs = append(hogs, p)
				go func() {
					_, _ = io.WriteString(p, bodyHead(chunked, 400<<10)+pattern(300<<10)) // it may be refused
					if line, err := p.r.ReadString('\n'); err == nil {
						refused <- line
						_ = p.CloseWrite() // the server waits for it
					}
				}()
			}
			for range 15 {
				if line := receive(t, refused); line != "HTTP/1.1 503 Service Unavailable\r\n" {
					t.Errorf("the answer is %q", line)
				}
			}
			if used := protocol.BodyMemoryUsed(); used == 0 || used > limit {
				t.Errorf("%d bytes are held", used)
			}
			p := dial(t, s)
			content := pattern(10 << 10)
			head := bodyHead(chunked, len(content))
			p.send(head)
			p.send(content[:9<<10]) // so that it has to be held
			p.send(content[9<<10:])
			if chunked {
				p.send("\r\n0\r\n\r\n")
			}
			p.expect(200, content)
			for _, p := range hogs {
				_ = p.Close()
			}
			for range hogs {
				_ = receive(t, s.ended) // whatever the cause
			}
			eventually(t, "all of it is free", func() bool { return protocol.BodyMemoryUsed() == 0 })
			p.send(request("POST", "/", pattern(400<<10)))
			p.expect(200, pattern(400<<10))
		})
	}
}

// TestBodyMemoryAnswers: what a client is told whose body there is no memory for.
func TestBodyMemoryAnswers(t *testing.T) {
	const limit = 64 << 10
	for _, chunked := range []bool{false, true} {
		s := start(t, echo, http1.BodyMemory(limit))
		first, second, large := dial(t, s), dial(t, s), dial(t, s)
		first.send(bodyHead(chunked, 30<<10) + pattern(20<<10)) // half of it
		eventually(t, "it is there", func() bool { return s.Stats().BytesIn > 20<<10 })
		second.send(bodyHead(chunked, 30<<10) + pattern(20<<10))
		second.expectStatus(503)
		second.expectEnd()
		s.expectCause(t, 503)
		_ = first.Close() // or there is no memory for the beginning, either, if that comes by itself
		_ = receive(t, s.ended)
		large.send(bodyHead(chunked, 60<<10) + pattern(50<<10))
		large.expectStatus(413)
		large.expectEnd()
		s.expectCause(t, 413)
	}
}

// TestBodyMemoryPool: a body counts until the handler that it was read for has returned.
func TestBodyMemoryPool(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	content := pattern(200 << 10)
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-release
		if got, err := io.ReadAll(r.Body); string(got) != content || err != nil {
			t.Errorf("%d bytes of the body, %v", len(got), err)
		}
	}), http1.Workers(1), http1.Queue(1))
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		r.ReadBody(func(w *http1.Response, r *http1.Request, _ []byte) { pool.Serve(w, r) })
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol)
	stays, goes, turned := dial(t, s), dial(t, s), dial(t, s)
	stays.send(request("POST", "/", content))
	receive(t, begun)
	if used := protocol.BodyMemoryUsed(); used < int64(len(content)) {
		t.Errorf("%d bytes are held", used)
	}
	goes.send(request("POST", "/", content))
	eventually(t, "both are held", func() bool { return protocol.BodyMemoryUsed() >= 2*int64(len(content)) })
	turned.send(request("POST", "/", content))
	turned.expectStatus(503)
	if err := errors.Join(goes.SetLinger(0), goes.Close()); err != nil {
		t.Fatal(err)
	}
	_ = receive(t, s.ended) // whatever the cause
	close(release)
	stays.expect(200, "")
	eventually(t, "all of it is free", func() bool { return protocol.BodyMemoryUsed() == 0 })
}

// TestBodyBurst: half a body at once buys no time for the other half.
func TestBodyBurst(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		s := start(t, echo, http1.BodyTimeout(50*time.Millisecond, 1))
		p := dial(t, s)
		p.send(bodyHead(chunked, 100_000))
		p.send(pattern(50_000)) // for 50,000 s
		p.expectStatus(408)
		if err := receive(t, s.ended); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the cause is %v", err)
		}
	}
}

// TestBodyOverMaxMessage: how long a message may be is no limit of a body that is read.
func TestBodyOverMaxMessage(t *testing.T) {
	const size = 1 << 20
	protocol, err := http1.New(echo, http1.MaxBody(size))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.MaxMessageSize(256<<10))
	content := pattern(size)
	for _, body := range []string{request("POST", "/", content), chunkedHead + chunks(content)} {
		p := dial(t, s)
		go func() { _, _ = io.WriteString(p, body+get("/")) }() // an error shows in the replies
		p.expect(200, content)
		p.expect(200, "")
	}
}

// TestBodyMemoryStream: a body does not count for as long as a stream lasts that is the
// answer to it.
func TestBodyMemoryStream(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		r.ReadBody(func(w *http1.Response, _ *http1.Request, body []byte) {
			w.SetBody(body)
			streams <- w.Stream()
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	content := pattern(200 << 10)
	p := dial(t, serve(t, protocol))
	p.send(request("POST", "/", content))
	stream := receive(t, streams)
	eventually(t, "all of it is free", func() bool { return protocol.BodyMemoryUsed() == 0 })
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	p.expect(200, content)
}

// TestBodyMemoryPanics: what was held for a function that panics is free, whatever it had
// done before.
func TestBodyMemoryPanics(t *testing.T) {
	pool := newPool(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, before := range map[string]func(w *http1.Response, r *http1.Request){
		"at once":      func(*http1.Response, *http1.Request) {},
		"after Stream": func(w *http1.Response, _ *http1.Request) { w.Stream() },
		"after Serve":  pool.Serve,
		"after Leave":  func(_ *http1.Response, r *http1.Request) { r.Leave() },
	} {
		protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
			r.ReadBody(func(w *http1.Response, r *http1.Request, _ []byte) {
				before(w, r)
				panic("as asked")
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		s := serve(t, protocol)
		p := dial(t, s)
		p.send(bodyHead(false, 10_000))
		eventually(t, "the request is there", func() bool { return s.Stats().MessagesIn == 1 })
		p.send(pattern(10_000))
		eventually(t, "it has panicked", func() bool { return s.Stats().Panics == 1 })
		_ = p.Close() // which it waits for
		_ = receive(t, s.ended)
		eventually(t, name+": all of it is free", func() bool { return protocol.BodyMemoryUsed() == 0 })
	}
}
