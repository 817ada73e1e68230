// Package protocoltest tests a [weir.Protocol] the way the network does: it
// feeds it the same stream in one piece, byte by byte, cut anywhere, with each
// place of it at the end of the ring buffer's storage, and through a server on
// the loopback interface, and compares what comes out.
//
// Between two calls of UnPacket nothing stays where it was: the bytes that are
// left move to other storage, in a ring of another kind, and the old storage,
// which payloads may have been windows into, and the connection's UserBuffer
// are overwritten. So a protocol that keeps a slice of them is found out.
//
// [Run] is all of it in one test, [Fuzz] the part that needs no expectations as
// a fuzz target. For bytes that the test itself makes up there is [Tester.Check],
// for claims of no allocation [Tester.DecodeAllocs] and [Tester.EncodeAllocs].
//
// The connection that UnPacket is given is a real one, open, on its own loop.
package protocoltest

import (
	"fmt"
	"testing"

	"github.com/go-weir/weir"
)

// Message is what UnPacket returned for one message.
type Message struct {
	Ctx     any // what Spec.Copy made of the ctx
	Payload []byte
}

// Stream is what a peer may send: messages, and perhaps the beginning of one
// more, which the protocol has to wait for.
type Stream struct {
	Name  string
	Bytes []byte

	// Messages is what is in it; nil: whatever is found when it comes in one
	// piece.
	Messages []Message
}

// Garbage is what no peer may send. The protocol has to end it with
// CloseWithError, wherever it is cut.
type Garbage struct {
	Name  string
	Bytes []byte
	Err   error // errors.Is must find it in the cause; nil: any cause will do
}

// RoundTrip is a value that Packet encodes, to the same bytes each time, and the
// message that UnPacket then decodes.
type RoundTrip struct {
	Name    string
	Data    any
	Message Message
}

// Spec says what to test. Only the Protocol must be given, and at least one
// stream, garbage or round trip if it is for Run.
type Spec struct {
	Protocol weir.Protocol

	Streams    []Stream
	Garbage    []Garbage
	RoundTrips []RoundTrip

	// Prelude is what every connection sends first and in one piece: a
	// handshake. Its messages are not compared.
	Prelude []byte

	// Handler is called as a server calls it, for a protocol that can't do
	// without the answers to its messages; nil: nothing is answered.
	Handler weir.Handler

	// Copy returns what is to be compared of a ctx, while the ctx is valid:
	// until OnMessage would return. It runs on the loop. nil: the ctx itself,
	// which must then not refer to memory that is used again.
	Copy func(ctx any) any

	// Equal compares the messages of two runs, and those that two runs had when
	// the same bytes had come; nil: reflect.DeepEqual for each Ctx, bytes.Equal
	// for each Payload. A protocol that passes on parts of a message, as they
	// come, needs one that puts them together.
	Equal func(a, b []Message) bool

	// Written returns what is to be compared of the bytes that were sent to
	// the peer; nil: all of it.
	Written func(p []byte) []byte
}

// Run tests everything in s, each part as a subtest.
func Run(t *testing.T, s Spec) {
	if len(s.Streams)+len(s.Garbage)+len(s.RoundTrips) == 0 {
		t.Fatal("protocoltest: the Spec has no Streams, no Garbage and no RoundTrips")
	}
	x := New(t, s)
	for i, stream := range s.Streams {
		t.Run(title("stream", stream.Name, i), func(t *testing.T) { report(t, x.stream(stream)) })
	}
	for i, garbage := range s.Garbage {
		t.Run(title("garbage", garbage.Name, i), func(t *testing.T) { report(t, x.garbage(garbage)) })
	}
	if len(s.RoundTrips) > 0 {
		t.Run("roundtrip", func(t *testing.T) { report(t, x.roundTrips(s.RoundTrips)) })
	}
}

// Fuzz makes a fuzz target of Check, with everything in s as its seeds.
func Fuzz(f *testing.F, s Spec) {
	x := New(f, s)
	for _, stream := range s.Streams {
		f.Add(stream.Bytes)
	}
	for _, garbage := range s.Garbage {
		f.Add(garbage.Bytes)
	}
	for _, r := range s.RoundTrips {
		wire, err := x.encode(r.Data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, stream []byte) { report(t, x.Check(stream)) })
}

func title(kind, name string, i int) string {
	if name == "" {
		name = fmt.Sprintf("#%d", i)
	}
	return kind + "/" + name
}

func report(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Error(err)
	}
}
