package resp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
	"github.com/go-weir/weir/ringbuffer"
)

// What redis-benchmark sends.
var benchCommands = []struct{ name, wire string }{
	{"PING", "*1\r\n$4\r\nPING\r\n"},
	{"GET", "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n"},
	{"SET", "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$3\r\nVXK\r\n"},
	{"SET4096", "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$4096\r\n" + strings.Repeat("x", 4096) + "\r\n"},
	{"inline", "SET key:000000000000 VXK\r\n"},
}

// BenchmarkDecode is the time for one of many commands that came in one read.
func BenchmarkDecode(b *testing.B) {
	for _, bc := range benchCommands {
		b.Run(bc.name, func(b *testing.B) {
			const batch = 128
			received := []byte(strings.Repeat(bc.wire, batch))
			var ring ringbuffer.RingBuffer
			p, c := protocol(b, resp.Config{}), new(weir.Connection)
			b.ReportAllocs()
			b.SetBytes(int64(len(bc.wire)))
			for n := 0; b.Loop(); n++ {
				if n%batch == 0 {
					p.UnPacket(c, &ring) // as the loop does after the last one
					ring.WithData(received)
				}
				p.UnPacket(c, &ring)
			}
		})
	}
}

func BenchmarkTable(b *testing.B) {
	values := make(map[string]int)
	for i, name := range strings.Fields("ping get set incr decr append mget mset del exists expire ttl subscribe publish") {
		values[name] = i
	}
	t := resp.NewTable(values)
	for _, name := range []string{"GET", "PING", "subscribe"} {
		b.Run(name, func(b *testing.B) {
			name := []byte(name)
			b.ReportAllocs()
			for b.Loop() {
				t.Find(name)
			}
		})
	}
}

func BenchmarkAppendBulk(b *testing.B) {
	var dst []byte
	value := []byte("VXK")
	b.ReportAllocs()
	for b.Loop() {
		dst = resp.AppendBulk(dst[:0], value)
	}
}

// BenchmarkPieces is the time for a large argument that comes in pieces of 64 bytes:
// per byte the same, whatever its size.
func BenchmarkPieces(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20, 8 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			wire := []byte(array("SET", "key", long(size)))
			var ring ringbuffer.RingBuffer
			p, c := protocol(b, resp.Config{}), new(weir.Connection)
			b.ReportAllocs()
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				for rest := wire; len(rest) > 0; rest = rest[min(64, len(rest)):] {
					_, _ = ring.Write(rest[:min(64, len(rest))])
					if ctx, _ := p.UnPacket(c, &ring); ctx != nil {
						p.UnPacket(c, &ring)
					}
				}
				if !ring.IsEmpty() {
					b.Fatal("the command was not decoded")
				}
			}
		})
	}
}
