package resp_test

import (
	"bufio"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/resp"
)

// replies are what functions append, for both versions.
var replies = []struct {
	append func(v resp.Version, dst []byte) []byte
	v2, v3 string
}{
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendSimple(dst, "OK") }, "+OK\r\n", "+OK\r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendSimple(dst, "a\r\nb") }, "+a  b\r\n", "+a  b\r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendError(dst, "ERR no\n") }, "-ERR no \r\n", "-ERR no \r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendInt(dst, 0) }, ":0\r\n", ":0\r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendInt(dst, 10) }, ":10\r\n", ":10\r\n"},
	{
		func(_ resp.Version, dst []byte) []byte { return resp.AppendInt(dst, math.MinInt64) },
		":-9223372036854775808\r\n", ":-9223372036854775808\r\n",
	},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendBulk(dst, "a\r\nb") }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendBulk(dst, []byte(nil)) }, "$0\r\n\r\n", "$0\r\n\r\n"},
	{func(_ resp.Version, dst []byte) []byte { return resp.AppendBulk(dst, "0123456789") }, "$10\r\n0123456789\r\n", "$10\r\n0123456789\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendNull(resp.AppendArray(dst, 1)) }, "*1\r\n$-1\r\n", "*1\r\n_\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendNullArray(dst) }, "*-1\r\n", "_\r\n"},
	{
		func(v resp.Version, dst []byte) []byte {
			return resp.AppendInt(resp.AppendSimple(v.AppendMap(dst, 1), "a"), 1)
		},
		"*2\r\n+a\r\n:1\r\n", "%1\r\n+a\r\n:1\r\n",
	},
	{func(v resp.Version, dst []byte) []byte { return v.AppendSet(dst, 0) }, "*0\r\n", "~0\r\n"},
	{func(v resp.Version, dst []byte) []byte { return resp.AppendInt(v.AppendPush(dst, 1), 2) }, "*1\r\n:2\r\n", ">1\r\n:2\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendDouble(dst, 0.1) }, "$3\r\n0.1\r\n", ",0.1\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendDouble(dst, -1e300) }, "$7\r\n-1e+300\r\n", ",-1e+300\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendDouble(dst, math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendDouble(dst, math.Inf(1)) }, "$3\r\ninf\r\n", ",inf\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendDouble(dst, math.NaN()) }, "$3\r\nnan\r\n", ",nan\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendBool(dst, true) }, ":1\r\n", "#t\r\n"},
	{func(v resp.Version, dst []byte) []byte { return v.AppendBool(dst, false) }, ":0\r\n", "#f\r\n"},
	{
		func(v resp.Version, dst []byte) []byte { return v.AppendBigNumber(dst, "-12345678901234567890") },
		"$21\r\n-12345678901234567890\r\n", "(-12345678901234567890\r\n",
	},
	{func(v resp.Version, dst []byte) []byte { return v.AppendVerbatim(dst, "txt", "a\nb") }, "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n"},
}

func TestAppend(t *testing.T) {
	for _, tt := range replies {
		for v, want := range map[resp.Version]string{0: tt.v2, resp.V2: tt.v2, resp.V3: tt.v3} {
			if got := tt.append(v, []byte("before")); string(got) != "before"+want {
				t.Errorf("version %d: %q, want %q after %q", v, got, want, "before")
			}
		}
	}
}

func TestReadReply(t *testing.T) {
	text := func(kind byte, s string) resp.Reply { return resp.Reply{Kind: kind, Text: s} }
	list := func(kind byte, elements ...resp.Reply) resp.Reply { return resp.Reply{Kind: kind, Elements: elements} }
	for _, tt := range []struct {
		wire string
		want resp.Reply
	}{
		{"+OK\r\n", text('+', "OK")},
		{"+a\rb\r\n", text('+', "a\rb")},
		{"-ERR no\r\n", text('-', "ERR no")},
		{":-5\r\n", text(':', "-5")},
		{"$4\r\na\r\nb\r\n", text('$', "a\r\nb")},
		{"$0\r\n\r\n", text('$', "")},
		{"$-1\r\n", text('_', "")},
		{"*-1\r\n", text('_', "")},
		{"_\r\n", text('_', "")},
		{",1.5\r\n", text(',', "1.5")},
		{"#t\r\n", text('#', "t")},
		{"(-123\r\n", text('(', "-123")},
		{"=5\r\ntxt:a\r\n", text('=', "txt:a")},
		{"!3\r\nERR\r\n", text('!', "ERR")},
		{"*0\r\n", list('*')},
		{"*2\r\n:1\r\n*1\r\n$-1\r\n", list('*', text(':', "1"), list('*', text('_', "")))},
		{"~1\r\n+a\r\n", list('~', text('+', "a"))},
		{">1\r\n+a\r\n", list('>', text('+', "a"))},
		{"%1\r\n+a\r\n:1\r\n", list('%', text('+', "a"), text(':', "1"))},
	} {
		r := bufio.NewReader(strings.NewReader(tt.wire + "rest"))
		got, err := resp.ReadReply(r)
		if rest, _ := io.ReadAll(r); err != nil || !reflect.DeepEqual(got, tt.want) || string(rest) != "rest" {
			t.Errorf("%q: %+v, %v, then %q; want %+v", tt.wire, got, err, rest, tt.want)
		}
	}
}

func TestReadReplyWrong(t *testing.T) {
	for _, tt := range []struct {
		wire string
		err  error // nil: what is wrong, without waiting for more
	}{
		{"", io.EOF},
		{"+OK", io.ErrUnexpectedEOF},
		{"+OK\r", io.ErrUnexpectedEOF},
		{"$3\r\nab", io.ErrUnexpectedEOF},
		{"$3\r\nabc", io.ErrUnexpectedEOF},
		{"*2\r\n:1\r\n", io.ErrUnexpectedEOF},
		{"$536870912\r\nabc", io.ErrUnexpectedEOF},
		{"*536870912\r\n:1\r\n", io.ErrUnexpectedEOF},
		{"+OK\n", nil},
		{"+" + strings.Repeat("x", 70000), nil},
		{"\n", nil},
		{"\r\n", nil},
		{"x\r\n", nil},
		{"$x\r\n", nil},
		{"$-2\r\n", nil},
		{"*-2\r\n", nil},
		{"$536870913\r\n", nil},
		{"$3\r\nabcde", nil},
		{"*1000000000\r\n", nil},
		{strings.Repeat("*1\r\n", 100) + ":1\r\n", nil},
	} {
		reply, err := resp.ReadReply(bufio.NewReader(strings.NewReader(tt.wire)))
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err == nil || !errors.Is(err, tt.err) && (tt.err != nil || ended) {
			t.Errorf("%.20q: %+v, %v; want %v", tt.wire, reply, err, tt.err)
		}
	}
}

// FuzzReply: what is read as a reply can be appended again, and is then the same.
func FuzzReply(f *testing.F) {
	for _, tt := range replies {
		f.Add([]byte(tt.v2))
		f.Add([]byte(tt.v3))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		reply, err := resp.ReadReply(bufio.NewReader(strings.NewReader(string(wire))))
		if err != nil {
			return
		}
		again, err := resp.ReadReply(bufio.NewReader(strings.NewReader(string(appendReply(nil, reply)))))
		if err != nil || !reflect.DeepEqual(again, reply) {
			t.Errorf("%q: %+v, then %+v, %v", wire, reply, again, err)
		}
	})
}

func appendReply(dst []byte, r resp.Reply) []byte {
	begin := len(dst)
	switch r.Kind {
	case '$', '=', '!':
		dst = resp.AppendBulk(dst, r.Text)
	case '*', '~', '>':
		dst = resp.AppendArray(dst, len(r.Elements))
	case '%':
		dst = resp.AppendArray(dst, len(r.Elements)/2)
	default:
		dst = append(append(append(dst, r.Kind), r.Text...), '\r', '\n')
	}
	dst[begin] = r.Kind
	for _, e := range r.Elements {
		dst = appendReply(dst, e)
	}
	return dst
}
