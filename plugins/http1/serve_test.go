package http1_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

func itoa(n int) string { return strconv.Itoa(n) }

func hex(n int) string { return strconv.FormatInt(int64(n), 16) }

// path answers with the path.
func path(w *http1.Response, r *http1.Request) { _, _ = w.Write(r.Path()) }

// echo answers with the body.
func echo(w *http1.Response, r *http1.Request) {
	r.ReadBody(func(w *http1.Response, _ *http1.Request, body []byte) { w.SetBody(body) })
}

// TestReply: what a reply looks like.
func TestReply(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		w.Status(http.StatusTeapot)
		w.ContentType("text/plain")
		w.Header("X-A", "1")
		w.Header("X-A", "2")
		w.WriteString("short ")
		w.Write([]byte("and stout"))
	}, http1.ServerField("weir"))
	p := dial(t, s)
	p.send(get("/"))
	r := p.expect(http.StatusTeapot, "short and stout")
	if got := fmt.Sprintln(r.Header["X-A"], r.Header.Get("Content-Type"), r.Header.Get("Server"), r.ContentLength, r.Close); got != "[1 2] text/plain weir 15 false\n" {
		t.Error(got)
	}
	date, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil || time.Since(date).Abs() > patience {
		t.Errorf("Date is %q, %v", r.Header.Get("Date"), err)
	}
}

// TestInjection: no value of a field ends its line, no name is anything else, and
// what says how long the reply is is the library's to say.
func TestInjection(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		w.Header("X-A", "a\r\nX-B: b\x00\x7f\tc")
		w.Header("X-C: c\r\nX-D", "d")
		w.Header("", "e")
		w.Header("content-length", "1000")
		w.Header("Transfer-encoding", "chunked")
		w.Header("DATE", "today")
		w.Header("Connection", "upgrade")
		w.ContentType("text/\nplain")
	})
	p := dial(t, s)
	p.send(get("/"))
	r := p.expect(200, "")
	r.Header.Del("Date")
	if got := fmt.Sprint(r.Header); got != "map[Content-Length:[0] Content-Type:[text/ plain] X-A:[a  X-B: b  \tc]]" {
		t.Error(got)
	}
}

// TestPipeline: many requests at once are answered in order, and those in between
// that are answered elsewhere don't change that.
func TestPipeline(t *testing.T) {
	p := dial(t, start(t, path))
	const n = 5000 // more than one read, and more than a write takes
	var all strings.Builder
	for i := range n {
		all.WriteString(get("/" + itoa(i)))
	}
	go func() { _, _ = io.WriteString(p, all.String()) }() // an error shows as a reply that is missing
	for i := range n {
		p.expect(200, "/"+itoa(i))
	}
}

// TestDribble: requests that come byte by byte, with all kinds of bodies.
func TestDribble(t *testing.T) {
	p := dial(t, start(t, echo))
	for _, all := range []string{
		get("/"), request("POST", "/", "hello"),
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks("hel", "lo"),
	} {
		want := ""
		if strings.HasPrefix(all, "POST") {
			want = "hello"
		}
		for i := range len(all) {
			p.send(all[i : i+1])
		}
		p.expect(200, want)
	}
}

// TestPersistence: when the connection stays open, and what the client hears of it.
func TestPersistence(t *testing.T) {
	for _, c := range []struct {
		name, request string
		stays         bool
		field         string // Connection
	}{
		{"1.1", get("/"), true, ""},
		{"1.1 close", get("/", "Connection: close"), false, "close"},
		{"1.0", "GET / HTTP/1.0\r\n\r\n", false, "close"},
		{"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "keep-alive"},
		{"handler closes", get("/close"), false, "close"},
		{"handler closes by field", get("/field"), false, "close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, func(w *http1.Response, r *http1.Request) {
				switch string(r.Path()) {
				case "/close":
					w.Close()
				case "/field":
					w.Header("connection", "Close")
				}
			})
			p := dial(t, s)
			p.send(c.request)
			r := p.expect(200, "")
			got := r.Header.Get("Connection")
			if r.Close { // and the field is taken away
				got = "close"
			}
			if got != c.field {
				t.Errorf("Connection: %q, want %q", got, c.field)
			}
			if !c.stays {
				p.expectEnd()
				if err := receive(t, s.ended); !errors.Is(err, weir.ErrConnectionClosed) {
					t.Errorf("the cause is %v", err)
				}
				return
			}
			p.send(get("/"))
			p.expect(200, "")
		})
	}
}

// TestNoBody: HEAD has the fields of GET and no body, and some statuses have none.
func TestNoBody(t *testing.T) {
	p := dial(t, start(t, func(w *http1.Response, r *http1.Request) {
		if code, err := strconv.Atoi(string(r.Query())); err == nil {
			w.Status(code)
		}
		w.WriteString("content")
		if string(r.Path()) == "/large" {
			w.SetBody([]byte(pattern(100 << 10)))
		}
	}))
	for _, c := range []struct {
		method, target string
		length         int64
	}{
		{"HEAD", "/", 7},
		{"HEAD", "/large", 100 << 10},
		{"HEAD", "/?404", 7},
		{"GET", "/?204", 0},
		{"GET", "/?304", 0},
		{"HEAD", "/?304", -1},
	} {
		p.send(request(c.method, c.target, ""))
		r, content := p.response(c.method)
		if content != "" || r.ContentLength != c.length || strings.Contains(c.target, "204") && r.Header["Content-Length"] != nil {
			t.Errorf("%s %s: length %d, body %q; want %d and none", c.method, c.target, r.ContentLength, content, c.length)
		}
	}
	p.send(get("/"))
	p.expect(200, "content")
}

// TestStatus: statuses that have a name, and those that don't.
func TestStatus(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		code, _ := strconv.Atoi(string(r.Query()))
		w.Status(code)
	})
	p := dial(t, s)
	for code, want := range map[int]string{200: "200 OK", 503: "503 Service Unavailable", 299: "299 status code 299", 999: "999 status code 999"} {
		p.send(get("/?" + itoa(code)))
		if r := p.expectStatus(code); r.Status != want {
			t.Errorf("%q, want %q", r.Status, want)
		}
	}
	for _, code := range []int{0, 100, 1000} { // which panics
		p := dial(t, s)
		p.send(get("/?" + itoa(code)))
		p.expectStatus(500)
	}
}

// TestRefusal: what is wrong is answered behind what was right before it, and what
// comes behind it is not looked at.
func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		name, input string
		status      int
	}{
		{"head", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		{"two lengths of a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400},
		{"chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
		{"line", "GET /" + strings.Repeat("a", 9000), 414},
		{"fields", "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 40000), 431},
		{"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413},
		{"chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + pattern(100) + "\r\n1\r\n", 413},
		{"coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br, chunked\r\n\r\n", 501},
		{"version", "GET / HTTP/3.0\r\n\r\n", 505},
		{"expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n", 417},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, echo, http1.MaxBody(100))
			p := dial(t, s)
			p.send(request("POST", "/", "before") + c.input + "\r\n\r\n" + get("/never"))
			p.expect(200, "before")
			if r := p.expectStatus(c.status); !r.Close {
				t.Error("the client is not told that the connection is closed")
			}
			p.expectEnd()
			s.expectCause(t, c.status)
		})
	}
}

// TestPanic: a Handler that panics costs the client a 500 and the connection.
func TestPanic(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		w.WriteString("half of it")
		if string(r.Path()) == "/panic" {
			panic("as asked")
		}
	})
	p, other := dial(t, s), dial(t, s)
	p.send(get("/") + get("/panic") + get("/"))
	p.expect(200, "half of it")
	p.expectStatus(500)
	p.expectEnd()
	var panicked *weir.PanicError
	if err := receive(t, s.ended); !errors.As(err, &panicked) || panicked.Value != "as asked" {
		t.Errorf("the cause is %v", err)
	}
	other.send(get("/"))
	other.expect(200, "half of it")
}

// TestHalfClosed: a client that ends its stream behind its requests gets the
// replies.
func TestHalfClosed(t *testing.T) {
	p := dial(t, start(t, path))
	p.send(get("/a") + get("/b"))
	if err := p.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.expect(200, "/a")
	p.expect(200, "/b")
	p.expectEnd()
}

// TestLargeReply: a reply that does not fit into what a connection may have unsent
// ends it, instead of being cut short.
func TestLargeReply(t *testing.T) {
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) { w.SetBody([]byte(pattern(100 << 10))) })
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.WriteBufferMarks(1<<10, 2<<10), weir.WriteBufferLimit(64<<10))
	p := dial(t, s)
	p.send(get("/") + get("/"))
	if err := receive(t, s.ended); !errors.Is(err, weir.ErrSlowConsumer) {
		t.Errorf("the cause is %v", err)
	}
	got, err := io.ReadAll(p.r)
	if err != nil || strings.Count(string(got), "HTTP/1.1") > 1 {
		t.Errorf("%q, %v", clip(string(got)), err)
	}
}

// TestForgottenProtocol: a server without CustomProtocol says what is wrong.
func TestForgottenProtocol(t *testing.T) {
	protocol, err := http1.New(path)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.CustomProtocol(&weir.DefaultProtocol{}))
	p := dial(t, s)
	p.send(get("/"))
	p.expectEnd()
	if err := receive(t, s.ended); err == nil || !strings.Contains(err.Error(), "CustomProtocol") {
		t.Errorf("the cause is %v", err)
	}
}

// TestSend: what is not HTTP's doing goes out as it is.
func TestSend(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		for _, data := range []any{"string", []byte("bytes"), 1} {
			if err := r.Connection().Send(data); err != nil {
				t.Error(err)
			}
		}
	})
	p := dial(t, s)
	p.send(get("/"))
	p.expect(200, "")
	p.expectRaw("stringbytes")
	p.expectEnd()
	if err := receive(t, s.ended); err == nil || !strings.Contains(err.Error(), "int") {
		t.Errorf("the cause is %v", err)
	}
}

// TestOptions: what can't be is refused when the Protocol is made.
func TestOptions(t *testing.T) {
	for name, opt := range map[string]http1.Option{
		"MaxBody":     http1.MaxBody(-1),
		"BodyMemory":  http1.BodyMemory(-1),
		"HeadTimeout": http1.HeadTimeout(-1),
		"BodyTimeout": http1.BodyTimeout(-1, 1),
		"rate":        http1.BodyTimeout(1, 0),
		"IdleTimeout": http1.IdleTimeout(-1),
		"HeadLimits":  http1.HeadLimits(http1.Limits{Head: -1}),
		"Fields":      http1.HeadLimits(http1.Limits{Fields: -1}),
		"RequestLine": http1.HeadLimits(http1.Limits{RequestLine: -1}),
		"ServerField": http1.ServerField("a\r\nb"),
	} {
		if _, err := http1.New(path, opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := new(http1.Protocol).Validate(); err == nil || !strings.Contains(err.Error(), "with New") {
		t.Errorf("the zero value: %v", err)
	}
	if _, err := http1.New(nil); err == nil {
		t.Error("no Handler, and no error")
	}
	for name, opt := range map[string]http1.PoolOption{
		"Workers": http1.Workers(0), "Queue": http1.Queue(-1), "QueueTimeout": http1.QueueTimeout(-1), "StallTimeout": http1.StallTimeout(-1),
	} {
		if _, err := http1.NewPool(http.NotFoundHandler(), opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := http1.NewPool(nil); err == nil {
		t.Error("no http.Handler, and no error")
	}
}

// TestUpgradeField: with an Upgrade field of a response goes what belongs to it.
func TestUpgradeField(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		w.Status(426)
		w.Header("Upgrade", "x/1")
		if string(r.Path()) == "/close" {
			w.Close()
		}
	})
	p := dial(t, s)
	if _, err := io.WriteString(p, get("/")+get("/close")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\r\nConnection: upgrade\r\n", "\r\nConnection: close, upgrade\r\n"} {
		if strings.Count(string(answer), line) != 1 || strings.Count(string(answer), "Connection:") != 2 {
			t.Errorf("%q has not one %q", answer, line)
		}
	}
}
