package http1_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// TestPoolBehindReadBody: a request may be passed on when its body has been read.
func TestPoolBehindReadBody(t *testing.T) {
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		copyTo(w, r.Body)
		put(w, " ", r.Header.Get("X-A"), r.Trailer)
	}))
	p := dial(t, start(t, func(_ *http1.Response, r *http1.Request) {
		r.ReadBody(func(w *http1.Response, r *http1.Request, _ []byte) { pool.Serve(w, r) })
	}))
	p.send(get("/", "X-A: a") + request("POST", "/", "hello", "X-A: b"))
	p.expect(200, " amap[]")
	p.expect(200, "hello bmap[]")
	p.send("POST / HTTP/1.1\r\nHost: a\r\nX-A: c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
	p.send("lo\r\n0\r\nX-T: t\r\n\r\n")
	p.expect(200, "hello cmap[X-T:[t]]")
}

// TestChurn: many clients that do all kinds of things, one after the other and at
// once, and leave in the middle of some, on two loops.
func TestChurn(t *testing.T) {
	const clients, rounds = 8, 60
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/pool/flush":
			for _, piece := range strings.SplitAfter(r.URL.RawQuery, ",") {
				put(w, piece)
				_ = http.NewResponseController(w).Flush() // an error shows at the client
			}
		case "/pool/echo":
			copyTo(w, r.Body)
		case "/pool/ignore":
			put(w, "ignored")
		}
	}), http1.Workers(4))
	p, err := http1.New(func(w *http1.Response, r *http1.Request) {
		switch path := string(r.Path()); {
		case strings.HasPrefix(path, "/pool/"):
			pool.Serve(w, r)
		case path == "/stream":
			stream := w.Stream()
			go func() {
				put(stream, "streamed")
				_ = stream.Close() // an error means that the client has gone
			}()
		case path == "/echo":
			echo(w, r)
		default:
			w.WriteString(path)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, p, weir.NumLoops(2))
	large := pattern(300 << 10)
	chunked := func(path, content string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(content, content)
	}
	kinds := []struct{ request, want string }{
		{get("/plain"), "/plain"},
		{get("/stream"), "streamed"},
		{get("/pool/flush?a,b,c"), "a,b,c"},
		{request("POST", "/echo", "small"), "small"},
		{request("POST", "/echo", large), large},
		{chunked("/echo", "xyz"), "xyzxyz"},
		{request("POST", "/pool/echo", "small"), "small"},
		{request("POST", "/pool/echo", large[:200<<10]), large[:200<<10]},
		{chunked("/pool/echo", large[:70<<10]), large[:70<<10] + large[:70<<10]},
		{request("POST", "/pool/ignore", large[:100<<10]), "ignored"},
		{chunked("/plain", "ignored"), "/plain"},
	}
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 0))
			c := dial(t, s)
			for range rounds {
				var all, want []string
				for range 1 + r.IntN(5) {
					k := kinds[r.IntN(len(kinds))]
					all, want = append(all, k.request), append(want, k.want)
				}
				wire := strings.Join(all, "")
				if r.IntN(8) == 0 {
					_, _ = io.WriteString(c, wire[:r.IntN(len(wire))]) // the end is to come anywhere
					_ = c.Close()
					c = dial(t, s)
					continue
				}
				go func(c *peer) { _, _ = io.WriteString(c, wire) }(c) // an error shows in the replies
				for _, content := range want {
					c.expect(200, content)
				}
			}
		})
	}
	wait.Wait()
}
