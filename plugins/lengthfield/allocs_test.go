//go:build !race

package lengthfield_test

import (
	"testing"

	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/protocoltest"
)

// TestNoAllocation: neither for a message received nor for one sent.
func TestNoAllocation(t *testing.T) {
	for _, tt := range layouts {
		t.Run(tt.name, func(t *testing.T) {
			noAllocation(t, protocol(t, tt.config), tt.wire+tt.empty+tt.wire, tt.delivered)
		})
	}
	t.Run("BuffStreams", func(t *testing.T) {
		p, err := lengthfield.BuffStreams(4096)
		if err != nil {
			t.Fatal(err)
		}
		noAllocation(t, p, "\x0A\x00\x00hello\x00\x00\x00", "hello")
	})
}

func noAllocation(t *testing.T, p *lengthfield.Protocol, wire, payload string) {
	x := protocoltest.New(t, protocoltest.Spec{Protocol: p})
	if n := x.DecodeAllocs(t, []byte(wire)); n != 0 {
		t.Errorf("UnPacket: %v allocations", n)
	}
	for _, data := range []any{payload, []byte(payload)} {
		if n := x.EncodeAllocs(t, data); n != 0 {
			t.Errorf("AppendPacket of a %T: %v allocations", data, n)
		}
	}
}
