package http1_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

// differences says how a head that Parse accepted differs from what net/http makes
// of it; nothing if net/http refuses it, as it may.
func differences(h *http1.Head, p []byte) (list []string) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(p)))
	if err != nil {
		return nil
	}
	check := func(what string, got, want any) {
		if got != want {
			list = append(list, fmt.Sprintf("%s: %#v, net/http: %#v", what, got, want))
		}
	}
	check("method", h.Method(), r.Method)
	check("target", string(h.Target()), r.RequestURI)
	check("host", string(h.Host()), r.Host)
	check("minor version", h.Minor(), min(r.ProtoMinor, 1))
	check("length", h.ContentLength(), r.ContentLength)
	check("keep-alive", h.KeepAlive(), !r.Close)
	check("chunked", h.Chunked(), len(r.TransferEncoding) > 0)
	if string(h.Path()) != "*" {
		path, err := url.PathUnescape(string(h.Path())) // as EscapedPath may escape more than was sent
		check("path", path, cmp.Or(r.URL.Path, "/"))
		check("path's escapes", err, nil)
	}
	check("query", string(h.Query()), r.URL.RawQuery)
	fields := make(map[string][]string)
	for name, value := range h.Fields().All() {
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		fields[key] = append(fields[key], string(value))
	}
	for key, values := range fields {
		switch key {
		case "Host", "Transfer-Encoding", "Trailer": // net/http has taken them away
			continue
		}
		if !slices.Equal(values, r.Header[key]) {
			check("field "+key, fmt.Sprint(values), fmt.Sprint(r.Header[key]))
		}
	}
	return list
}

// TestOracle: net/http understands random good heads the same way.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range 5000 {
		var s strings.Builder
		version := pick("1", "1", "1", "0")
		fmt.Fprintf(&s, "%s %s HTTP/1.%s\r\n", pick("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "X-Y"),
			pick("/", "/a/b", "/a?b=c", "/a?", "//a", "/%41?%zz", "/a;b=c,d", "http://h/p", "http://h:1", "https://H?q", "/~!$&'()*+,;=:@"), version)
		fields := []string{"Host: " + pick("a", "a.b:80", "[::1]:8080", "192.0.2.1", "")}
		for range r.IntN(8) {
			fields = append(fields, pick(
				"Accept: */*", "accept:  text/html \t", "X-Empty:", "Cookie: a=b; c=d", "COOKIE: \"x\"", "X-A: \xe4\xb8\xad",
				"Connection: close", "Connection: keep-alive", "Connection: Upgrade, x", "User-Agent: "+strings.Repeat("u", r.IntN(50))))
		}
		switch {
		case r.IntN(4) == 0 && version == "1":
			fields = append(fields, "Transfer-Encoding: "+pick("chunked", "CHUNKED", " chunked "))
		case r.IntN(3) == 0:
			fields = append(fields, "Content-Length: "+pick("0", "5", "0042", "123456789012345678"))
		}
		r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		s.WriteString(strings.Join(fields, "\r\n") + "\r\n\r\n")

		h := new(http1.Head)
		p := []byte(s.String())
		if n, err := h.Parse(p); n != len(p) || err != nil {
			t.Fatalf("%q: %d, %v", p, n, err)
		}
		if _, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(p))); err != nil && !strings.Contains(s.String(), "%zz") {
			t.Fatalf("%q: net/http says %v", p, err)
		}
		if list := differences(h, p); list != nil {
			t.Fatalf("%q: %s", p, strings.Join(list, "\n"))
		}
	}
}

// FuzzHead: no input makes Parse panic, or depends on how it is cut, and what both
// it and net/http accept, they understand the same way.
func FuzzHead(f *testing.F) {
	for _, s := range streams {
		f.Add(s.Bytes, uint16(3), uint16(7))
	}
	for _, g := range garbage {
		f.Add(g.Bytes, uint16(20), uint16(1))
	}
	f.Add([]byte("GET http://u@h:80/p?q#f HTTP/1.1\r\nHost: a\r\nA : b\r\n\tc\r\nConnection: close, te\r\n\r\n"), uint16(0), uint16(0))
	f.Add([]byte("T /{{{ HTTP/1.0\r\n\r\n"), uint16(0), uint16(0))
	f.Add([]byte("T /%7b{%2F HTTP/1.0\r\n\r\n"), uint16(0), uint16(0))
	limits := http1.Limits{RequestLine: 200, Head: 400, Fields: 10}
	f.Fuzz(func(t *testing.T, p []byte, a, b uint16) {
		if len(p) == 0 {
			return
		}
		want := parse(limits, p)
		i, j := int(a)%len(p), int(b)%len(p)
		if got := parse(limits, p, i, j); got != want {
			t.Fatalf("in pieces of %d, %d: %s\nin one piece: %s", i, j, got, want)
		}
		ones := make([]int, len(p))
		for k := range ones {
			ones[k] = 1
		}
		if got := parse(limits, p, ones...); got != want {
			t.Fatalf("byte by byte: %s\nin one piece: %s", got, want)
		}
		h := &http1.Head{Limits: limits}
		if n, err := h.Parse(p); n > 0 && err == nil {
			if list := differences(h, p[:n]); list != nil {
				t.Error(strings.Join(list, "\n"))
			}
		}
	})
}

// FuzzChunked: the same for chunked bodies.
func FuzzChunked(f *testing.F) {
	for _, s := range []string{
		chunks("hello", "world"), "5;a=b\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n", "0\r\n\r\n", "00a \t;x\r\n0123456789\r\n0\r\nA : b\r\n\r\n",
		"5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "ffffffffffffffff\r\n",
	} {
		f.Add([]byte(s), uint16(3))
	}
	limits := http1.Limits{Head: 200, Fields: 5}
	const most = 1000
	f.Fuzz(func(t *testing.T, p []byte, cut uint16) {
		want := chunkedOutcome(limits, most, p)
		i := int(cut) % (len(p) + 1)
		if got := chunkedOutcome(limits, most, p[:i], p[i:]); got != want {
			t.Fatalf("cut after %d bytes: %s\nin one piece: %s", i, got, want)
		}
		var ones [][]byte
		for k := range p {
			ones = append(ones, p[k:k+1])
		}
		if got := chunkedOutcome(limits, most, ones...); got != want {
			t.Fatalf("byte by byte: %s\nin one piece: %s", got, want)
		}
		content, trailer, _, done, err := http1.DecodeChunked(limits, most, p)
		if err != nil || !done {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(
			strings.NewReader("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(p))))
		if err != nil {
			t.Fatal(err)
		}
		other, err := io.ReadAll(r.Body)
		if err != nil {
			return // it may refuse what is accepted here, such as a trailer that it does not like
		}
		if !bytes.Equal(content, other) {
			t.Errorf("content %q, net/http: %q", content, other)
		}
		count := 0
		for _, values := range r.Trailer {
			count += len(values)
		}
		if count != trailer.Len() {
			t.Errorf("%d trailers, net/http: %v", trailer.Len(), r.Trailer)
		}
	})
}
