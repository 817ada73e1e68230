package resp_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/plugins/resp"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// protocol returns the Protocol of c.
func protocol(t testing.TB, c resp.Config) *resp.Protocol {
	t.Helper()
	p, err := resp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// arguments is the Copy of a protocoltest.Spec.
func arguments(ctx any) any {
	var args []string
	for _, arg := range ctx.(*resp.Command).Args {
		args = append(args, string(arg))
	}
	return args
}

// array is a command as client libraries send it.
func array(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b.String()
}

// sent is a command and its bytes, or with nil args bytes that are none.
type sent struct {
	wire string
	args []string
}

// words is a command whose arguments have no blanks, sent as an array.
func words(line string) sent { return sent{array(strings.Fields(line)...), strings.Fields(line)} }

// many is the command with n arguments "x".
func many(n int) sent { return words(strings.Repeat("x ", n)) }

// commands are streams, and the beginning of one more command.
var commands = []struct {
	name string
	sent []sent
	rest string
}{
	{"one", []sent{words("PING")}, ""},
	{"several", []sent{words("SET key value"), words("GET key"), words("PING")}, "*1\r\n$4\r\nPIN"},
	{"any bytes", []sent{{array("\r\n", "", "\x00\xFF", "*1\r\n$1\r\nx\r\n"), []string{"\r\n", "", "\x00\xFF", "*1\r\n$1\r\nx\r\n"}}}, "*"},
	{"lengths of one to four digits", []sent{
		{array(long(9), long(10), long(99), long(100)), []string{long(9), long(10), long(99), long(100)}},
		{array(long(999), long(1000)), []string{long(999), long(1000)}},
		words("x"),
	}, "*1\r\n$1234\r\nabc"},
	{"many arguments", []sent{many(9), many(10), many(11), many(120)}, "*3\r\n$3\r\nSET\r\n$"},
	{"nothing to do", []sent{
		{"*0\r\n*-1\r\n*-12\r\n*-99999999999\r\n\r\n\n \t \r\n", nil},
		words("PING"),
	}, "*0\r\n\r\n"},
	{"inline", []sent{
		{"PING\r\n", []string{"PING"}},
		{"SET key  value \n", []string{"SET", "key", "value"}},
		words("PING"),
		{" \v a\vb\tc\f\r\n", []string{"a\vb", "c\f"}},
		{"a\rb\n", []string{"a", "b"}},
	}, "GET key"},
	{"inline with quotes", []sent{
		{`SET "a b" 'c d'` + "\r\n", []string{"SET", "a b", "c d"}},
		{`x "\n\r\t\b\a\"\\\x41\xZ\q" y` + "\r\n", []string{"x", "\n\r\t\b\a\"\\AxZq", "y"}},
		{`'\'\n' '"' "'"` + "\n", []string{`'\n`, `"`, `'`}},
		{`"" ''` + "\n", []string{"", ""}},
		{`a"b c" d'e'` + "\n", []string{"ab c", "de"}},
		{`"\x4"` + "\n", []string{"x4"}},
	}, `"unfinished`},
	{"what Redis does not look at", []sent{
		{"*1\rX$4\rXPINGXX", []string{"PING"}},
		{"*2\r\r$1\r\nx\n\n$0\r\n\r\r", []string{"x", ""}},
	}, ""},
}

func long(n int) string { return strings.Repeat("x", n) }

// wrong are streams that Redis refuses, and its errors.
var wrong = []struct {
	name, wire, err string
}{
	{"count: no number", "*x\r\n", "invalid multibulk length"},
	{"count: empty", "*\r\n", "invalid multibulk length"},
	{"count: a plus sign", "*+1\r\n", "invalid multibulk length"},
	{"count: a zero in front", "*01\r\n", "invalid multibulk length"},
	{"count: minus zero", "*-0\r\n", "invalid multibulk length"},
	{"count: only minus", "*-\r\n", "invalid multibulk length"},
	{"count: a blank", "*1 \r\n", "invalid multibulk length"},
	{"count: over the limit", "*1025\r\n", "invalid multibulk length"},
	{"count: over an int32", "*2147483648\r\n", "invalid multibulk length"},
	{"count: over an int64", "*9223372036854775808\r\n", "invalid multibulk length"},
	{"count: far below an int64", "*-9223372036854775809\r\n", "invalid multibulk length"},
	{"count: without end", "*" + strings.Repeat("1", 128), "too big mbulk count string"},
	{"length: no number", "*1\r\n$x\r\n", "invalid bulk length"},
	{"length: empty", "*1\r\n$\r\n", "invalid bulk length"},
	{"length: negative", "*1\r\n$-1\r\n", "invalid bulk length"},
	{"length: zeros in front", "*1\r\n$00\r\n", "invalid bulk length"},
	{"length: over the limit", "*1\r\n$4097\r\n", "invalid bulk length"},
	{"length: of five digits", "*1\r\n$10000\r\n", "invalid bulk length"},
	{"length: over an int64", "*1\r\n$9223372036854775808\r\n", "invalid bulk length"},
	{"length: without end", "*1\r\n$" + strings.Repeat("1", 128), "too big bulk count string"},
	{"length: without end, second", "*2\r\n$1\r\nx\r\n$" + strings.Repeat("1", 128), "too big bulk count string"},
	{"no bulk string", "*1\r\nPING\r\n", "expected '$', got 'P'"},
	{"no bulk string, second", "*2\r\n$1\r\nx\r\n:1\r\n", "expected '$', got ':'"},
	{"an empty line", "*1\r\n\r\n", "expected '$', got '\r'"},
	{"an array within", "*1\r\n*1\r\n", "expected '$', got '*'"},
	{"inline: too long", strings.Repeat("x", 129), "too big inline request"},
	{"inline: too long, with an end", strings.Repeat("x", 129) + "\r\n", "too big inline request"},
	{"inline: a quote", "GET 'a\r\n", "unbalanced quotes in request"},
	{"inline: a double quote", "GET \"a\\\"\r\n", "unbalanced quotes in request"},
	{"inline: a backslash at the end", "GET 'a\\\n", "unbalanced quotes in request"},
	{"inline: a backslash at the end of a double quote", "GET \"a\\\n", "unbalanced quotes in request"},
	{"inline: no blank after a quote", "GET 'a'b\r\n", "unbalanced quotes in request"},
	{"inline: no blank after a double quote", "GET \"a\"\"b\"\r\n", "unbalanced quotes in request"},
	{"after commands", array("PING") + "PING\r\n" + "*x\r\n", "invalid multibulk length"},
}

// narrow are limits that the streams above have room in.
var narrow = resp.Config{MaxArgs: 1024, MaxBulk: 4096, MaxInline: 128}

// spec is all of the above for protocoltest.
func spec(t testing.TB) protocoltest.Spec {
	s := protocoltest.Spec{
		Protocol: protocol(t, narrow),
		Copy:     arguments,
		RoundTrips: []protocoltest.RoundTrip{
			{Data: array("PING"), Message: protocoltest.Message{Ctx: []string{"PING"}, Payload: []byte(array("PING"))}},
			{Data: []byte("a b\n"), Message: protocoltest.Message{Ctx: []string{"a", "b"}, Payload: []byte("a b\n")}},
		},
	}
	for _, tt := range commands {
		stream := protocoltest.Stream{Name: tt.name, Messages: []protocoltest.Message{}}
		for _, c := range tt.sent {
			stream.Bytes = append(stream.Bytes, c.wire...)
			if c.args != nil {
				stream.Messages = append(stream.Messages, protocoltest.Message{Ctx: c.args, Payload: []byte(c.wire)})
			}
		}
		stream.Bytes = append(stream.Bytes, tt.rest...)
		s.Streams = append(s.Streams, stream)
	}
	for _, tt := range wrong {
		s.Garbage = append(s.Garbage, protocoltest.Garbage{
			Name: tt.name, Bytes: []byte(tt.wire), Err: resp.ProtocolError("Protocol error: " + tt.err),
		})
	}
	return s
}

func TestProtocol(t *testing.T) { protocoltest.Run(t, spec(t)) }

func FuzzProtocol(f *testing.F) { protocoltest.Fuzz(f, spec(f)) }

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		config resp.Config
		want   string
	}{
		{resp.Config{}, "<nil>"},
		{resp.Config{MaxArgs: 1, MaxBulk: 1, MaxInline: 1}, "<nil>"},
		{resp.Config{MaxArgs: -1}, "resp: MaxArgs is -1, must be between 1 and 1073741824"},
		{resp.Config{MaxBulk: 1<<30 + 1}, "resp: MaxBulk is 1073741825, must be between 1 and 1073741824"},
		{resp.Config{MaxInline: -5}, "resp: MaxInline is -5, must be between 1 and 1073741824"},
	} {
		if _, err := resp.New(tt.config); fmt.Sprint(err) != tt.want {
			t.Errorf("%+v: %v, want %s", tt.config, err, tt.want)
		}
	}
}

// TestLimits: what is just within them, in the smallest and in the greatest ones.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		config resp.Config
		wire   string
		err    string
	}{
		{resp.Config{MaxArgs: 2}, array("a", "b"), ""},
		{resp.Config{MaxArgs: 2}, array("a", "b", "c"), "invalid multibulk length"},
		{resp.Config{MaxArgs: 12}, many(12).wire, ""},
		{resp.Config{MaxArgs: 12}, many(13).wire, "invalid multibulk length"},
		{resp.Config{}, "*1048577\r\n", "invalid multibulk length"},
		{resp.Config{MaxArgs: 1 << 30}, "*1073741825\r\n", "invalid multibulk length"},
		{resp.Config{MaxBulk: 2}, array("ab"), ""},
		{resp.Config{MaxBulk: 2}, array("abc"), "invalid bulk length"},
		{resp.Config{MaxBulk: 12}, array(long(12)), ""},
		{resp.Config{MaxBulk: 12}, array(long(13)), "invalid bulk length"},
		{resp.Config{MaxBulk: 12000}, array(long(12000)), ""},
		{resp.Config{MaxBulk: 12000}, array(long(12001)), "invalid bulk length"},
		{resp.Config{}, array(long(8 << 20)), ""},
		{resp.Config{}, "*1\r\n$8388609\r\n", "invalid bulk length"},
		{resp.Config{MaxBulk: 1 << 30}, "*1\r\n$9999999999\r\n", "invalid bulk length"},
		{resp.Config{MaxInline: 4}, "a bc\n", ""},
		{resp.Config{MaxInline: 4}, "a bcd\n", "too big inline request"},
		{resp.Config{MaxInline: 4}, "*000\r\n", "invalid multibulk length"},
		{resp.Config{MaxInline: 4}, "*0000\r\n", "too big mbulk count string"},
	} {
		commands, err := decode(protocol(t, tt.config), []byte(tt.wire), func() int { return len(tt.wire) })
		want := ""
		if tt.err != "" {
			want = "Protocol error: " + tt.err
		}
		if string(err) != want || err == "" && len(commands) != 1 {
			t.Errorf("%+v: %.40q: %d commands, %q; want %q", tt.config, tt.wire, len(commands), err, want)
		}
	}
}

// TestZeroValue: the Protocol that nobody made has the limits of a Config without any.
func TestZeroValue(t *testing.T) {
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: new(resp.Protocol),
		Copy:     arguments,
		Streams: []protocoltest.Stream{{
			Bytes:    []byte(many(12).wire),
			Messages: []protocoltest.Message{{Ctx: many(12).args, Payload: []byte(many(12).wire)}},
		}},
		Garbage: []protocoltest.Garbage{{
			Bytes: []byte("*1048577\r\n"), Err: resp.ProtocolError("Protocol error: invalid multibulk length"),
		}},
	})
}

// TestIncompleteCommand: one that is not all there yet takes no memory but its bytes,
// nor does it hold on to those of the commands before it. Nor does a decoder that waits
// for its next connection.
func TestIncompleteCommand(t *testing.T) {
	const args = 20_000
	for _, tt := range []struct {
		stream   string
		piece    int
		commands int
	}{
		{"*" + strconv.Itoa(args) + "\r\n" + strings.Repeat("$0\r\n\r\n", args), 1000, 1},
		{"*" + strconv.Itoa(args) + "\r\n" + strings.Repeat("$0\r\n\r\n", args), 64 << 10, 1},
		{long(60_000) + "\nx\n*", 1000, 2},
		{many(12).wire + many(2).wire + "*3\r\n$1\r\nx\r\n", 1 << 20, 2},
		{many(12).wire + many(2).wire, 1 << 20, 2},
	} {
		p, c, ring := protocol(t, resp.Config{}), new(weir.Connection), new(ringbuffer.RingBuffer)
		commands := 0
		for rest := tt.stream; len(rest) > 0; rest = rest[min(tt.piece, len(rest)):] {
			_, _ = ring.WriteString(rest[:min(tt.piece, len(rest))])
			for ctx, _ := p.UnPacket(c, ring); ctx != nil; ctx, _ = p.UnPacket(c, ring) {
				commands++
			}
			if args, bytes, some := resp.Kept(p, c); args > 1024 || bytes > 4<<10 || some {
				t.Fatalf("%.20q: room for %d arguments and %d bytes is kept, and some: %t", tt.stream, args, bytes, some)
			}
		}
		if commands != tt.commands {
			t.Errorf("%.20q: %d commands, want %d", tt.stream, commands, tt.commands)
		}
	}
}

// TestWindows: who appends to an argument, or to the payload, does not change what is
// behind it.
func TestWindows(t *testing.T) {
	for _, wire := range []string{array("a", "b"), "a b\n"} {
		p, c, ring := protocol(t, resp.Config{}), new(weir.Connection), new(ringbuffer.RingBuffer)
		_, _ = ring.WriteString(wire + wire)
		ctx, payload := p.UnPacket(c, ring)
		for _, window := range append(ctx.(*resp.Command).Args, payload) {
			if cap(window) != len(window) {
				t.Errorf("%q has room for %d bytes more", window, cap(window)-len(window))
			}
		}
	}
}

// TestUnrestricted: a connection that was never restricted has no state of its own.
func TestUnrestricted(t *testing.T) {
	p, c := protocol(t, resp.Config{}), new(weir.Connection)
	if p.Restrict(c, false); c.ProtocolState() != nil {
		t.Errorf("state %v", c.ProtocolState())
	}
}

// TestLineIncomplete: nothing is said of a line before its end is there.
func TestLineIncomplete(t *testing.T) {
	for _, wire := range []string{"*x\r", "*1\r\n$x\r", "*1\r\nx\r", "\"\r"} {
		if _, err := decode(protocol(t, resp.Config{}), []byte(wire), func() int { return len(wire) }); err != "" {
			t.Errorf("%q: %q", wire, err)
		}
	}
}
