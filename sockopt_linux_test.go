package weir_test

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-weir/weir"
)

// find returns the process's descriptors for which is holds.
func find(t *testing.T, is func(fd int) bool) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && is(fd) {
			found = append(found, fd)
		}
	}
	return found
}

// portOf is the port of an IPv4 socket address; 0 for another.
func portOf(sa unix.Sockaddr, err error) int {
	if in, ok := sa.(*unix.SockaddrInet4); ok && err == nil {
		return in.Port
	}
	return 0
}

func sockopt(t *testing.T, fd, level, option int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, level, option)
	if err != nil {
		t.Error(err)
	}
	return v
}

// TestSocketOptions: what was asked for is set on the connections' descriptors.
func TestSocketOptions(t *testing.T) {
	for _, tt := range []struct {
		name           string
		opts           []weir.Option
		noDelay        int
		keepAlive      int
		seconds        int // between probes
		receive, queue int // buffers; 0: not looked at
	}{
		{"default", nil, 1, 1, 15, 0, 0},
		{"off", []weir.Option{weir.NoDelay(false), weir.KeepAlive(0)}, 0, 0, 0, 0, 0},
		{"whole seconds", []weir.Option{weir.KeepAlive(1001 * time.Millisecond)}, 1, 1, 2, 0, 0},
		// The system gives twice as much, for its own needs: socket(7).
		{"buffers", []weir.Option{weir.SocketReadBuffer(20_000), weir.SocketWriteBuffer(30_000)}, 1, 1, 15, 40_000, 60_000},
		{"a listener per loop", []weir.Option{weir.ListenerPerLoop(true), weir.NumLoops(2)}, 1, 1, 15, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, &handler{message: echo}, tt.opts...)
			c := dial(t, s)
			send(t, c, "hello")
			expect(t, c, "hello")
			own := c.LocalAddr().(*net.TCPAddr).Port
			fds := find(t, func(fd int) bool { return portOf(unix.Getpeername(fd)) == own })
			if len(fds) != 1 {
				t.Fatalf("the server has %d descriptors for the connection", len(fds))
			}
			fd := fds[0]
			if got := sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); got != tt.noDelay {
				t.Errorf("TCP_NODELAY is %d, want %d", got, tt.noDelay)
			}
			if got := sockopt(t, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); got != tt.keepAlive {
				t.Errorf("SO_KEEPALIVE is %d, want %d", got, tt.keepAlive)
			}
			if tt.keepAlive == 1 {
				idle := sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
				interval := sockopt(t, fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)
				if idle != tt.seconds || interval != tt.seconds {
					t.Errorf("TCP_KEEPIDLE is %d, TCP_KEEPINTVL %d, want %d", idle, interval, tt.seconds)
				}
			}
			if got := sockopt(t, fd, unix.SOL_SOCKET, unix.SO_RCVBUF); tt.receive > 0 && got != tt.receive {
				t.Errorf("SO_RCVBUF is %d, want %d", got, tt.receive)
			}
			if got := sockopt(t, fd, unix.SOL_SOCKET, unix.SO_SNDBUF); tt.queue > 0 && got != tt.queue {
				t.Errorf("SO_SNDBUF is %d, want %d", got, tt.queue)
			}
			checkFlags(t, fd)
		})
	}
}

// checkFlags: the server's descriptors never block, and no other program
// inherits them.
func checkFlags(t *testing.T, fd int) {
	t.Helper()
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("flags %#x, %v: it can block", flags, err)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v: it stays open over exec", flags, err)
	}
}

func TestBacklog(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[int]int{0: most, 1: 1, 7: 7, most + 1: most} {
		for _, reuse := range []bool{false, true} {
			s := start(t, &handler{}, weir.Backlog(asked), weir.NumLoops(2), weir.ListenerPerLoop(reuse))
			port := s.Addrs()[0].(*net.TCPAddr).Port
			fds := find(t, func(fd int) bool {
				listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
				return err == nil && listening == 1 && portOf(unix.Getsockname(fd)) == port
			})
			listeners := 1
			if reuse {
				listeners = 2
			}
			if len(fds) != listeners {
				t.Errorf("reuseport=%v: %d listeners, want %d", reuse, len(fds), listeners)
			}
			for _, fd := range fds {
				info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
				if err != nil {
					t.Fatal(err)
				}
				if got := int(info.Sacked); got != want { // tcp_get_info says it there for a listener
					t.Errorf("asked for %d: the backlog is %d, want %d", asked, got, want)
				}
				checkFlags(t, fd)
			}
		}
	}
}
