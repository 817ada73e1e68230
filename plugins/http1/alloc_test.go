//go:build !race

package http1_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

// TestHeadAllocs: parsing and looking things up allocate nothing.
func TestHeadAllocs(t *testing.T) {
	p := []byte(get("/a?b", "User-Agent: x", "Accept: */*", "Connection: keep-alive", "Cookie: "+strings.Repeat("c", 200)))
	h := new(http1.Head)
	n := testing.AllocsPerRun(100, func() {
		h.Reset()
		if _, err := h.Parse(p); err != nil {
			t.Fatal(err)
		}
		count := len(h.Method()) + len(h.Path()) + len(h.Query()) + len(h.Host()) + len(h.Header("cookie"))
		for name, value := range h.Fields().All() {
			count += len(name) + len(value)
		}
		if count == 0 {
			t.Fatal("nothing there")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAllocs: neither does a server for a request with its reply.
func TestAllocs(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/echo" {
			r.ReadBody(echoBody)
			return
		}
		w.ContentType("text/plain")
		w.Header("X-Agent", "constant")
		if r.Header("User-Agent") != nil {
			w.WriteString("Hello, World!")
		}
	})
	const agent = "User-Agent: x"
	for name, request := range map[string]string{
		"plaintext": get("/plaintext", agent),
		"pipeline":  strings.Repeat(get("/plaintext", agent), 16),
		"HEAD":      request("HEAD", "/", "", agent),
		"body":      request("POST", "/echo", "hello", agent),
		"chunked":   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks("hello"),
		"skipped":   request("POST", "/", "hello", agent),
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, s)
			out := []byte(request)
			in := make([]byte, 64<<10)
			answer := func() int {
				n := 0
				for count := strings.Count(request, " HTTP/1.1\r\n"); bytes.Count(in[:n], []byte("HTTP/1.1 200")) < count ||
					!bytes.HasSuffix(in[:n], []byte("\r\n\r\n")) && !bytes.HasSuffix(in[:n], []byte("!")) && !bytes.HasSuffix(in[:n], []byte("hello")); {
					m, err := p.Read(in[n:])
					if err != nil {
						t.Fatal(err)
					}
					n += m
				}
				return n
			}
			exchange := func() {
				if _, err := p.Write(out); err != nil {
					t.Fatal(err)
				}
				answer()
			}
			exchange()
			if n := testing.AllocsPerRun(200, exchange); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func echoBody(w *http1.Response, _ *http1.Request, body []byte) { w.SetBody(body) }

var _ io.Writer = (*http1.Response)(nil)
