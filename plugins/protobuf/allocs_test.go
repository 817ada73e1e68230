//go:build !race

package protobuf_test

import (
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir/plugins/protobuf"
	"github.com/go-weir/weir/protocoltest"
)

// TestAllocations: of what the package does itself, only the ctx of a Protocol
// costs any, the string and its place in an interface. A Typed looks its type up
// without making a string of it: what it allocates is the message.
func TestAllocations(t *testing.T) {
	wire := protobuf.PackMessage("a type", []byte("data"))
	if n := protocoltest.New(t, protocoltest.Spec{Protocol: protobuf.New()}).DecodeAllocs(t, wire); n != 2 {
		t.Errorf("Protocol.UnPacket: %v allocations, want 2", n)
	}
	x := protocoltest.New(t, protocoltest.Spec{Protocol: typed(t, protobuf.CloseUndecodable)})
	if n := x.DecodeAllocs(t, protobuf.PackMessage("int", []byte{8, 1})); n != 1 {
		t.Errorf("Typed.UnPacket: %v allocations, want 1", n)
	}
	if n := x.EncodeAllocs(t, wrapperspb.Int64(1)); n != 0 {
		t.Errorf("Typed.AppendPacket: %v allocations, want 0", n)
	}
}
