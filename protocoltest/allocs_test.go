//go:build !race

package protocoltest_test

import (
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

// TestAllocs: what is counted is what there is, per message.
func TestAllocs(t *testing.T) {
	var sink []byte
	wasteful := &faulty{
		unpack: func(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
			ctx, payload := frames{}.UnPacket(c, b)
			if ctx == nil {
				return nil, nil
			}
			sink = append([]byte(nil), payload...)
			return ctx, sink
		},
		append: func(dst []byte, _ *weir.Connection, data any) []byte {
			sink = appendFrame(nil, data)
			return append(dst, sink...)
		},
	}
	for _, tt := range []struct {
		name     string
		protocol weir.Protocol
		want     float64
	}{
		{"frugal", frames{}, 0},
		{"wasteful", wasteful, 1},
		{"wasteful Packet", struct{ weir.Protocol }{frames{}}, 1}, // without AppendPacket
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := protocoltest.New(t, protocoltest.Spec{Protocol: tt.protocol})
			if n := x.DecodeAllocs(t, []byte("\x05hello\x01x")); n != tt.want && tt.name != "wasteful Packet" {
				t.Errorf("DecodeAllocs = %v, want %v", n, tt.want)
			}
			if n := x.EncodeAllocs(t, "hello"); n != tt.want {
				t.Errorf("EncodeAllocs = %v, want %v", n, tt.want)
			}
		})
	}
}
