package delimiter_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// protocol returns the Protocol of c.
func protocol(t testing.TB, c delimiter.Config) *delimiter.Protocol {
	t.Helper()
	p, err := delimiter.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// messages are what UnPacket returns for payloads.
func messages(payloads ...string) []protocoltest.Message {
	list := []protocoltest.Message{}
	for _, p := range payloads {
		m := protocoltest.Message{Payload: []byte(p)}
		if p == "" {
			m.Ctx = delimiter.Empty{}
		}
		list = append(list, m)
	}
	return list
}

// streams are separators, and what is between them.
var streams = []struct {
	name   string
	config delimiter.Config
	wire   string
	want   []protocoltest.Message
}{
	{"one byte", delimiter.Config{Separator: "|"}, "a|bc||def|gh", messages("a", "bc", "", "def")},
	{"one byte, kept", delimiter.Config{Separator: "|", Keep: true}, "a|bc||def|gh", messages("a|", "bc|", "|", "def|")},
	{"two bytes", delimiter.Config{Separator: "\r\n"}, "a\r\nb\nc\rd\r\n\r\n\r\r\ne", messages("a", "b\nc\rd", "", "\r")},
	{"two bytes, kept", delimiter.Config{Separator: "\r\n", Keep: true}, "a\r\nb\r\r\n", messages("a\r\n", "b\r\r\n")},
	{"it overlaps itself", delimiter.Config{Separator: "aab"}, "aaabaabxaab", messages("a", "", "x")},
	{"it repeats itself", delimiter.Config{Separator: "--"}, "a---b----", messages("a", "-b", "")},
	{"any byte", delimiter.Config{Separator: "\x00"}, "a\x00\xFF\x00", messages("a", "\xFF")},
	{"long", delimiter.Config{Separator: strings.Repeat("=", 70)}, "a" + strings.Repeat("=", 140) + "b", messages("a", "")},
	{"lines", delimiter.Config{Separator: "\n", TrimCR: true}, "a\nb\r\n\r\n\nc\r\r\nd\re\nf", messages("a", "b", "", "", "c\r", "d\re")},
	{"lines, kept", delimiter.Config{Separator: "\n", TrimCR: true, Keep: true}, "a\nb\r\n\r\n\n", messages("a\n", "b\r\n", "\r\n", "\n")},
	{"as long as can be", delimiter.Config{Separator: "\r\n", MaxLength: 4}, "abcd\r\nabc\r\r\nabcd\r", messages("abcd", "abc\r")},
	{"lines as long as can be", delimiter.Config{Separator: "\n", TrimCR: true, MaxLength: 4}, "abcd\nabcd\r\nabcd\r", messages("abcd", "abcd")},
}

func TestStreams(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			protocoltest.Run(t, protocoltest.Spec{
				Protocol: protocol(t, tt.config),
				Streams:  []protocoltest.Stream{{Bytes: []byte(tt.wire), Messages: tt.want}},
			})
		})
	}
}

// TestTooLong: found out as soon as can be, and wherever the bytes are cut.
func TestTooLong(t *testing.T) {
	for _, tt := range []struct {
		config delimiter.Config
		wire   string
	}{
		{delimiter.Config{Separator: "|", MaxLength: 4}, "ab|abcde"},
		{delimiter.Config{Separator: "|", MaxLength: 4}, "ab|abcde|ab|"},
		{delimiter.Config{Separator: "|", MaxLength: 4, Keep: true}, "abcde|"},
		{delimiter.Config{Separator: "\r\n", MaxLength: 4}, "abcde\r"},
		{delimiter.Config{Separator: "\r\n", MaxLength: 4}, "abcd\r\r\n"},
		{delimiter.Config{Separator: "\n", MaxLength: 4, TrimCR: true}, "abcd\r\r\n"},
		{delimiter.Config{Separator: "\n", MaxLength: 4, TrimCR: true}, "abcde\r"},
		{delimiter.Config{Separator: "\n"}, strings.Repeat("x", delimiter.DefaultMaxLength+1)},
	} {
		t.Run(fmt.Sprintf("%+v", tt.config), func(t *testing.T) {
			protocoltest.Run(t, protocoltest.Spec{
				Protocol: protocol(t, tt.config),
				Garbage:  []protocoltest.Garbage{{Bytes: []byte(tt.wire), Err: weir.ErrMessageTooLarge}},
			})
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name        string
		protocol    *delimiter.Protocol
		data, wire  string
		want        string
		wantNothing bool
	}{
		{"lines", delimiter.Lines(), "a line", "a line\n", "a line", false},
		{"lines, empty", delimiter.Lines(), "", "\n", "", false},
		{"lines, with an end", delimiter.Lines(), "a line\n", "a line\n\n", "", true},
		{"crlf", protocol(t, delimiter.Config{Separator: "\r\n"}), "a line", "a line\r\n", "a line", false},
		{"kept", protocol(t, delimiter.Config{Separator: "--", Keep: true}), "text--", "text--", "text--", false},
		{"kept, and missing", protocol(t, delimiter.Config{Separator: "--", Keep: true}), "text-", "text---", "text--", true},
		{"kept, and empty", protocol(t, delimiter.Config{Separator: "--", Keep: true}), "", "--", "--", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if wire := tt.protocol.Packet(nil, tt.data); string(wire) != tt.wire {
				t.Errorf("Packet = %q, want %q", wire, tt.wire)
			}
			if tt.wantNothing {
				return // what comes back is not what was given
			}
			want := messages(tt.want)[0]
			protocoltest.Run(t, protocoltest.Spec{
				Protocol: tt.protocol,
				RoundTrips: []protocoltest.RoundTrip{
					{Name: "string", Data: tt.data, Message: want},
					{Name: "bytes", Data: []byte(tt.data), Message: want},
				},
			})
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []delimiter.Config{{}, {Separator: "\n", MaxLength: -1}} {
		if p, err := delimiter.New(c); p != nil || err == nil {
			t.Errorf("New(%+v) = %v, %v", c, p, err)
		}
	}
}

// TestLinear: a message of 1 MiB that comes in pieces of 64 bytes is searched
// once. What was searched is overwritten with separators after each piece, so
// that looking at it again would find one.
func TestLinear(t *testing.T) {
	for _, separator := range []string{"\n", "\r\n", "<end>"} {
		t.Run(fmt.Sprintf("%q", separator), func(t *testing.T) {
			const size, piece = 1 << 20, 64
			p := protocol(t, delimiter.Config{Separator: separator, MaxLength: size})
			c, ring := new(weir.Connection), new(ringbuffer.RingBuffer)
			for ring.Length() < size {
				ring.Write(bytes.Repeat([]byte("x"), piece))
				if ctx, payload := p.UnPacket(c, ring); ctx != nil || payload != nil {
					t.Fatalf("looked again at what was searched: %d bytes after %d", len(payload), ring.Length())
				}
				plant(ring, separator)
			}
			ring.WriteString(separator)
			if _, payload := p.UnPacket(c, ring); len(payload) != size || !ring.IsEmpty() {
				t.Fatalf("message of %d bytes, %d left", len(payload), ring.Length())
			}
			ring.WriteString("next" + separator)
			if _, payload := p.UnPacket(c, ring); string(payload) != "next" {
				t.Errorf("the next message is %q", payload)
			}
		})
	}
}

// plant puts a separator at the end of what no separator can begin in any more:
// all but the last bytes, which may be the beginning of one.
func plant(ring *ringbuffer.RingBuffer, separator string) {
	searched := ring.View(ring.Length() - len(separator) + 1)
	copy(searched[len(searched)-len(separator):], separator)
}

// TestSendAnythingElse: it closes the connection, and the cause says why.
func TestSendAnythingElse(t *testing.T) {
	h := sender{data: 42, ended: make(chan error, 1)}
	s, err := weir.NewServer(h, weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(delimiter.Lines()))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Start() }()   // it returns nil after Stop
	defer func() { _ = s.Stop() }() // which has no error to return
	peer, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := <-h.ended; err == nil || err.Error() != "delimiter: can't send a int, only a []byte or a string" {
		t.Errorf("ended with %v", err)
	}
}

// sender sends its data to whoever connects.
type sender struct {
	data  any
	ended chan error
}

func (s sender) OnConnect(c *weir.Connection)                { _ = c.WritePacket(s.data) } // it has no error
func (s sender) OnMessage(*weir.Connection, any, []byte) any { return nil }
func (s sender) OnClose(c *weir.Connection)                  { s.ended <- c.Err() }

// TestLast: with the option, what is behind the last separator is a message when the
// stream ends.
func TestLast(t *testing.T) {
	for _, tt := range []struct {
		config       delimiter.Config
		stream, want string
	}{
		{delimiter.Config{Separator: "\n", Last: true}, "a\nbc", "[a][bc]"},
		{delimiter.Config{Separator: "\n", Last: true}, "a\nbc\n", "[a][bc]"},
		{delimiter.Config{Separator: "\n", Last: true}, "a\n\r", "[a][\r]"},
		{delimiter.Config{Separator: "\n"}, "a\nbc", "[a]"},
		{delimiter.Config{Separator: "\n", TrimCR: true, Last: true}, "a\r\nbc\r", "[a][bc]"},
		{delimiter.Config{Separator: "\n", TrimCR: true, Last: true}, "a\r\n\r", "[a][]"},
		{delimiter.Config{Separator: "\n", TrimCR: true, Keep: true, Last: true}, "a\r\nb\r", "[a\r\n][b\r]"},
		{delimiter.Config{Separator: "<end>", Last: true}, "a<end>bc<en", "[a][bc<en]"},
		{delimiter.Config{Separator: "<end>", Last: true, MaxLength: 4}, "a<end>bcde", "[a][bcde]"},
		{delimiter.Config{Separator: "<end>", Last: true, MaxLength: 4}, "a<end>bcdef", "[a]"},
	} {
		s, err := weir.NewServer(brackets{}, weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(protocol(t, tt.config)))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Start() }() // it returns nil after Stop
		peer, err := net.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(peer, tt.stream)
		_ = peer.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(peer); string(got) != tt.want || err != nil {
			t.Errorf("%+v: %q is %q, %v; want %q", tt.config, tt.stream, got, err, tt.want)
		}
		_ = peer.Close()
		_ = s.Stop() // which returns none
	}
}

// brackets is a handler that sends back each message in brackets.
type brackets struct{}

func (brackets) OnConnect(*weir.Connection) {}
func (brackets) OnClose(*weir.Connection)   {}
func (brackets) OnMessage(c *weir.Connection, _ any, data []byte) any {
	_, _ = fmt.Fprintf(c, "[%s]", data) // an error means that the connection is ending
	return nil
}

// TestZeroValue: no server takes the Protocol that nobody made.
func TestZeroValue(t *testing.T) {
	if err := new(delimiter.Protocol).Validate(); err == nil || !strings.Contains(err.Error(), "New or Lines") {
		t.Errorf("Validate: %v", err)
	}
}
