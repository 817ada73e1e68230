package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// eventually waits until what holds is true.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// TestPoolOrder: replies of slow handlers and quick ones are in the order of the
// requests, also when the loop answers those in between.
func TestPoolOrder(t *testing.T) {
	var running atomic.Int32
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if running.Add(1) > 1 {
			t.Error("two requests of a connection at a time")
		}
		runtime.Gosched()
		put(w, "handler ", r.URL.Path)
		running.Add(-1)
	}))
	p := dial(t, start(t, func(w *http1.Response, r *http1.Request) {
		if strings.HasSuffix(string(r.Path()), "3") {
			put(w, fmt.Sprintf("loop %s", r.Path()))
			return
		}
		pool.Serve(w, r)
	}))
	const n = 2000 // more than 64 KiB, so that reading is paused, too
	var all strings.Builder
	for i := range n {
		all.WriteString(get("/"+itoa(i), "X-Fill: "+strings.Repeat("x", 30)))
	}
	go func() { _, _ = io.WriteString(p, all.String()) }() // an error shows as a reply that is missing
	for i := range n {
		by := "handler"
		if i%10 == 3 {
			by = "loop"
		}
		p.expect(200, by+" /"+itoa(i))
	}
}

// TestPoolConcurrency: connections don't wait for each other, until there are as
// many as workers; then they wait in the queue, and then they are turned away.
func TestPoolConcurrency(t *testing.T) {
	begun, release := make(chan string, 10), make(chan struct{})
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- r.URL.Path
		<-release
		put(w, r.URL.Path)
	}), http1.Workers(2), http1.Queue(1))
	p := make([]*peer, 4)
	for i := range p {
		p[i] = dial(t, s)
		p[i].send(get("/" + itoa(i)))
		if i < 2 {
			receive(t, begun)
		} else {
			eventually(t, "the request is there", func() bool { return s.Stats().MessagesIn == uint64(i)+1 })
		}
	}
	if r := p[3].expectStatus(503); r.Header.Get("Retry-After") == "" || r.Close {
		t.Errorf("%v, close: %v", r.Header, r.Close)
	}
	close(release)
	for i := range 3 {
		p[i].expect(200, "/"+itoa(i))
	}
	if got := receive(t, begun); got != "/2" {
		t.Errorf("%s was served, want /2", got)
	}
	p[3].send(get("/3"))
	p[3].expect(200, "/3")
}

// TestPoolBodies: a body that is larger than any buffer goes both ways at a time.
func TestPoolBodies(t *testing.T) {
	const size = 8 << 20
	s := start(t, newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Errorf("copying: %v", err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
	})).Serve, http1.MaxBody(size))
	content := pattern(size)
	for name, length := range map[string]int64{"length": size, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest("POST", s.url(), io.NopCloser(strings.NewReader(content)))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = length
			resp, err := client(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || string(got) != content {
				t.Errorf("%d bytes, %v; the same: %v", len(got), err, string(got) == content)
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		p := dial(t, s)
		p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(size+1) + "\r\n\r\n")
		p.expectStatus(413)
	})
}

// TestPoolBackPressure: a handler that does not read stops the client, and a client
// that does not read stops the handler.
func TestPoolBackPressure(t *testing.T) {
	const size, enough = 16 << 20, 4 << 20
	proceed := make(chan struct{})
	s := start(t, newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-proceed
		n, err := io.Copy(io.Discard, r.Body)
		if n != size || err != nil {
			t.Errorf("%d bytes of the body, %v", n, err)
		}
		n, err = io.Copy(w, strings.NewReader(pattern(size)))
		if n != size || err != nil {
			t.Errorf("%d bytes written, %v", n, err)
		}
	})).Serve, http1.MaxBody(size))
	p := dial(t, s)
	go func() { _, _ = io.WriteString(p, request("POST", "/", pattern(size))) }() // an error shows in the handler

	settled := func(what string, count func() uint64) {
		t.Helper()
		last := uint64(0)
		eventually(t, what, func() bool {
			before := last
			time.Sleep(20 * time.Millisecond)
			last = count()
			return last == before && last > 0
		})
		if last > enough {
			t.Errorf("%s at %d bytes only", what, last)
		}
	}
	settled("the client stops", func() uint64 { return s.Stats().BytesIn })
	close(proceed)
	settled("the handler stops", func() uint64 {
		st := s.Stats()
		return uint64(st.OutputBytes) // what the system has taken is its own business
	})
	p.expect(200, pattern(size))
}

// TestPoolStall: a client that never reads does not keep a worker for ever.
func TestPoolStall(t *testing.T) {
	failed := make(chan error, 1)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		for p := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(p)
		}
		failed <- err
	}), http1.StallTimeout(50*time.Millisecond))
	p := dial(t, s)
	p.send(get("/"))
	if err := receive(t, failed); err == nil {
		t.Error("no error")
	}
	_ = p.Close()
	if err := receive(t, s.ended); !errors.Is(err, weir.ErrStalled) {
		t.Errorf("the cause is %v", err)
	}
}

// TestPoolGone: the context ends when the client closes the connection, resets it,
// or ends its half; in the latter case it still gets the reply.
func TestPoolGone(t *testing.T) {
	for name, leave := range map[string]func(*peer) error{
		"close": func(p *peer) error { return p.Close() },
		"reset": func(p *peer) error { return errors.Join(p.SetLinger(0), p.Close()) },
		"half":  func(p *peer) error { return p.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			begun, ended := make(chan struct{}), make(chan error, 1)
			s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/first" { // the client had left before
					receive(t, r.Context().Done())
					return
				}
				close(begun)
				select {
				case <-r.Context().Done():
					ended <- r.Context().Err()
				case <-time.After(patience):
					ended <- errors.New("the context has not ended")
				}
				put(w, "done")
			}))
			p := dial(t, s)
			p.send(get("/first") + get("/second"))
			receive(t, begun)
			if err := leave(p); err != nil {
				t.Fatal(err)
			}
			if err := receive(t, ended); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if name == "half" {
				p.expect(200, "done")
				p.expect(200, "")
				p.expectEnd()
			}
			_ = receive(t, s.ended) // whatever the cause
		})
	}
}

// TestPoolGoneInBody: a body that ends too early is an error for who reads it.
func TestPoolGoneInBody(t *testing.T) {
	begun, failed := make(chan struct{}), make(chan error, 1)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		_, err := io.ReadAll(r.Body)
		failed <- err
		w.WriteHeader(400)
	}))
	p := dial(t, s)
	p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhell")
	receive(t, begun)
	if err := p.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, failed); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	p.expectStatus(400)
	p.expectEnd()
	_ = receive(t, s.ended) // whatever the cause
}

// TestPoolGoneInQueue: what nobody waits for any more is not begun.
func TestPoolGoneInQueue(t *testing.T) {
	begun, release := make(chan string, 10), make(chan struct{})
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- r.URL.Path
		<-release
	}), http1.Workers(1))
	first, second, third := dial(t, s), dial(t, s), dial(t, s)
	first.send(get("/1"))
	receive(t, begun)
	second.send(get("/2"))
	eventually(t, "the second is there", func() bool { return s.Stats().MessagesIn == 2 })
	third.send(get("/3"))
	eventually(t, "the third is there", func() bool { return s.Stats().MessagesIn == 3 })
	if err := errors.Join(second.SetLinger(0), second.Close()); err != nil {
		t.Fatal(err)
	}
	_ = receive(t, s.ended) // whatever the cause
	close(release)
	first.expect(200, "")
	third.expect(200, "")
	if got := receive(t, begun); got != "/3" {
		t.Errorf("%s was served", got)
	}
}

// unwrapPanics is an error that can't be asked what it wraps when it is nil.
type unwrapPanics struct{ inner error }

func (*unwrapPanics) Error() string   { return "broken" }
func (e *unwrapPanics) Unwrap() error { return e.inner }

// TestPoolPanic: what a panic costs, by what was sent before.
func TestPoolPanic(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/early":
			put(w, "not sent yet")
			panic("early")
		case "/late":
			put(w, "sent")
			_ = http.NewResponseController(w).Flush() // an error shows at the client
			panic("late")
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/nil":
			panic((*unwrapPanics)(nil))
		case "/exit":
			runtime.Goexit()
		}
	}), http1.Workers(1))
	for _, c := range []struct {
		path, raw string
		panics    bool
	}{
		{"/early", "HTTP/1.1 500 ", true},
		{"/late", "HTTP/1.1 200 ", true},
		{"/abort", "", false},
		{"/nil", "HTTP/1.1 500 ", true},
		{"/exit", "", false},
	} {
		p := dial(t, s)
		p.send(get(c.path) + get("/never"))
		got, err := io.ReadAll(p.r)
		_ = p.CloseWrite() // the server may wait for it
		if err != nil || !strings.HasPrefix(string(got), c.raw) || (c.raw == "") != (len(got) == 0) ||
			strings.Count(string(got), "HTTP/1.1") > 1 || strings.HasSuffix(string(got), "0\r\n\r\n") {
			t.Errorf("%s: %q, %v", c.path, got, err)
		}
		var panicked *weir.PanicError
		if err := receive(t, s.ended); errors.As(err, &panicked) != c.panics {
			t.Errorf("%s: the cause is %v", c.path, err)
		}
	}
	p := dial(t, s) // the worker is still there
	p.send(get("/"))
	p.expect(200, "")
}

// TestPoolContinue: the client that waits for a 100 gets it when the handler reads,
// and an answer instead if it does not.
func TestPoolContinue(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/explicit":
			w.WriteHeader(http.StatusContinue)
		case "/unread":
			return
		}
		copyTo(w, r.Body)
	}))
	const rest = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
	p := dial(t, s)
	for _, path := range []string{"/", "/explicit"} {
		p.send("POST " + path + rest)
		p.expectRaw("HTTP/1.1 100 Continue\r\n\r\n")
		p.send("hello")
		p.expect(200, "hello")
	}
	p.send("POST / " + rest[1:] + "hello")
	p.expect(200, "hello")
	p.send("POST /unread" + rest)
	if r := p.expect(200, ""); !r.Close {
		t.Error("the connection stays open")
	}
	p.expectEnd()
}

// TestPoolUnreadBody: what a handler leaves of a body does not disturb the next
// request; if it is too much, there is none.
func TestPoolUnreadBody(t *testing.T) {
	bodies := make(chan io.Reader, 10)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/some" {
			_, _ = r.Body.Read(make([]byte, 10))
		}
		bodies <- r.Body
		put(w, r.URL.Path)
	}))
	chunked := " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name, path, request string
		again               bool
	}{
		{"none", "/none", request("POST", "/none", pattern(200<<10)), true},
		{"some", "/some", request("POST", "/some", pattern(200<<10)), true},
		{"chunked", "/some", "POST /some" + chunked + chunks(pattern(100<<10), pattern(100<<10)), true},
		{"long", "/none", request("POST", "/none", pattern(1<<20)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dial(t, s)
			go func() { _, _ = io.WriteString(p, c.request+get("/next")) }() // it may fail
			if r := p.expect(200, c.path); r.Close == c.again {
				t.Errorf("close: %v", r.Close)
			}
			body := receive(t, bodies)
			if _, err := body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("reading behind the end: %v", err)
			}
			if c.again {
				p.expect(200, "/next")
				receive(t, bodies)
			} else {
				p.expectEnd()
			}
		})
	}
}

// TestPoolBadBody: what is wrong with a body is an error for who reads it, and the
// answer if there is none.
func TestPoolBadBody(t *testing.T) {
	failed := make(chan error, 1)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	}))
	for input, status := range map[string]int{"5\r\nhello\r\nx": 400, "5\r\nhello\r\n7fffffff\r\n": 413} {
		p := dial(t, s)
		p.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + input)
		var e *http1.Error
		if err := receive(t, failed); !errors.As(err, &e) || e.Status != status {
			t.Errorf("reading the body: %v", err)
		}
		p.expectStatus(status)
		p.expectEnd()
		s.expectCause(t, status)
	}
}

// TestPoolTarget: what http.Request has no place for.
func TestPoolTarget(t *testing.T) {
	s := startPool(t, http.NotFoundHandler())
	p := dial(t, s)
	p.send(request("OPTIONS", "*", ""))
	p.expect(200, "")
	p.send(get("/%zz") + get("/"))
	p.expectStatus(400)
	p.expectEnd()
}

// TestPoolShutdown: Shutdown waits for the handler, with a body that is still to
// come, and for what was sent already.
func TestPoolShutdown(t *testing.T) {
	begun := make(chan struct{}, 2)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		copyTo(w, r.Body)
	}))
	p, idle := dial(t, s), dial(t, s)
	p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
	receive(t, begun)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	idle.expectEnd()
	p.send("world" + get("/"))
	p.expect(200, "helloworld")
	p.expect(200, "")
	p.expectEnd()
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

// TestPoolStop: Stop does not wait for handlers; they are told.
func TestPoolStop(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	}))
	p := dial(t, s)
	p.send(get("/"))
	receive(t, begun)
	_ = s.Stop() // which returns none
	receive(t, ended)
}
