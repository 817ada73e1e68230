//go:build !race

package resp_test

import (
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

// TestNoAllocation: neither to decode a command nor to find its name nor to append
// its reply.
func TestNoAllocation(t *testing.T) {
	p := protocol(t, resp.Config{})
	table := resp.NewTable(map[string]int{"get": 1})
	value := []byte("value")

	// A GET that finds something, as a handler does it.
	c, ring, get := new(weir.Connection), new(ringbuffer.RingBuffer), []byte(array("GET", "key:000000000000"))
	values := map[string][]byte{"key:000000000000": value}
	var out []byte
	if n := testing.AllocsPerRun(1000, func() {
		ring.WithData(get)
		ctx, _ := p.UnPacket(c, ring)
		args := ctx.(*resp.Command).Args
		if _, ok := table.Find(args[0]); !ok {
			t.Fatal("not found")
		}
		out = resp.AppendBulk(out[:0], values[string(args[1])])
		p.UnPacket(c, ring)
	}); n != 0 || string(out) != "$5\r\nvalue\r\n" {
		t.Errorf("GET: %v allocations, %q", n, out)
	}

	x := protocoltest.New(t, protocoltest.Spec{Protocol: p})
	for _, tt := range commands {
		var stream []byte
		for _, c := range tt.sent {
			stream = append(stream, c.wire...)
		}
		if n := x.DecodeAllocs(t, stream); n != 0 {
			t.Errorf("UnPacket, %s: %v allocations", tt.name, n)
		}
	}
	if n := x.EncodeAllocs(t, any(value)); n != 0 {
		t.Errorf("Packet: %v allocations", n)
	}
	for _, tt := range replies {
		for _, v := range []resp.Version{resp.V2, resp.V3} {
			if n := testing.AllocsPerRun(100, func() { out = tt.append(v, out[:0]) }); n != 0 {
				t.Errorf("%q: %v allocations", out, n)
			}
		}
	}
}

// TestNoAllocationInPieces: nor for one that comes in pieces.
func TestNoAllocationInPieces(t *testing.T) {
	p, c, ring := protocol(t, resp.Config{}), new(weir.Connection), ringbuffer.New(4096)
	wire := []byte(array("SET", "key:000000000000", long(1000)))
	if n := testing.AllocsPerRun(100, func() {
		for rest := wire; len(rest) > 0; rest = rest[min(10, len(rest)):] {
			_, _ = ring.Write(rest[:min(10, len(rest))])
			if ctx, _ := p.UnPacket(c, ring); ctx != nil {
				p.UnPacket(c, ring)
			}
		}
	}); n != 0 || !ring.IsEmpty() {
		t.Errorf("%v allocations", n)
	}
}
