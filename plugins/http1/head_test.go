package http1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

// outcome is what Parse makes of a head, as text.
func outcome(h *http1.Head, n int, err error) string {
	var e *http1.Error
	switch {
	case errors.As(err, &e):
		return fmt.Sprintf("%d %s", e.Status, e.Reason)
	case err != nil:
		return "not an *Error: " + err.Error()
	case n == 0:
		return "incomplete"
	}
	s := fmt.Sprintf("%d bytes: %s %q path %q query %q host %q minor %d length %d chunked %v keep-alive %v continue %v upgrade %q",
		n, h.Method(), h.Target(), h.Path(), h.Query(), h.Host(), h.Minor(), h.ContentLength(), h.Chunked(),
		h.KeepAlive(), h.ExpectsContinue(), h.Upgrade())
	for name, value := range h.Fields().All() {
		s += fmt.Sprintf(", %q=%q", name, value)
	}
	return s
}

// parse parses a head that comes in pieces of the given sizes, and then the rest;
// each time from memory of its own.
func parse(limits http1.Limits, p []byte, sizes ...int) string {
	h := &http1.Head{Limits: limits}
	for end := 0; ; {
		if len(sizes) == 0 {
			end = len(p)
		} else {
			end = min(end+sizes[0], len(p))
			sizes = sizes[1:]
		}
		if end == 0 {
			continue
		}
		n, err := h.Parse(append([]byte(nil), p[:end]...))
		if n > 0 || err != nil || end == len(p) {
			return outcome(h, n, err)
		}
	}
}

// everywhere parses a head in one piece, cut once at each place, and byte by byte,
// and returns the outcome, which must be the same.
func everywhere(t *testing.T, limits http1.Limits, head string) string {
	t.Helper()
	p := []byte(head)
	want := parse(limits, p)
	ones := make([]int, len(p))
	for i := range p {
		ones[i] = 1
		if got := parse(limits, p, i); got != want {
			t.Fatalf("cut after %d bytes: %s\nin one piece: %s", i, got, want)
		}
	}
	if got := parse(limits, p, ones...); got != want {
		t.Fatalf("byte by byte: %s\nin one piece: %s", got, want)
	}
	return want
}

// TestHead: what a good head says.
func TestHead(t *testing.T) {
	const end = "Host: a\r\n\r\n"
	for _, c := range []struct {
		name, head string
		want       string // a part of the outcome
	}{
		{"get", "GET /p?q=1 HTTP/1.1\r\nHost: example.com\r\n\r\n", `GET "/p?q=1" path "/p" query "q=1" host "example.com" minor 1 length 0 chunked false keep-alive true`},
		{"what follows is not looked at", "GET / HTTP/1.1\r\n" + end + "\x00\x01", `27 bytes: GET "/"`},
		{"1.0", "GET / HTTP/1.0\r\n\r\n", `minor 0 length 0 chunked false keep-alive false`},
		{"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", `keep-alive true`},
		{"1.0 both", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", `keep-alive false`},
		{"1.1 close", "GET / HTTP/1.1\r\nConnection: foo,CLOSE\r\n" + end, `keep-alive false`},
		{"1.9 is 1.1", "GET / HTTP/1.9\r\n" + end, `minor 1`},
		{"two connection fields", "GET / HTTP/1.1\r\nConnection: x\r\nConnection: close\r\n" + end, `keep-alive false`},
		{"close is not part of a word", "GET / HTTP/1.1\r\nConnection: closed\r\n" + end, `keep-alive true`},
		{"length", "POST / HTTP/1.1\r\nContent-Length: 12\r\n" + end, `length 12 chunked false`},
		{"length in any case", "POST / HTTP/1.1\r\ncOnTeNt-lEnGtH:0012\r\n" + end, `length 12 chunked false`},
		{"chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" + end, `length -1 chunked true`},
		{"continue", "POST / HTTP/1.1\r\nExpect: 100-Continue\r\n" + end, `continue true`},
		{"continue twice", "POST / HTTP/1.1\r\nExpect: 100-continue, 100-CONTINUE\r\n" + end, `continue true`},
		{"no expectation", "POST / HTTP/1.1\r\nExpect:\r\n" + end, `continue false`},
		{"empty expectations", "POST / HTTP/1.1\r\nExpect: , \r\n" + end, `continue false`},
		{"trailers", "POST / HTTP/1.1\r\nTrailer: A, B\r\nTransfer-Encoding: chunked\r\n" + end, `"Trailer"="A, B"`},
		{"trailer without a body", "POST / HTTP/1.1\r\nTrailer: Content-Length\r\n" + end, `"Trailer"="Content-Length"`},
		{"continue in 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", `continue false`},
		{"expectations in 1.0", "POST / HTTP/1.0\r\nExpect: 200-maybe\r\n\r\n", `continue false`},
		{"upgrade", "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + end, `upgrade "websocket"`},
		{"upgrade alone", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n" + end, `upgrade ""`},
		{"empty line in front", "\r\nGET / HTTP/1.1\r\n" + end, `29 bytes: GET`},
		{"blanks around a value", "GET / HTTP/1.1\r\nA: \t b\t c \t\r\n" + end, `"A"="b\t c"`},
		{"empty values", "GET / HTTP/1.1\r\nA:\r\nB:  \r\n" + end, `"A"="", "B"=""`},
		{"bytes over 0x7f in a value", "GET / HTTP/1.1\r\nA: \xe4\xff\x80\r\n" + end, `"A"="\xe4\xff\x80"`},
		{"all characters of a name", "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n" + end, "\"!#$%&'*+-.^_`|~09azAZ\"=\"x\""},
		{"any method", "M-SEARCH / HTTP/1.1\r\n" + end, `M-SEARCH "/"`},
		{"methods have a case", "get / HTTP/1.1\r\n" + end, `get "/"`},
		{"empty query", "GET /? HTTP/1.1\r\n" + end, `path "/" query ""`},
		{"second question mark", "GET /a?b?c HTTP/1.1\r\n" + end, `path "/a" query "b?c"`},
		{"two slashes", "GET //a HTTP/1.1\r\n" + end, `path "//a"`},
		{"options", "OPTIONS * HTTP/1.1\r\n" + end, `OPTIONS "*" path "*"`},
		{"absolute", "GET http://h:80/p?q HTTP/1.1\r\n" + end, `path "/p" query "q" host "h:80"`},
		{"absolute without a path", "GET HTTPS://h HTTP/1.1\r\n" + end, `path "/" query "" host "h"`},
		{"absolute with a query only", "GET http://h?q HTTP/1.1\r\n" + end, `path "/" query "q" host "h"`},
		{"absolute behind the field", "GET http://target/ HTTP/1.1\r\nHost: field\r\n\r\n", `host "target"`},
		{"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", `host ""`},
		{"address as a host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", `host "[::1]:80"`},
		{"host with an empty port", "GET / HTTP/1.1\r\nHost: h:\r\n\r\n", `host "h:"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := everywhere(t, http1.Limits{}, c.head); !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant: %s", got, c.want)
			}
		})
	}
}

// TestMalformedHead: what must be refused is, wherever it is cut.
func TestMalformedHead(t *testing.T) {
	const get, end = "GET / HTTP/1.1\r\n", "Host: a\r\n\r\n"
	for _, c := range []struct {
		name, head string
		status     int
	}{
		// RFC 9112 section 2.2: lines.
		{"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
		{"bare LF after a field", get + "A: b\nHost: a\r\n\r\n", 400},
		{"bare LF at the end", get + "Host: a\r\n\n", 400},
		{"bare CR in a value", get + "A: b\rc\r\n" + end, 400},
		{"bare CR in a name", get + "A\rb: c\r\n" + end, 400},
		{"bare CR in a target", "GET /\r HTTP/1.1\r\n" + end, 400},
		{"CR CR LF", get + "A: b\r\r\n" + end, 400},
		{"two empty lines in front", "\r\n\r\n" + get + end, 400},
		{"LF in front", "\n" + get + end, 400},
		{"blank in front", " " + get + end, 400},
		{"blank line behind the request line", get + " \r\n" + end, 400},

		// Section 3: the request line.
		{"no version", "GET /\r\n" + end, 400},
		{"no target", "GET HTTP/1.1\r\n" + end, 400},
		{"nothing but a method", "GET\r\n" + end, 400},
		{"two blanks before the target", "GET  / HTTP/1.1\r\n" + end, 400},
		{"two blanks before the version", "GET /  HTTP/1.1\r\n" + end, 400},
		{"blank behind the version", "GET / HTTP/1.1 \r\n" + end, 400},
		{"tab before the target", "GET\t/ HTTP/1.1\r\n" + end, 400},
		{"blank in the target", "GET /a b HTTP/1.1\r\n" + end, 400},
		{"method with a bracket", "G(T / HTTP/1.1\r\n" + end, 400},
		{"method with a colon", "GET: / HTTP/1.1\r\n" + end, 400},
		{"method with a NUL", "G\x00T / HTTP/1.1\r\n" + end, 400},
		{"long method", strings.Repeat("M", 33) + " / HTTP/1.1\r\n" + end, 501},
		{"version 0.9", "GET / HTTP/0.9\r\n" + end, 505},
		{"version 2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"version 1", "GET / HTTP/1\r\n" + end, 400},
		{"version 1.10", "GET / HTTP/1.10\r\n" + end, 400},
		{"version in small letters", "GET / http/1.1\r\n" + end, 400},
		{"version of something else", "GET / HTTQ/1.1\r\n" + end, 400},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400},

		// Section 3.2: the target.
		{"not a path", "GET a HTTP/1.1\r\n" + end, 400},
		{"star", "GET * HTTP/1.1\r\n" + end, 400},
		{"fragment", "GET /a#b HTTP/1.1\r\n" + end, 400},
		{"control character", "GET /\x01 HTTP/1.1\r\n" + end, 400},
		{"DEL", "GET /\x7f HTTP/1.1\r\n" + end, 400},
		{"not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\n" + end, 400},
		{"authority", "GET a:80 HTTP/1.1\r\n" + end, 400},
		{"connect", "CONNECT a:80 HTTP/1.1\r\n" + end, 501},
		{"connect without a port", "CONNECT a HTTP/1.1\r\n" + end, 400},
		{"connect to an address without a port", "CONNECT [::1] HTTP/1.1\r\n" + end, 400},
		{"connect to a path", "CONNECT / HTTP/1.1\r\n" + end, 400},
		{"another scheme", "GET ftp://a/ HTTP/1.1\r\n" + end, 400},
		{"absolute without a host", "GET http:///a HTTP/1.1\r\n" + end, 400},
		{"absolute with a user", "GET http://u@a/ HTTP/1.1\r\n" + end, 400},
		{"absolute with a bad port", "GET http://a:b/ HTTP/1.1\r\n" + end, 400},
		{"absolute, and no Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400},

		// Section 5: fields.
		{"space before the colon", get + "A : b\r\n" + end, 400},
		{"tab before the colon", get + "A\t: b\r\n" + end, 400},
		{"space before the colon of a length", get + "Content-Length : 5\r\n" + end, 400},
		{"no colon", get + "A\r\n" + end, 400},
		{"no name", get + ": b\r\n" + end, 400},
		{"space in a name", get + "A B: c\r\n" + end, 400},
		{"bracket in a name", get + "A[0]: c\r\n" + end, 400},
		{"byte over 0x7f in a name", get + "\xc4: c\r\n" + end, 400},
		{"NUL in a name", get + "A\x00: c\r\n" + end, 400},
		{"NUL in a value", get + "A: b\x00c\r\n" + end, 400},
		{"control character in a value", get + "A: b\x0bc\r\n" + end, 400},
		{"control character far into a value", get + "A: " + strings.Repeat("x", 21) + "\x1f\r\n" + end, 400},
		{"DEL in a value", get + "A: b\x7f\r\n" + end, 400},
		{"folded by a space", get + "A: b\r\n c\r\n" + end, 400},
		{"folded by a tab", get + "A: b\r\n\tc\r\n" + end, 400},
		{"folded first line", get + "\tA: b\r\n" + end, 400},
		{"folded empty line", get + "A: b\r\n \r\n" + end, 400},

		// Section 3.2: Host.
		{"no Host", get + "\r\n", 400},
		{"two Hosts", get + "Host: a\r\n" + end, 400},
		{"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\n" + end, 400},
		{"Host with a path", get + "Host: a/b\r\n\r\n", 400},
		{"Host with a user", get + "Host: u@a\r\n\r\n", 400},
		{"Host with a blank", get + "Host: a b\r\n\r\n", 400},
		{"Host with two ports", get + "Host: a:1:2\r\n\r\n", 400},
		{"Host with a bad port", get + "Host: a:b\r\n\r\n", 400},
		{"Host with half an address", get + "Host: [::1\r\n\r\n", 400},
		{"Host with no address", get + "Host: []\r\n\r\n", 400},
		{"Host with something behind the address", get + "Host: [::1]a\r\n\r\n", 400},

		// Section 6.3: Content-Length.
		{"empty length", get + "Content-Length:\r\n" + end, 400},
		{"negative length", get + "Content-Length: -1\r\n" + end, 400},
		{"length with a plus", get + "Content-Length: +1\r\n" + end, 400},
		{"hexadecimal length", get + "Content-Length: 0x10\r\n" + end, 400},
		{"length with a blank in it", get + "Content-Length: 1 2\r\n" + end, 400},
		{"length with a fraction", get + "Content-Length: 1.0\r\n" + end, 400},
		{"length with an exponent", get + "Content-Length: 1e3\r\n" + end, 400},
		{"list of lengths", get + "Content-Length: 5, 5\r\n" + end, 400},
		{"two lengths", get + "Content-Length: 5\r\nContent-Length: 6\r\n" + end, 400},
		{"the same length twice", get + "Content-Length: 5\r\nContent-Length: 5\r\n" + end, 400},
		{"length over 64 bits", get + "Content-Length: 18446744073709551617\r\n" + end, 413},
		{"length over 64 bits that would be small", get + "Content-Length: 18446744073709551621\r\n" + end, 413},
		{"length of many digits that would be small", get + "Content-Length: 340282366920938463463374607431768211461\r\n" + end, 413},
		{"length 0, then another", get + "Content-Length: 0\r\nContent-Length: 5\r\n" + end, 400},
		{"length 0 twice", get + "Content-Length: 0\r\nContent-Length: 0\r\n" + end, 400},
		{"length over 63 bits", get + "Content-Length: 9223372036854775808\r\n" + end, 413},

		// Section 6.1: Transfer-Encoding.
		{"length, then coding", get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + end, 400},
		{"coding, then length", get + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + end, 400},
		{"length 0 and coding", get + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" + end, 400},
		{"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"identity", get + "Transfer-Encoding: identity\r\n" + end, 400},
		{"chunked is not the last", get + "Transfer-Encoding: chunked, gzip\r\n" + end, 400},
		{"chunked is not the last, on two lines", get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n" + end, 400},
		{"chunked twice", get + "Transfer-Encoding: chunked, chunked\r\n" + end, 400},
		{"chunked twice, on two lines", get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + end, 400},
		{"gzip", get + "Transfer-Encoding: gzip\r\n" + end, 400},
		{"gzip, then chunked", get + "Transfer-Encoding: gzip, chunked\r\n" + end, 501},
		{"gzip, then chunked, on two lines", get + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" + end, 501},
		{"identity, then chunked", get + "Transfer-Encoding: identity, chunked\r\n" + end, 501},
		{"misspelt", get + "Transfer-Encoding: xchunked\r\n" + end, 400},
		{"with a parameter", get + "Transfer-Encoding: chunked;q=1\r\n" + end, 400},
		{"in quotes", get + "Transfer-Encoding: \"chunked\"\r\n" + end, 400},
		{"with a comma behind", get + "Transfer-Encoding: chunked,\r\n" + end, 400},
		{"with a comma in front", get + "Transfer-Encoding: ,chunked\r\n" + end, 400},
		{"with a vertical tab", get + "Transfer-Encoding: \x0bchunked\r\n" + end, 400},
		{"folded", get + "Transfer-Encoding:\r\n chunked\r\n" + end, 400},
		{"empty", get + "Transfer-Encoding:\r\n" + end, 400},

		// RFC 9110 section 6.5.1: what may not come behind the body.
		{"length in the trailers", get + "Trailer: A, content-length\r\nTransfer-Encoding: chunked\r\n" + end, 400},
		{"coding in the trailers", get + "Transfer-Encoding: chunked\r\nTrailer: Transfer-Encoding\r\n" + end, 400},
		{"host in the trailers", get + "Transfer-Encoding: chunked\r\nTrailer: Host\r\n" + end, 400},
		{"trailer in the trailers", get + "Transfer-Encoding: chunked\r\nTrailer: Trailer\r\n" + end, 400},

		// RFC 9110 section 10.1.1.
		{"expectation", get + "Expect: 200-maybe\r\n" + end, 417},
		{"expectation among others", get + "Expect: 100-continue, 200-maybe\r\n" + end, 417},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := everywhere(t, http1.Limits{}, c.head), fmt.Sprint(c.status, " "); !strings.HasPrefix(got, want) {
				t.Errorf("%s\nwant: %s", got, want)
			}
		})
	}
}

// TestHeadLimits: what is exactly as long as it may be is accepted, one more is not,
// and a head that goes on for ever is refused as soon as it is too long.
func TestHeadLimits(t *testing.T) {
	limits := http1.Limits{RequestLine: 30, Head: 60, Fields: 3}
	line := func(n int) string {
		return "GET /" + strings.Repeat("a", n-len("GET / HTTP/1.1\r\n")) + " HTTP/1.1\r\n"
	}
	head := func(n int) string {
		const rest = "GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n"
		return strings.Replace(rest, "A: ", "A: "+strings.Repeat("x", n-len(rest)), 1)
	}
	const get = "GET / HTTP/1.1\r\n"
	for _, c := range []struct{ name, head, want string }{
		{"line", line(30) + "Host: a\r\n\r\n", "41 bytes"},
		{"longer line", line(31) + "Host: a\r\n\r\n", "414"},
		{"endless line", strings.Repeat("a", 31), "414"},
		{"long line that is wrong", strings.Repeat("a", 31) + "\n", "414"},
		{"line that may come to an end", line(30)[:29], "incomplete"},
		{"head", head(60), "60 bytes"},
		{"longer head", head(61), "431"},
		{"endless head", head(80)[:61], "431"},
		{"long head that is wrong", get + "Host: a\r\n(" + strings.Repeat("a", 60) + "\r\n", "431"},
		{"head that may come to an end", head(60)[:59], "incomplete"},
		{"fields", get + "Host: a\r\nB: b\r\nC: c\r\n\r\n", "39 bytes"},
		{"more fields", get + "Host: a\r\nB: b\r\nC: c\r\nD:\r\n\r\n", "431"},
		{"empty line and line", "\r\n" + line(30) + "Host: a\r\n\r\n", "43 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := everywhere(t, limits, c.head); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s\nwant: %s", got, c.want)
			}
		})
	}
}

// TestHeadReuse: nothing of a head is left behind Reset.
func TestHeadReuse(t *testing.T) {
	const full = "POST http://h/p?q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n"
	const bare = "GET / HTTP/1.0\r\n\r\n"
	var h, fresh http1.Head
	if _, err := h.Parse([]byte(full)); err != nil {
		t.Fatal(err)
	}
	h.Reset()
	n, err := h.Parse([]byte(bare))
	m, errFresh := fresh.Parse([]byte(bare))
	if got, want := outcome(&h, n, err), outcome(&fresh, m, errFresh); got != want {
		t.Errorf("%s\nwant: %s", got, want)
	}
}

// TestFields: fields are found by name in any case, the first one of several.
func TestFields(t *testing.T) {
	var h http1.Head
	if _, err := h.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nEmpty:\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"host": "a", "HOST": "a", "x-A": "1", "X-A ": "", "X": "", "": ""} {
		if got := h.Header(name); string(got) != want {
			t.Errorf("Header(%q) is %q, want %q", name, got, want)
		}
	}
	if h.Header("empty") == nil || h.Header("none") != nil {
		t.Error("an empty field and none can't be told apart")
	}
	if n := h.Fields().Len(); n != 4 {
		t.Errorf("%d fields, want 4", n)
	}
	for name := range h.Fields().All() {
		if string(name) != "Host" {
			t.Errorf("the first field is %q", name)
		}
		break
	}
}
