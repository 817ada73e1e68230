package protobuf_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/protobuf"
	"github.com/go-weir/weir/protocoltest"
)

// typed returns a Protocol for a few messages.
func typed(t testing.TB, undecodable protobuf.Policy) *protobuf.Typed {
	t.Helper()
	p, err := protobuf.NewTyped(protobuf.Config{
		Messages:    []proto.Message{(*wrapperspb.StringValue)(nil), (*structpb.Value)(nil), (*emptypb.Empty)(nil)},
		Named:       map[string]proto.Message{"int": (*wrapperspb.Int64Value)(nil), "": (*wrapperspb.BoolValue)(nil)},
		Undecodable: undecodable,
		MaxMessage:  1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAppendLimit: what is sent may be as long as what is received, and no longer.
func TestAppendLimit(t *testing.T) {
	m := wrapperspb.String(strings.Repeat("x", 100))
	size := len(pack(t, typed(t, protobuf.CloseUndecodable), m))
	for limit, fits := range map[int]bool{size: true, size - 1: false} {
		p, err := protobuf.NewTyped(protobuf.Config{MaxMessage: limit})
		if err != nil {
			t.Fatal(err)
		}
		wire, err := p.Append([]byte("before"), m)
		if fits != (err == nil) || !fits && string(wire) != "before" {
			t.Errorf("%d bytes with a limit of %d: %q, %v", size, limit, wire, err)
		}
	}
}

// decoded is what UnPacket returns for m. The ctx is m's text, for the
// comparison.
func decoded(m proto.Message) protocoltest.Message {
	data, _ := proto.Marshal(m) // it is one that can be
	return protocoltest.Message{Ctx: describe(m), Payload: data}
}

// describe makes a value that can be compared of a ctx.
func describe(ctx any) any {
	switch ctx := ctx.(type) {
	case proto.Message:
		text, _ := proto.MarshalOptions{Deterministic: true}.Marshal(ctx) // it was decoded
		return string(ctx.ProtoReflect().Descriptor().FullName()) + " " + string(text)
	case *protobuf.DecodeError:
		return "error in " + ctx.Type
	}
	return ctx
}

func pack(t testing.TB, p *protobuf.Typed, messages ...proto.Message) (wire []byte) {
	t.Helper()
	var err error
	for _, m := range messages {
		if wire, err = p.Append(wire, m); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}

func list(values ...any) *structpb.Value {
	l, _ := structpb.NewList(values) // they can all be in one
	return structpb.NewListValue(l)
}

// closing is what Typed promises with CloseUndecodable.
func closing(t testing.TB) protocoltest.Spec {
	p := typed(t, protobuf.CloseUndecodable)
	values := []proto.Message{
		wrapperspb.String("text"), wrapperspb.String(""), list("a", 1.5, nil, true),
		&emptypb.Empty{}, wrapperspb.Int64(-7), wrapperspb.Bool(true),
	}
	spec := protocoltest.Spec{
		Protocol: p, Copy: describe,
		Garbage: []protocoltest.Garbage{
			{Name: "unknown type", Bytes: protobuf.PackMessage("unknown", nil), Err: protobuf.ErrUnknownType},
			{Name: "the full name of one that has another", Bytes: protobuf.PackMessage("google.protobuf.Int64Value", nil), Err: protobuf.ErrUnknownType},
			{Name: "undecodable", Bytes: protobuf.PackMessage("int", []byte("\xFF")), Err: proto.Error},
			{Name: "not UTF-8", Bytes: protobuf.PackMessage("google.protobuf.StringValue", []byte("\x0A\x01\xFF")), Err: proto.Error},
			{Name: "no message", Bytes: []byte("\x00\x00\x00\x02\xFF\xFF\x00"), Err: protobuf.ErrCorrupt},
			{Name: "too long", Bytes: []byte("\x00\x10\x00\x00"), Err: weir.ErrMessageTooLarge},
		},
	}
	for _, m := range values {
		spec.RoundTrips = append(spec.RoundTrips, protocoltest.RoundTrip{Data: m, Message: decoded(m)})
	}
	spec.Streams = []protocoltest.Stream{{Bytes: pack(t, p, values...)}}
	return spec
}

func TestTyped(t *testing.T) { protocoltest.Run(t, closing(t)) }

func FuzzTyped(f *testing.F) { protocoltest.Fuzz(f, closing(f)) }

// TestDeliverUndecodable: it is an error for the handler, and the next message
// is fine. Lengths that can't be are still the end.
func TestDeliverUndecodable(t *testing.T) {
	p := typed(t, protobuf.DeliverUndecodable)
	stream := protobuf.PackMessage("unknown", []byte("data"))
	stream = append(stream, protobuf.PackMessage("int", []byte("\xFF"))...)
	stream = append(stream, pack(t, p, wrapperspb.Int64(5))...)
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: p, Copy: describe,
		Streams: []protocoltest.Stream{{Bytes: stream, Messages: []protocoltest.Message{
			{Ctx: "error in unknown", Payload: []byte("data")},
			{Ctx: "error in int", Payload: []byte("\xFF")},
			decoded(wrapperspb.Int64(5)),
		}}},
		Garbage: []protocoltest.Garbage{{Bytes: []byte("\x00\x00\x00\x02\xFF\xFF\x00"), Err: protobuf.ErrCorrupt}},
	})
}

// TestKept: a message may be kept, unlike the data that it was decoded from.
func TestKept(t *testing.T) {
	var kept []proto.Message
	protocoltest.Run(t, protocoltest.Spec{
		Protocol: typed(t, protobuf.CloseUndecodable),
		Streams:  []protocoltest.Stream{{Bytes: protobuf.PackMessage("google.protobuf.StringValue", []byte("\x0A\x04kept"))}},
		Copy: func(ctx any) any {
			kept = append(kept, ctx.(proto.Message))
			return nil
		},
	})
	for _, m := range kept {
		if want := wrapperspb.String("kept"); !proto.Equal(m, want) {
			t.Fatalf("%v, want %v", m, want)
		}
	}
}

func TestNewTypedRefuses(t *testing.T) {
	str := (*wrapperspb.StringValue)(nil)
	for _, tt := range []struct {
		config protobuf.Config
		want   string
	}{
		{protobuf.Config{MaxMessage: -1}, "the limit is -1"},
		{protobuf.Config{Undecodable: 7}, "Undecodable is 7"},
		{protobuf.Config{Messages: []proto.Message{nil}}, "nil"},
		{protobuf.Config{Named: map[string]proto.Message{"x": nil}}, "nil"},
		{protobuf.Config{Messages: []proto.Message{str, str}}, "registered twice"},
		{protobuf.Config{Named: map[string]proto.Message{"a": str, "b": str}}, "would be sent as"},
		{protobuf.Config{Named: map[string]proto.Message{strings.Repeat("x", 1<<16): str}}, "65536 bytes"},
	} {
		if p, err := protobuf.NewTyped(tt.config); p != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewTyped(%+v) = %v, %v; want %q", tt.config, p, err, tt.want)
		}
	}
}

func TestAppendErrors(t *testing.T) {
	p := typed(t, protobuf.CloseUndecodable)
	for _, m := range []proto.Message{wrapperspb.String("\xFF"), wrapperspb.String(strings.Repeat("x", 1000))} {
		if wire, err := p.Append([]byte("as it was"), m); err == nil || string(wire) != "as it was" {
			t.Errorf("Append = %q, %v", wire, err)
		}
	}
}
