package protobuf_test

import (
	"encoding/binary"
	"errors"
	"math"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/protobuf"
	"github.com/go-weir/weir/protocoltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// raw is what the Protocol promises.
func raw(t testing.TB) protocoltest.Spec {
	p, err := protobuf.NewLimit(1000)
	if err != nil {
		t.Fatal(err)
	}
	message := func(name, data string) protocoltest.Message {
		return protocoltest.Message{Ctx: name, Payload: []byte(data)}
	}
	largest := strings.Repeat("x", 1000-6-4)
	return protocoltest.Spec{
		Protocol: p,
		Streams: []protocoltest.Stream{{
			Bytes: []byte("\x00\x00\x00\x0A\x00\x03msgdata!" +
				"\x00\x00\x00\x05\x00\x03msg" + // no data
				"\x00\x00\x00\x06\x00\x00data" + // no type
				"\x00\x00\x00\x02\x00\x00" + // neither
				"\x00\x00\x00\x0A\x00\x03msgdat"),
			Messages: []protocoltest.Message{message("msg", "data!"), message("msg", ""), message("", "data"), message("", "")},
		}},
		Garbage: []protocoltest.Garbage{
			{Name: "a type longer than the message", Bytes: []byte("\x00\x00\x00\x02\xFF\xFF\x00"), Err: protobuf.ErrCorrupt},
			{Name: "a type one byte longer", Bytes: []byte("\x00\x00\x00\x05\x00\x04"), Err: protobuf.ErrCorrupt},
			{Name: "no room for the type's length", Bytes: []byte("\x00\x00\x00\x01\x00"), Err: protobuf.ErrCorrupt},
			{Name: "nothing at all", Bytes: []byte("\x00\x00\x00\x00"), Err: protobuf.ErrCorrupt},
			{Name: "after a good one", Bytes: []byte("\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00"), Err: protobuf.ErrCorrupt},
			{Name: "one byte too long", Bytes: []byte("\x00\x00\x03\xE5"), Err: weir.ErrMessageTooLarge},
			{Name: "as long as can be said", Bytes: []byte("\xFF\xFF\xFF\xFF"), Err: weir.ErrMessageTooLarge},
		},
		RoundTrips: []protocoltest.RoundTrip{
			{Name: "packed", Data: protobuf.PackMessage("msg", []byte("data")), Message: message("msg", "data")},
			{Name: "packed, empty", Data: protobuf.PackMessage("", nil), Message: message("", "")},
			{Name: "packed, largest", Data: protobuf.PackMessage("type", []byte(largest)), Message: message("type", largest)},
			{Name: "proto.Message", Data: wrapperspb.String("hi"), Message: message("google.protobuf.StringValue", "\x0A\x02hi")},
		},
	}
}

func TestProtocol(t *testing.T) { protocoltest.Run(t, raw(t)) }

func FuzzProtocol(f *testing.F) { protocoltest.Fuzz(f, raw(f)) }

func TestPackMessage(t *testing.T) {
	if wire := protobuf.PackMessage("msg", []byte("data!")); string(wire) != "\x00\x00\x00\x0A\x00\x03msgdata!" {
		t.Errorf("PackMessage = %q", wire)
	}
	wire, err := protobuf.AppendMessage([]byte("before"), strings.Repeat("t", math.MaxUint16), nil)
	if err != nil || len(wire) != 6+6+math.MaxUint16 || string(wire[:12]) != "before\x00\x01\x00\x01\xFF\xFF" {
		t.Errorf("AppendMessage with the longest type: %d bytes, %v", len(wire), err)
	}
	wire, err = protobuf.AppendMessage([]byte("before"), strings.Repeat("t", math.MaxUint16+1), nil)
	if err == nil || string(wire) != "before" {
		t.Errorf("AppendMessage with a longer type: %q, %v", wire, err)
	}
	defer func() {
		if v := recover(); v == nil {
			t.Error("PackMessage does not panic with a longer type")
		}
	}()
	protobuf.PackMessage(strings.Repeat("t", math.MaxUint16+1), nil)
}

func TestNewLimitRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, 5, math.MinInt} {
		if p, err := protobuf.NewLimit(n); p != nil || err == nil {
			t.Errorf("NewLimit(%d) = %v, %v", n, p, err)
		}
	}
}

// TestDefaultLimit: what nobody has limited waits for what the default allows, and for
// no more. The zero value is one of them: gev's programs have it.
func TestDefaultLimit(t *testing.T) {
	typed, err := protobuf.NewTyped(protobuf.Config{})
	if err != nil {
		t.Fatal(err)
	}
	header := func(size uint32) []byte { return binary.BigEndian.AppendUint32(nil, size-4) }
	for _, tt := range []struct {
		name     string
		protocol weir.Protocol
		most     uint32
	}{
		{"New", protobuf.New(), protobuf.DefaultMaxMessage},
		{"zero value", &protobuf.Protocol{}, protobuf.DefaultMaxMessage},
		{"NewTyped", typed, 1 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			protocoltest.Run(t, protocoltest.Spec{
				Protocol: tt.protocol,
				Streams:  []protocoltest.Stream{{Bytes: header(tt.most), Messages: []protocoltest.Message{}}},
				Garbage:  []protocoltest.Garbage{{Bytes: header(tt.most + 1), Err: weir.ErrMessageTooLarge}},
			})
		})
	}
}

// TestZeroValue: the zero Protocol sends and receives, the zero Typed is refused.
func TestZeroValue(t *testing.T) {
	wire := protobuf.PackMessage("type", []byte("data"))
	protocoltest.Run(t, protocoltest.Spec{
		Protocol:   &protobuf.Protocol{},
		Streams:    []protocoltest.Stream{{Bytes: wire, Messages: []protocoltest.Message{{Ctx: "type", Payload: []byte("data")}}}},
		RoundTrips: []protocoltest.RoundTrip{{Data: wire, Message: protocoltest.Message{Ctx: "type", Payload: []byte("data")}}},
	})
	if err := new(protobuf.Typed).Validate(); err == nil || !strings.Contains(err.Error(), "NewTyped") {
		t.Errorf("zero Typed: %v", err)
	}
}

// TestCannotSend: it closes the connection, and the cause says why.
func TestCannotSend(t *testing.T) {
	limited, err := protobuf.NewLimit(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		protocol weir.Protocol
		data     any
		want     string
	}{
		{"anything else", protobuf.New(), 42, "protobuf: can't send a int"},
		{"too much", limited, wrapperspb.String(strings.Repeat("x", 100)), "at most 100"},
		{"invalid UTF-8", protobuf.New(), wrapperspb.String("\xFF"), "invalid UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := sender{data: tt.data, ended: make(chan error, 1)}
			s, err := weir.NewServer(h, weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(tt.protocol))
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
			if err := <-h.ended; err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ended with %v, want %q", err, tt.want)
			}
			if n, _ := peer.Read(make([]byte, 1)); n != 0 {
				t.Error("something was sent all the same")
			}
		})
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

// TestDecodeErrorIs: what is in a DecodeError is found.
func TestDecodeErrorIs(t *testing.T) {
	err := error(&protobuf.DecodeError{Type: "x", Err: protobuf.ErrUnknownType})
	if !errors.Is(err, protobuf.ErrUnknownType) || err.Error() != `protobuf: message "x": unknown type` {
		t.Error(err)
	}
}
