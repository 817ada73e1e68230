//go:build linux && !race

package websocket_test

import (
	"bytes"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
)

// bare connects with system calls alone, so that the client takes none of the heap.
func bare(t *testing.T, s *server) (fd int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	fail(t, err)
	addr := s.Addrs()[0].(*net.TCPAddr)
	fail(t, unix.Connect(fd, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}))
	if _, err := unix.Write(fd, []byte(good()+"\r\n")); err != nil {
		t.Fatal(err)
	}
	var reply [512]byte
	for n := 0; !bytes.HasSuffix(reply[:n], []byte("\r\n\r\n")); {
		m, err := unix.Read(fd, reply[n:])
		if n += m; err != nil || m == 0 {
			t.Fatalf("read %q, %v", reply[:n], err)
		}
	}
	receive(t, s.opened)
	return fd
}

// TestIdleMemory holds a connection that waits for a message to 600 bytes of the heap.
func TestIdleMemory(t *testing.T) {
	const n = 5000
	s := startOn(t, &handler{}, websocket.New(nil), weir.Linger(0))
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools hold goes with the second one
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	fds := make([]int, 0, n+1)
	fds = append(fds, bare(t, s)) // what the first one makes is shared by all
	before := used()
	eventually(t, "that goroutines of other tests have ended", func() bool {
		last := before
		before = used()
		return before <= last && last-before < 16<<10
	})
	for range n {
		fds = append(fds, bare(t, s))
	}
	each := float64(used()-before) / n
	t.Logf("%.0f bytes for each of %d connections", each, n)
	if each > 600 {
		t.Errorf("%.0f bytes for an idle connection, want 600 at most", each)
	}
	for _, fd := range fds {
		fail(t, unix.Close(fd))
	}
	for range fds {
		receive(t, s.ended)
	}
}
