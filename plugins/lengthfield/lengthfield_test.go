package lengthfield_test

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/protocoltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// protocol returns the Protocol of c.
func protocol(t testing.TB, c lengthfield.Config) *lengthfield.Protocol {
	t.Helper()
	p, err := lengthfield.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// message is what UnPacket returns for a payload.
func message(payload string) protocoltest.Message {
	if payload == "" {
		return protocoltest.Message{Ctx: lengthfield.Empty{}}
	}
	return protocoltest.Message{Payload: []byte(payload)}
}

// layouts are the examples of Netty's LengthFieldBasedFrameDecoder, and others.
// Each has a frame as it is on the wire, and what is delivered of it.
var layouts = []struct {
	name      string
	config    lengthfield.Config
	wire      string
	delivered string
	empty     string // a frame without payload; "": there is none
}{
	{
		"2 bytes at offset 0, header kept",
		lengthfield.Config{Width: 2},
		"\x00\x0CHELLO, WORLD", "\x00\x0CHELLO, WORLD", "",
	},
	{
		"2 bytes at offset 0, header stripped",
		lengthfield.Config{Width: 2, Strip: 2},
		"\x00\x0CHELLO, WORLD", "HELLO, WORLD", "\x00\x00",
	},
	{
		"the length is that of the whole frame",
		lengthfield.Config{Width: 2, Adjustment: -2},
		"\x00\x0EHELLO, WORLD", "\x00\x0EHELLO, WORLD", "",
	},
	{
		"3 bytes after a header of 2",
		lengthfield.Config{Offset: 2, Width: 3},
		"\xCA\xFE\x00\x00\x0CHELLO, WORLD", "\xCA\xFE\x00\x00\x0CHELLO, WORLD", "",
	},
	{
		"3 bytes before a header of 2",
		lengthfield.Config{Width: 3, Adjustment: 2},
		"\x00\x00\x0C\xCA\xFEHELLO, WORLD", "\x00\x00\x0C\xCA\xFEHELLO, WORLD", "",
	},
	{
		"2 bytes between two headers, the first one and the length stripped",
		lengthfield.Config{Offset: 1, Width: 2, Adjustment: 1, Strip: 3, Prefix: []byte{0xCA}},
		"\xCA\x00\x0C\xFEHELLO, WORLD", "\xFEHELLO, WORLD", "",
	},
	{
		"the same, and the length is that of the whole frame",
		lengthfield.Config{Offset: 1, Width: 2, Adjustment: -3, Strip: 3, Prefix: []byte{0xCA}},
		"\xCA\x00\x10\xFEHELLO, WORLD", "\xFEHELLO, WORLD", "\xCA\x00\x03",
	},
	{
		"1 byte",
		lengthfield.Config{Width: 1, Strip: lengthfield.StripHeader},
		"\x0CHELLO, WORLD", "HELLO, WORLD", "\x00",
	},
	{
		"4 bytes, little-endian",
		lengthfield.Config{Width: 4, LittleEndian: true, Strip: lengthfield.StripHeader},
		"\x0C\x00\x00\x00HELLO, WORLD", "HELLO, WORLD", "\x00\x00\x00\x00",
	},
	{
		"3 bytes, little-endian, after a magic number that is longer than it was given",
		lengthfield.Config{Offset: 3, Width: 3, LittleEndian: true, Strip: lengthfield.StripHeader, Prefix: []byte("hi")},
		"hi\x00\x0C\x00\x00HELLO, WORLD", "HELLO, WORLD", "hi\x00\x00\x00\x00",
	},
	{
		"8 bytes, more stripped than the header",
		lengthfield.Config{Width: 8, Strip: 10, Prefix: []byte("........##")},
		"\x00\x00\x00\x00\x00\x00\x00\x0E##HELLO, WORLD", "HELLO, WORLD", "\x00\x00\x00\x00\x00\x00\x00\x02##",
	},
	{
		"less stripped than the header",
		lengthfield.Config{Offset: 2, Width: 2, Strip: 1, Prefix: []byte("a")},
		"ab\x00\x0CHELLO, WORLD", "b\x00\x0CHELLO, WORLD", "",
	},
	{
		"varint",
		lengthfield.Config{Width: lengthfield.Varint, Strip: lengthfield.StripHeader},
		"\x0CHELLO, WORLD", "HELLO, WORLD", "\x00",
	},
	{
		"varint of two bytes that counts a header of 400",
		lengthfield.Config{Offset: 1, Width: lengthfield.Varint, Adjustment: -400, Strip: lengthfield.StripHeader, Prefix: []byte("!")},
		"!\x9C\x03HELLO, WORLD", "HELLO, WORLD", "!\x90\x03",
	},
}

func TestLayouts(t *testing.T) {
	for _, tt := range layouts {
		t.Run(tt.name, func(t *testing.T) {
			want, unit := message(tt.delivered), tt.wire
			spec := protocoltest.Spec{
				Protocol: protocol(t, tt.config),
				Streams: []protocoltest.Stream{{
					Bytes: []byte(unit + unit + unit[:len(unit)-1]), Messages: []protocoltest.Message{want, want},
				}},
				RoundTrips: []protocoltest.RoundTrip{
					{Name: "bytes", Data: []byte(tt.delivered), Message: want},
					{Name: "string", Data: tt.delivered, Message: want},
				},
			}
			if tt.empty != "" {
				spec.Streams = append(spec.Streams, protocoltest.Stream{
					Name: "empty", Bytes: []byte(tt.empty + unit + tt.empty), Messages: []protocoltest.Message{message(""), want, message("")},
				})
				spec.RoundTrips = append(spec.RoundTrips, protocoltest.RoundTrip{Name: "empty", Data: "", Message: message("")})
			}
			protocoltest.Run(t, spec)

			wire, err := protocol(t, tt.config).AppendFrame([]byte("before"), []byte(tt.delivered))
			if err != nil || string(wire) != "before"+tt.wire {
				t.Errorf("AppendFrame = %q, %v; want %q", wire, err, "before"+tt.wire)
			}
		})
	}
}

// TestEveryWidth: lengths at the limits of their width.
func TestEveryWidth(t *testing.T) {
	for _, width := range []int{1, 2, 3, 4, 8, lengthfield.Varint} {
		for _, little := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d,%t", width, little), func(t *testing.T) {
				p := protocol(t, lengthfield.Config{Width: width, LittleEndian: little, Strip: lengthfield.StripHeader, MaxFrame: 20 << 20})
				x := protocoltest.New(t, protocoltest.Spec{Protocol: p})
				for _, size := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<24 - 1, 1 << 24} {
					fits := width < 1 || width == 8 || uint64(size) < 1<<(8*width)
					wire, err := p.AppendFrame(nil, make([]byte, size))
					if (err == nil) != fits {
						t.Fatalf("AppendFrame with %d bytes: %v", size, err)
					}
					if err != nil || size > 1<<16 {
						continue
					}
					if n := len(wire) - size; width > 0 && n != width {
						t.Fatalf("header of %d bytes with %d", n, size)
					}
					if err := x.Check(wire); err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
				}
			})
		}
	}
}

// TestGarbage: what a peer must not send.
func TestGarbage(t *testing.T) {
	header := lengthfield.StripHeader
	for _, tt := range []struct {
		name   string
		config lengthfield.Config
		wire   string
		want   error
	}{
		{"over MaxFrame", lengthfield.Config{Width: 2, Strip: 2, MaxFrame: 100}, "\x00\x63", weir.ErrMessageTooLarge},
		{"over the default", lengthfield.Config{Width: 4, Strip: 4}, "\x00\x10\x00\x00", weir.ErrMessageTooLarge},
		{"over any memory", lengthfield.Config{Width: 4, Strip: 4}, "\xFF\xFF\xFF\xFF", weir.ErrMessageTooLarge},
		{"over any int", lengthfield.Config{Width: 8, Strip: 8, Adjustment: 100}, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", weir.ErrMessageTooLarge},
		{"negative", lengthfield.Config{Width: 8, Strip: 8}, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", lengthfield.ErrCorrupt},
		{"negative after adjustment", lengthfield.Config{Width: 8, Strip: 8, Adjustment: -9}, "\x80\x00\x00\x00\x00\x00\x00\x00", lengthfield.ErrCorrupt},
		{"less than itself", lengthfield.Config{Width: 2, Adjustment: -2}, "\x00\x01", lengthfield.ErrCorrupt},
		{"less than what is stripped", lengthfield.Config{Width: 2, Strip: 4}, "\x00\x01", lengthfield.ErrCorrupt},
		{"varint over MaxFrame", lengthfield.Config{Width: lengthfield.Varint, Strip: header, MaxFrame: 100}, "\x64", weir.ErrMessageTooLarge},
		{"varint of 64 bits", lengthfield.Config{Width: lengthfield.Varint, Strip: header}, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", lengthfield.ErrCorrupt},
		{"varint of 70 bits", lengthfield.Config{Width: lengthfield.Varint, Strip: header}, strings.Repeat("\x80", 11), lengthfield.ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			protocoltest.Run(t, protocoltest.Spec{
				Protocol: protocol(t, tt.config),
				Garbage:  []protocoltest.Garbage{{Bytes: []byte(tt.wire + "more"), Err: tt.want}},
			})
		})
	}
}

// TestLargest: a frame of MaxFrame bytes passes, both ways; one more does not.
func TestLargest(t *testing.T) {
	p := protocol(t, lengthfield.Config{Width: 2, Strip: 2, MaxFrame: 100})
	payload := bytes.Repeat([]byte("x"), 98)
	protocoltest.Run(t, protocoltest.Spec{
		Protocol:   p,
		RoundTrips: []protocoltest.RoundTrip{{Data: payload, Message: message(string(payload))}},
	})
	if wire, err := p.AppendFrame([]byte("as it was"), append(payload, 'x')); err == nil || string(wire) != "as it was" {
		t.Errorf("AppendFrame = %q, %v", wire, err)
	}
}

func TestAppendFrameErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config lengthfield.Config
		data   string
		want   string
	}{
		{"without the header that it keeps", lengthfield.Config{Width: 4}, "abc", "their length would be -1"},
		{"without the header, which counts itself", lengthfield.Config{Width: 4, Adjustment: -4}, "abc", "their length would be 3"},
		{"too many for the width", lengthfield.Config{Width: 1, Strip: 1}, strings.Repeat("x", 256), "in 1 bytes"},
		{"fewer than the adjustment", lengthfield.Config{Width: 1, Strip: 1, Adjustment: 4}, "abc", "-1"},
		{"fewer than the varint's adjustment", lengthfield.Config{Width: lengthfield.Varint, Strip: -1, Adjustment: 4}, "abc", "-1"},
		{"more than MaxFrame", lengthfield.Config{Width: lengthfield.Varint, Strip: -1, MaxFrame: 4}, "abcd", "at most 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire, err := protocol(t, tt.config).AppendFrame([]byte("as it was"), []byte(tt.data))
			if err == nil || !strings.Contains(err.Error(), tt.want) || string(wire) != "as it was" {
				t.Errorf("AppendFrame = %q, %v; want an error with %q", wire, err, tt.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		option string
		config lengthfield.Config
	}{
		{"Width", lengthfield.Config{}},
		{"Width", lengthfield.Config{Width: 5}},
		{"MaxFrame", lengthfield.Config{Width: 2, MaxFrame: -1}},
		{"Offset", lengthfield.Config{Width: 2, Offset: -1}},
		{"Offset", lengthfield.Config{Width: 2, Offset: math.MaxInt}},
		{"Offset", lengthfield.Config{Width: 2, Offset: 99, MaxFrame: 100}},
		{"Adjustment", lengthfield.Config{Width: 2, Adjustment: 99, MaxFrame: 100}},
		{"Adjustment", lengthfield.Config{Width: 2, Adjustment: math.MinInt}},
		{"Adjustment", lengthfield.Config{Width: 8, Adjustment: -math.MaxInt32 - 1}},
		{"Adjustment", lengthfield.Config{Width: 1, Adjustment: -256}},
		{"Adjustment", lengthfield.Config{Width: 1, Strip: 258}},
		{"Strip", lengthfield.Config{Width: 8, Strip: -2}},
		{"Strip", lengthfield.Config{Width: 8, Strip: 101, MaxFrame: 100}},
		{"Strip", lengthfield.Config{Width: lengthfield.Varint}},
		{"Prefix", lengthfield.Config{Width: 2, Prefix: []byte("a")}},
		{"Prefix", lengthfield.Config{Width: 2, Strip: lengthfield.StripHeader, Prefix: []byte("abc")}},
		{"Prefix", lengthfield.Config{Width: lengthfield.Varint, Strip: lengthfield.StripHeader, Prefix: []byte("a")}},
	} {
		if p, err := lengthfield.New(tt.config); p != nil || err == nil || !strings.HasPrefix(err.Error(), "lengthfield: "+tt.option+" is ") &&
			!strings.HasPrefix(err.Error(), "lengthfield: "+tt.option+" has ") {
			t.Errorf("New(%+v): %v", tt.config, err)
		}
	}
}

// TestSendAnythingElse: it closes the connection, and the cause says why.
func TestSendAnythingElse(t *testing.T) {
	h := sender{data: 42, ended: make(chan error, 1)}
	s, err := weir.NewServer(h, weir.Address("127.0.0.1:0"), weir.NumLoops(1),
		weir.CustomProtocol(protocol(t, lengthfield.Config{Width: 2, Strip: 2})))
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
	if err := <-h.ended; err == nil || err.Error() != "lengthfield: can't send a int, only a []byte or a string" {
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

// TestWindow: who appends to a payload does not change the frame behind it.
func TestWindow(t *testing.T) {
	p := protocol(t, lengthfield.Config{Width: 1, Strip: 1})
	if _, _, payload := p.Split(nil, []byte("\x01a\x01b")); string(payload) != "a" || cap(payload) != 1 {
		t.Errorf("payload %q, with room for %d bytes", payload, cap(payload))
	}
}

// TestZeroValue: no server takes the Protocol that nobody made.
func TestZeroValue(t *testing.T) {
	if err := new(lengthfield.Protocol).Validate(); err == nil || !strings.Contains(err.Error(), "New or BuffStreams") {
		t.Errorf("Validate: %v", err)
	}
}
