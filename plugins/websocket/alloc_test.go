//go:build !race

package websocket_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// allocsPerRun is testing.AllocsPerRun for a whole process: what f does is done by
// other goroutines, too. Pools and queues are warm when it begins.
func allocsPerRun(f func()) float64 {
	const warm, runs = 300, 2500
	for range warm {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / runs
}

// TestAllocs: neither a message with its reply nor one from another goroutine
// allocates anything, in a server with a real client.
func TestAllocs(t *testing.T) {
	const noise = 0.05 // what the runtime itself may allocate meanwhile, for each run
	small, large := strings.Repeat("m", 125), strings.Repeat("m", 20_000)
	prepared := websocket.Prepare(codec.Text, []byte(small))
	for _, tt := range []struct {
		name string
		in   string
		size int // of what comes back
		own  func(c *websocket.Conn, p []byte) error
	}{
		{"Reply", wire(codec.Text, 0, small), 2 + len(small), nil},
		{"Reply, pipelined", strings.Repeat(wire(codec.Text, 0, small), 16), 16 * (2 + len(small)), nil},
		{"Reply, binary", wire(codec.Binary, 0, small), 2 + len(small), nil},
		{"Reply, 20 kB", wire(codec.Binary, 0, large), 4 + len(large), nil},
		{"fragments", wire(codec.Text, codec.More, small) + wire(0, 0, small), 4 + 2*len(small), nil},
		{"ping", wire(codec.Ping, 0, small), 2 + len(small), nil},
		{"WriteText", "", 2 + len(small), func(c *websocket.Conn, p []byte) error { return c.WriteText(p) }},
		{"WritePrepared", "", 2 + len(small), func(c *websocket.Conn, _ []byte) error { return c.WritePrepared(prepared) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, &handler{message: echo})
			c := upgraded(t, s)
			conn := receive(t, s.opened)
			message := []byte(small)
			var reader io.Reader = c
			in, out := []byte(tt.in), make([]byte, tt.size)
			got := allocsPerRun(func() {
				if tt.own != nil {
					fail(t, tt.own(conn, message))
				} else if _, err := c.Write(in); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(reader, out); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%.4f allocations", got)
			if got > noise {
				t.Errorf("%.3f allocations, want none", got)
			}
		})
	}
}
