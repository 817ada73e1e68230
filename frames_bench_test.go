package weir

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net/netip"
	"syscall"
	"testing"

	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
	"github.com/go-weir/weir/ringbuffer"
)

// benchFrames has four bytes of length in front of each message, and counts
// the bytes of what it is given.
type benchFrames struct{ bytes int }

func (*benchFrames) OnConnect(*Connection)          {}
func (*benchFrames) OnClose(*Connection)            {}
func (*benchFrames) Packet(*Connection, any) []byte { return nil }

func (*benchFrames) UnPacket(_ *Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	header := buffer.View(4)
	if header == nil {
		return nil, nil
	}
	size := 4 + int(binary.BigEndian.Uint32(header))
	frame := buffer.View(size)
	if frame == nil {
		return nil, nil
	}
	buffer.Retrieve(size)
	return nil, frame[4:]
}

// benchPayload is the length of a message in bytes.
const benchPayload = 110

// benchSplit is benchFrames by Split.
type benchSplit struct{ benchFrames }

func (*benchSplit) Split(_ *Connection, data []byte) (n int, ctx any, payload []byte) {
	if len(data) < 4 {
		return 0, nil, nil
	}
	end := 4 + int(binary.BigEndian.Uint32(data))
	if len(data) < end {
		return 0, nil, nil
	}
	return end, nil, data[4:end]
}

func (f *benchFrames) OnMessage(_ *Connection, _ any, data []byte) any {
	f.bytes += len(data)
	return nil
}

// BenchmarkServeFrames is what the library adds to the system calls for one
// message, when a read brings hundreds: with a whole number of them in each
// read, and with a stream that each read cuts somewhere.
func BenchmarkServeFrames(b *testing.B) {
	frame := append(binary.BigEndian.AppendUint32(nil, benchPayload), make([]byte, benchPayload)...)
	for _, tt := range []struct {
		name string
		read func(p []byte, at int) int // fills p with the stream from at on
	}{
		{"whole", func(p []byte, _ int) int {
			n := 0
			for len(p)-n >= len(frame) {
				n += copy(p[n:], frame)
			}
			return n
		}},
		{"cut", func(p []byte, at int) int {
			n := copy(p, frame[at%len(frame):])
			for n < len(p) {
				n += copy(p[n:], frame)
			}
			return n
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			f := new(benchFrames)
			serveFrames(b, f, f, &f.bytes, tt.read)
		})
		b.Run(tt.name+",split", func(b *testing.B) {
			f := new(benchSplit)
			serveFrames(b, f, f, &f.bytes, tt.read)
		})
	}
}

// serveFrames serves one connection whose reads are done by read, and reports the
// time that a message takes.
func serveFrames(b *testing.B, h Handler, p Protocol, bytes *int, read func(p []byte, at int) int) {
	at := 0
	calls := func(c *sock.Calls) {
		c.Read = func(_ int, p []byte) (int, syscall.Errno) {
			n := read(p, at)
			at += n
			return n, 0
		}
		c.Accept = func(int) (int, netip.AddrPort, syscall.Errno) { return -1, netip.AddrPort{}, syscall.EAGAIN }
	}
	s, err := NewServer(h, Address("127.0.0.1:0"), NumLoops(1), CustomProtocol(p),
		Logger(slog.New(slog.NewTextHandler(io.Discard, nil))), func(o *Options) { o.testHooks.calls = calls })
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	c := &Connection{loop: s.loops[0], listener: s.listeners[0], fd: int32(sock.Reserve())}
	c.state.Store(open)
	c.watched = poller.Read
	for b.Loop() {
		(*socket)(c).OnReady(poller.Readable)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(*bytes/benchPayload), "ns/msg")
	_ = s.sys.Close(int(c.fd))
	c.dropInput()
}
