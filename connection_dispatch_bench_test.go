package weir

import (
	"io"
	"log/slog"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

type benchHandler struct{}

func (benchHandler) OnConnect(*Connection) {}
func (benchHandler) OnClose(*Connection)   {}
func (benchHandler) OnMessage(c *Connection, _ any, data []byte) any {
	_, _ = c.Write(data)
	return nil
}

// BenchmarkServe is what the library adds to the system calls: one wake-up of
// one connection, with a system that takes no time.
func BenchmarkServe(b *testing.B) {
	for _, tt := range []struct {
		name string
		size int
		idle time.Duration
	}{
		{"64B", 64, 0},
		{"64B,idle", 64, time.Minute},
		{"4KiB", 4096, 0},
	} {
		b.Run(tt.name, func(b *testing.B) {
			calls := func(c *sock.Calls) {
				c.Read = func(_ int, p []byte) (int, syscall.Errno) { return tt.size, 0 }
				c.Write = func(_ int, p []byte) (int, syscall.Errno) { return len(p), 0 }
				c.Accept = func(int) (int, netip.AddrPort, syscall.Errno) { return -1, netip.AddrPort{}, syscall.EAGAIN }
			}
			s, err := NewServer(benchHandler{}, Address("127.0.0.1:0"), NumLoops(1), IdleTime(tt.idle),
				Logger(slog.New(slog.NewTextHandler(io.Discard, nil))), func(o *Options) { o.testHooks.calls = calls })
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Stop() }()
			l := s.loops[0]
			c := &Connection{loop: l, fd: int32(sock.Reserve()), idleTime: tt.idle}
			c.state.Store(open)
			c.watched = poller.Read
			if tt.idle > 0 {
				c.track()
			}
			b.ReportAllocs()
			for b.Loop() {
				(*socket)(c).OnReady(poller.Readable)
				l.stampProgress()
			}
			_ = s.sys.Close(int(c.fd))
		})
	}
}

// BenchmarkAfterCycle is what a cycle costs that has nothing to settle: its
// counts are published.
func BenchmarkAfterCycle(b *testing.B) {
	s, err := NewServer(benchHandler{}, Address("127.0.0.1:0"), NumLoops(1))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	b.ReportAllocs()
	for b.Loop() {
		s.loops[0].afterCycle()
	}
}
