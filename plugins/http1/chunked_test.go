package http1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

// chunkedOutcome is what becomes of a chunked body, as text.
func chunkedOutcome(limits http1.Limits, most int64, pieces ...[]byte) string {
	content, trailer, n, done, err := http1.DecodeChunked(limits, most, pieces...)
	var e *http1.Error
	switch {
	case errors.As(err, &e):
		return fmt.Sprintf("%d %s", e.Status, e.Reason)
	case err != nil:
		return "not an *Error: " + err.Error()
	case !done:
		return fmt.Sprintf("%q incomplete", content)
	}
	s := fmt.Sprintf("%q of %d bytes", content, n)
	for name, value := range trailer.All() {
		s += fmt.Sprintf(", %q=%q", name, value)
	}
	return s
}

// chunkedEverywhere is chunkedOutcome in one piece, cut once at each place, and
// byte by byte: the same.
func chunkedEverywhere(t *testing.T, limits http1.Limits, most int64, body string) string {
	t.Helper()
	p := []byte(body)
	want := chunkedOutcome(limits, most, p)
	var ones [][]byte
	for i := range p {
		ones = append(ones, p[i:i+1])
		if len(p) > 500 && i%97 != 0 {
			continue // all of them would take too long
		}
		if got := chunkedOutcome(limits, most, p[:i], p[i:]); got != want {
			t.Fatalf("cut after %d bytes: %s\nin one piece: %s", i, got, want)
		}
	}
	if got := chunkedOutcome(limits, most, ones...); got != want {
		t.Fatalf("byte by byte: %s\nin one piece: %s", got, want)
	}
	return want
}

// TestChunked: RFC 9112 section 7.1, and nothing else.
func TestChunked(t *testing.T) {
	limits := http1.Limits{Head: 100, Fields: 2}
	long := strings.Repeat("e", 4<<10)
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "0\r\n\r\n", `"" of 5 bytes`},
		{"one", "5\r\nhello\r\n0\r\n\r\n", `"hello" of 15 bytes`},
		{"several", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET", `"hello" of 20 bytes`},
		{"hexadecimal", "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", `"01234567890123456789a" of 36 bytes`},
		{"zeros in front", "0000000000000005\r\nhello\r\n0000\r\n\r\n", `"hello"`},
		{"line ends are content", "4\r\n\r\n\r\n\r\n0\r\n\r\n", `"\r\n\r\n"`},
		{"extensions", "5;a\r\nhello\r\n0;b=c;d=\"e;f\"\r\n\r\n", `"hello"`},
		{"blanks around an extension", "5 \t; a = b \r\nhello\r\n0\r\n\r\n", `"hello"`},
		{"quoted value", "5;a=\"\\\"\t\xff\\;\" ;b=\"\"\r\nhello\r\n0\r\n\r\n", `"hello"`},
		{"extensions to the limit", "0;" + long[:4<<10-2] + "\r\n\r\n", `"" of`},
		{"trailers", "0\r\nA: b\r\nC:\r\n\r\n", `"" of 15 bytes, "A"="b", "C"=""`},

		{"no size", "\r\nhello\r\n0\r\n\r\n", "400"},
		{"negative size", "-1\r\n", "400"},
		{"size with a plus", "+5\r\nhello\r\n", "400"},
		{"size with 0x", "0x5\r\nhello\r\n", "400"},
		{"size with an underscore", "1_0\r\n", "400"},
		{"size that is a word", "hello\r\n", "400"},
		{"size of 17 digits", "00000000000000005\r\nhello\r\n", "400"},
		{"size over 64 bits", "10000000000000005\r\nhello\r\n", "400"},
		{"size over 63 bits", "8000000000000000\r\n", "400"},
		{"size of 63 bits", "7fffffffffffffff\r\n", "413"},
		{"blank before the size", " 5\r\nhello\r\n", "400"},
		{"blank behind the size", "5 \r\nhello\r\n", "400"},
		{"two sizes", "5 5\r\nhello\r\n", "400"},
		{"comma behind the size", "5,\r\nhello\r\n", "400"},
		{"bare LF behind the size", "5\nhello\r\n", "400"},
		{"bare CR behind the size", "5\rhello\r\n", "400"},
		{"bare LF in an extension", "5;a\nhello\r\n", "400"},
		{"bare CR in an extension", "5;a\rb\r\nhello\r\n", "400"},
		{"NUL in an extension", "5;a\x00\r\nhello\r\n", "400"},
		{"extension without a name", "5;\r\nhello\r\n", "400"},
		{"blank instead of a name", "5; \r\nhello\r\n", "400"},
		{"nothing between two extensions", "5;;a\r\nhello\r\n", "400"},
		{"extension with a value only", "5;=a\r\nhello\r\n", "400"},
		{"extension without a value", "5;a=\r\nhello\r\n", "400"},
		{"no value, and another", "5;a=;b\r\nhello\r\n", "400"},
		{"two values", "5;a=b=c\r\nhello\r\n", "400"},
		{"two names", "5;a b\r\nhello\r\n", "400"},
		{"two words as a value", "5;a=b c\r\nhello\r\n", "400"},
		{"something behind quotes", "5;a=\"b\"c\r\nhello\r\n", "400"},
		{"quotes as a name", "5;\"a\"\r\nhello\r\n", "400"},
		{"quotes within a value", "5;a=b\"c\"\r\nhello\r\n", "400"},
		{"open quotes", "5;a=\"b\r\nhello\r\n", "400"},
		{"escaped line end", "5;a=\"b\\\r\n\"\r\nhello\r\n", "400"},
		{"byte over 0x7f in a name", "5;\xe4\r\nhello\r\n", "400"},
		{"line end in quotes", "5;a=\"\r\n\"\r\nhello\r\n", "400"},
		{"extensions over the limit", "0;" + long[:4<<10-1] + "\r\n\r\n", "400"},
		{"extensions over the limit in sum", strings.Repeat("1;"+long[:1023]+"\r\nx\r\n", 5), "400"},
		{"chunk that is longer than its size", "4\r\nhello\r\n", "400"},
		{"chunk that is shorter than its size", "6\r\nhello\r\n0\r\n\r\n", "400"},
		{"bare LF behind a chunk", "5\r\nhello\n0\r\n\r\n", "400"},
		{"nothing behind a chunk", "5\r\nhello0\r\n\r\n", "400"},
		{"chunk over the limit", "16\r\n", "413"},
		{"sum over the limit", "a\r\n0123456789\r\nc\r\n", "413"},

		{"space before the colon of a trailer", "0\r\nA : b\r\n\r\n", "400"},
		{"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "400"},
		{"bare LF behind a trailer", "0\r\nA: b\n\r\n", "400"},
		{"bare LF at the end", "0\r\n\n", "400"},
		{"length in the trailers", "0\r\nContent-Length: 1\r\n\r\n", "400"},
		{"coding in the trailers", "0\r\ntransfer-encoding: chunked\r\n\r\n", "400"},
		{"host in the trailers", "0\r\nHOST: a\r\n\r\n", "400"},
		{"trailer in the trailers", "0\r\nTrailer: a\r\n\r\n", "400"},
		{"request instead of trailers", "0\r\nGET / HTTP/1.1\r\n\r\n", "400"},
		{"too many trailers", "0\r\nA:\r\nB:\r\nC:\r\n\r\n", "431"},
		{"long trailers", "0\r\nA: " + strings.Repeat("b", 100), "431"},

		{"no end", "5\r\nhello\r\n", `"hello" incomplete`},
		{"no end of the trailers", "0\r\nA: b\r\n", `"" incomplete`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := chunkedEverywhere(t, limits, 21, c.body); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s\nwant: %s", got, c.want)
			}
		})
	}
}
