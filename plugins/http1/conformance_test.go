package http1_test

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/protocoltest"
)

// described is a request as far as it must not depend on how it was cut.
type described struct {
	text    string
	waiting bool // for its body: it will come once more
}

// spec is the echo server, for protocoltest.
func spec(t testing.TB) protocoltest.Spec {
	t.Helper()
	p, err := http1.New(echo, http1.MaxBody(1000), http1.HeadLimits(http1.Limits{RequestLine: 100, Head: 300, Fields: 5}))
	if err != nil {
		t.Fatal(err)
	}
	return protocoltest.Spec{
		Protocol: p,
		Handler:  p,
		Copy: func(ctx any) any {
			r := ctx.(*http1.Request)
			text := outcome(&r.Head, len(r.Target()), nil)
			return described{text + fmt.Sprintf(" trailer %q", r.Trailer("T")), r.Waiting()}
		},
		Equal: func(a, b []protocoltest.Message) bool { return fmt.Sprint(whole(a)) == fmt.Sprint(whole(b)) },
		Written: func(p []byte) []byte {
			p = date.ReplaceAll(p, nil)
			return bytes.ReplaceAll(p, []byte("HTTP/1.1 100 Continue\r\n\r\n"), nil) // only if the body comes later
		},
		Streams: streams, Garbage: garbage,
	}
}

var date = regexp.MustCompile("Date: [^\r]*\r\n")

// whole are the messages that have their body.
func whole(messages []protocoltest.Message) (list []string) {
	for _, m := range messages {
		if d := m.Ctx.(described); !d.waiting {
			list = append(list, fmt.Sprintf("%s body %q", d.text, m.Payload))
		}
	}
	return list
}

var streams = []protocoltest.Stream{
	{Name: "get", Bytes: []byte(get("/"))},
	{Name: "pipeline", Bytes: []byte(get("/a") + get("/b", "A: b") + request("POST", "/c", "hello") + get("/d"))},
	{Name: "chunked", Bytes: []byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: t\r\n\r\n" + get("/"))},
	{Name: "continue", Bytes: []byte(request("POST", "/", "hello", "Expect: 100-continue"))},
	{Name: "1.0", Bytes: []byte("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n")},
	{Name: "close", Bytes: []byte(get("/", "Connection: close"))},
	{Name: "head", Bytes: []byte("\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n")},
	{Name: "incomplete", Bytes: []byte(get("/") + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")},
}

var garbage = []protocoltest.Garbage{
	{Name: "request line", Bytes: []byte("GET /\r\n")},
	{Name: "behind a request", Bytes: []byte(get("/") + "GET / HTTP/1.1\r\nHost : a\r\n\r\n")},
	{Name: "both lengths", Bytes: []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
	{Name: "chunk", Bytes: []byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n")},
	{Name: "large body", Bytes: []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")},
	{Name: "large chunk", Bytes: []byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n")},
	{Name: "large head", Bytes: []byte("GET / HTTP/1.1\r\nA: " + pattern300)},
	{Name: "preface of HTTP/2", Bytes: []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
}

var pattern300 = string(bytes.Repeat([]byte("0123456789"), 30))

// TestProtocol: requests and replies are the same however the bytes come.
func TestProtocol(t *testing.T) { protocoltest.Run(t, spec(t)) }

// FuzzProtocol is TestProtocol with anything.
func FuzzProtocol(f *testing.F) { protocoltest.Fuzz(f, spec(f)) }
