//go:build !race

package delimiter_test

import (
	"bytes"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

// TestNoAllocation: neither for a message received nor for one sent.
func TestNoAllocation(t *testing.T) {
	for _, p := range []*delimiter.Protocol{
		delimiter.Lines(), protocol(t, delimiter.Config{Separator: "\r\n", Keep: true}),
	} {
		x := protocoltest.New(t, protocoltest.Spec{Protocol: p})
		if n := x.DecodeAllocs(t, []byte("a line\r\n\r\nanother one\r\n")); n != 0 {
			t.Errorf("UnPacket: %v allocations", n)
		}
		for _, data := range []any{"a line", []byte("a line"), "a line\r\n"} {
			if n := x.EncodeAllocs(t, data); n != 0 {
				t.Errorf("AppendPacket of %q: %v allocations", data, n)
			}
		}
	}
}

// TestNoAllocationInPieces: a message that comes in pieces costs one for the
// connection, not one for each piece.
func TestNoAllocationInPieces(t *testing.T) {
	p, c, ring := delimiter.Lines(), new(weir.Connection), ringbuffer.New(4096)
	if n := testing.AllocsPerRun(100, func() {
		for range 10 {
			ring.WriteString("some of a line, ")
			p.UnPacket(c, ring)
		}
		ring.WriteString("\n")
		if _, payload := p.UnPacket(c, ring); !bytes.HasPrefix(payload, []byte("some of")) {
			t.Fatalf("%q", payload)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
