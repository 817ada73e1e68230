package http1_test

import (
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

var heads = map[string]string{
	"Short": get("/plaintext"),
	"Browser": get("/path/to/something?with=a&query=string",
		"Connection: keep-alive", "Cache-Control: max-age=0", "Upgrade-Insecure-Requests: 1",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
		"Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-GB,en;q=0.9",
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all"),
}

func BenchmarkParse(b *testing.B) {
	for name, head := range heads {
		b.Run(name, func(b *testing.B) {
			p := []byte(head)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			h := new(http1.Head)
			for b.Loop() {
				h.Reset()
				if n, err := h.Parse(p); n == 0 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkPlaintext is a server and one client that sends 16 requests at a time.
func BenchmarkPlaintext(b *testing.B) {
	s := start(b, func(w *http1.Response, r *http1.Request) {
		w.ContentType("text/plain")
		w.WriteString("Hello, World!")
	})
	const depth = 16
	p := dial(b, s)
	p.send(get("/"))
	p.expect(200, "Hello, World!")
	out := []byte(strings.Repeat(get("/"), depth))
	size := depth * len("HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!")
	in := make([]byte, size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Write(out); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < size; {
			m, err := p.Read(in[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += m
		}
	}
}
