package http1_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

// blocked is a server whose one worker is busy until release is closed.
type blocked struct {
	*server
	pool    *http1.Pool
	begun   chan string
	release chan struct{}
	first   *peer // that it is busy with
}

func startBlocked(t *testing.T, opts ...http1.PoolOption) *blocked {
	t.Helper()
	b := &blocked{begun: make(chan string, 100), release: make(chan struct{})}
	b.pool = newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.begun <- r.URL.Path
		<-b.release
		put(w, r.URL.Path)
	}), append([]http1.PoolOption{http1.Workers(1)}, opts...)...)
	b.server = start(t, b.pool.Serve)
	b.first = dial(t, b.server)
	b.first.send(get("/first"))
	receive(t, b.begun)
	return b
}

// expectWaiting waits until so many requests wait, and so many clients are leaving.
func (b *blocked) expectWaiting(t *testing.T, n, leaving int) {
	t.Helper()
	eventually(t, itoa(n)+" wait, "+itoa(leaving)+" are leaving", func() bool {
		gotN, gotLeaving := b.pool.Waiting()
		return gotN == n && gotLeaving == leaving
	})
}

// wait sends a request that has to wait, as the nth.
func (b *blocked) wait(t *testing.T, n int, path string) *peer {
	t.Helper()
	p := dial(t, b.server)
	p.send(get(path))
	eventually(t, "it waits", func() bool { got, _ := b.pool.Waiting(); return got == n })
	return p
}

// TestQueueGone: a client that is gone has no place in the queue, and the others keep
// their order.
func TestQueueGone(t *testing.T) {
	b := startBlocked(t, http1.Queue(5))
	var all [5]*peer
	for i := range all {
		all[i] = b.wait(t, i+1, "/"+itoa(i))
	}
	n := len(all)
	for _, i := range []int{2, 0, 4} {
		if err := errors.Join(all[i].SetLinger(0), all[i].Close()); err != nil {
			t.Fatal(err)
		}
		n--
		b.expectWaiting(t, n, 0)
	}
	last := b.wait(t, 3, "/last")
	close(b.release)
	b.first.expect(200, "/first")
	all[1].expect(200, "/1")
	all[3].expect(200, "/3")
	last.expect(200, "/last")
	for _, want := range []string{"/1", "/3", "/last"} {
		if got := receive(t, b.begun); got != want {
			t.Errorf("%s is served, want %s", got, want)
		}
	}
}

// TestQueueLeaving: clients that have ended their half, and may be gone, are served as
// long as there are places; then they make room, the oldest first.
func TestQueueLeaving(t *testing.T) {
	b := startBlocked(t, http1.Queue(3))
	stays, older, newer := b.wait(t, 1, "/stays"), b.wait(t, 2, "/older"), b.wait(t, 3, "/newer")
	for i, p := range []*peer{newer, older} {
		if err := p.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		b.expectWaiting(t, 3, i+1)
	}
	next := dial(t, b.server)
	next.send(get("/next"))
	if r := older.expectStatus(503); r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	older.expectEnd()
	b.expectWaiting(t, 3, 1)
	another := dial(t, b.server)
	another.send(get("/another"))
	newer.expectStatus(503)
	newer.expectEnd()
	b.expectWaiting(t, 3, 0)
	refused := dial(t, b.server)
	refused.send(get("/refused"))
	refused.expectStatus(503)
	close(b.release)
	stays.expect(200, "/stays")
	next.expect(200, "/next")
	another.expect(200, "/another")
}

// TestQueueTimeout: who has waited too long for a worker is told, whatever has come of
// the body, and can go on with the connection if that is not too much.
func TestQueueTimeout(t *testing.T) {
	b := startBlocked(t, http1.QueueTimeout(50*time.Millisecond))
	for name, c := range map[string]struct {
		request, rest string
		again         bool
	}{
		"no body":       {get("/"), "", true},
		"body":          {request("POST", "/", "hello"), "", true},
		"half a body":   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", "llo", true},
		"long body":     {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhe", "", false},
		"paused body":   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + pattern(290_000), pattern(10_000), true},
		"chunked body":  {chunkedHead + chunks("hello"), "", true},
		"half a chunk":  {chunkedHead + "5\r\nhe", "", false},
		"100":           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", "", false},
		"pipelined":     {get("/"), get("/"), true},
		"close, please": {get("/", "Connection: close"), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, b.server)
			p.send(c.request + c.rest[:len(c.rest)/2])
			r := p.expectStatus(503)
			if r.Close == c.again {
				t.Errorf("close: %v", r.Close)
			}
			if !c.again {
				p.expectEnd()
				return
			}
			p.send(c.rest[len(c.rest)/2:])
			if strings.HasPrefix(c.rest, "GET") {
				p.expectStatus(503)
			}
			p.send(request("OPTIONS", "*", "")) // which no worker is asked for
			p.expect(200, "")
		})
	}
	broken := dial(t, b.server)
	broken.send(chunkedHead + "5\r\nhello, no end of a chunk")
	broken.expectStatus(400)
	broken.expectEnd()
	b.expectWaiting(t, 0, 0)
	close(b.release)
	b.first.expect(200, "/first")
	b.first.send(get("/again"))
	b.first.expect(200, "/again")
}

// TestBodyFirst: a client that sends its body slowly does not occupy a worker, if the
// body is read first.
func TestBodyFirst(t *testing.T) {
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { copyTo(w, r.Body) }), http1.Workers(1))
	s := start(t, func(w *http1.Response, r *http1.Request) {
		r.ReadBody(func(w *http1.Response, r *http1.Request, _ []byte) { pool.Serve(w, r) })
	})
	for _, chunked := range []bool{false, true} {
		slow, quick := dial(t, s), dial(t, s)
		came := s.Stats().BytesIn
		slow.send(bodyHead(chunked, 10) + "hello")
		came += uint64(len(bodyHead(chunked, 10) + "hello"))
		eventually(t, "it is there", func() bool { return s.Stats().BytesIn >= came })
		quick.send(request("POST", "/", "quick"))
		quick.expect(200, "quick")
		slow.send("world")
		if chunked {
			slow.send("\r\n0\r\n\r\n")
		}
		slow.expect(200, "helloworld")
	}
}
