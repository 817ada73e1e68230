package sock_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/internal/sock"
	"golang.org/x/sys/unix"
)

// sockaddr is a socket address as the kernel writes it: the port big-endian.
func sockaddr(family uint16, addr string, port uint16, scope uint32) *unix.RawSockaddrInet6 {
	a := netip.MustParseAddr(addr)
	p := [2]byte{byte(port >> 8), byte(port)}
	if a.Is4() {
		sa := new(unix.RawSockaddrInet6)
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		sa4.Family, sa4.Addr = family, a.As4()
		sa4.Port = *(*uint16)(unsafe.Pointer(&p))
		return sa
	}
	return &unix.RawSockaddrInet6{Family: family, Addr: a.As16(), Port: *(*uint16)(unsafe.Pointer(&p)), Scope_id: scope}
}

func TestAddrPort(t *testing.T) {
	for _, tt := range []struct {
		sa   *unix.RawSockaddrInet6
		want string
	}{
		{sockaddr(unix.AF_INET, "192.0.2.1", 4711, 0), "192.0.2.1:4711"},
		{sockaddr(unix.AF_INET, "0.0.0.0", 0, 0), "0.0.0.0:0"},
		{sockaddr(unix.AF_INET6, "2001:db8::1", 65535, 0), "[2001:db8::1]:65535"},
		{sockaddr(unix.AF_INET6, "::ffff:192.0.2.1", 258, 0), "192.0.2.1:258"},
		{sockaddr(unix.AF_INET6, "fe80::1", 80, 2), "[fe80::1%2]:80"},
		{sockaddr(unix.AF_INET6, "fe80::1", 80, 1<<32-1), "[fe80::1%4294967295]:80"},
		{sockaddr(unix.AF_UNIX, "2001:db8::1", 1, 0), "invalid AddrPort"},
		{sockaddr(unix.AF_UNSPEC, "2001:db8::1", 1, 0), "invalid AddrPort"},
	} {
		if got := sock.AddrPort(tt.sa).String(); got != tt.want {
			t.Errorf("%v, want %v", got, tt.want)
		}
	}
}

// option is a socket option and its name.
type option struct {
	name         string
	level, which int
}

func (o option) get(t *testing.T, fd int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, o.level, o.which)
	if err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	return v
}

// TestListenOptions: each option is really set, on the listening socket and on
// those that it accepts; the others are as the system has them.
func TestListenOptions(t *testing.T) {
	var (
		reusePort    = option{"SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT}
		noDelay      = option{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY}
		keepAlive    = option{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE}
		keepIdle     = option{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}
		keepInterval = option{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}
		readBuffer   = option{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF}
		writeBuffer  = option{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF}
	)
	all := []option{reusePort, noDelay, keepAlive, keepIdle, keepInterval, readBuffer, writeBuffer}
	values := func(t *testing.T, c sock.ListenConfig) (listening, accepted map[option]int) {
		ln, addr := listen(t, "tcp", "127.0.0.1:0", c)
		dial(t, "tcp", addr.String())
		fd, _ := accept(t, ln)
		listening, accepted = map[option]int{}, map[option]int{}
		for _, o := range all {
			listening[o], accepted[o] = o.get(t, ln), o.get(t, fd)
		}
		protocol := option{"SO_PROTOCOL", unix.SOL_SOCKET, unix.SO_PROTOCOL}
		if got := protocol.get(t, ln); got != unix.IPPROTO_TCP {
			t.Errorf("protocol %d is not TCP", got)
		}
		return listening, accepted
	}
	none, noneAccepted := values(t, sock.ListenConfig{})
	if none[noDelay] != 0 || none[keepAlive] != 0 || none[reusePort] != 0 {
		t.Errorf("without any option: %v", none)
	}
	for _, tt := range []struct {
		name   string
		config sock.ListenConfig
		want   map[option]int
	}{
		{"ReusePort", sock.ListenConfig{ReusePort: true}, map[option]int{reusePort: 1}},
		{"NoDelay", sock.ListenConfig{NoDelay: true}, map[option]int{noDelay: 1}},
		{"KeepAlive", sock.ListenConfig{KeepAlive: 42 * time.Second}, map[option]int{keepAlive: 1, keepIdle: 42, keepInterval: 42}},
		{"KeepAlive rounds up", sock.ListenConfig{KeepAlive: 1001 * time.Millisecond}, map[option]int{keepAlive: 1, keepIdle: 2, keepInterval: 2}},
		{"KeepAlive below a second", sock.ListenConfig{KeepAlive: 1}, map[option]int{keepAlive: 1, keepIdle: 1, keepInterval: 1}},
		// The kernel doubles them, for its own needs: socket(7).
		{"ReadBuffer", sock.ListenConfig{ReadBuffer: 30000}, map[option]int{readBuffer: 60000}},
		{"WriteBuffer", sock.ListenConfig{WriteBuffer: 31000}, map[option]int{writeBuffer: 62000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listening, accepted := values(t, tt.config)
			for _, o := range all {
				want, set := tt.want[o]
				wantAccepted := want
				if !set {
					want, wantAccepted = none[o], noneAccepted[o]
				}
				if listening[o] != want {
					t.Errorf("%s is %d on the listening socket, want %d", o.name, listening[o], want)
				}
				if accepted[o] != wantAccepted && (set || o != readBuffer && o != writeBuffer) { // which the kernel adapts
					t.Errorf("%s is %d on an accepted socket, want %d", o.name, accepted[o], wantAccepted)
				}
			}
		})
	}
}

// TestListenOptionErrors: an option that the kernel refuses is named, and
// nothing is left open.
func TestListenOptionErrors(t *testing.T) {
	before := leaktest.Descriptors()
	for _, idle := range []time.Duration{40000 * time.Second, 1 << 62, 1<<63 - 1} {
		fd, addr, err := sock.Listen("tcp", "127.0.0.1:0", sock.ListenConfig{KeepAlive: idle})
		if fd != -1 || addr != nil || err == nil || !strings.Contains(err.Error(), "TCP_KEEPIDLE") {
			t.Errorf("keep-alive of %v: %d, %v, %v", idle, fd, addr, err)
		}
	}
	if after := leaktest.Descriptors(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestBacklog: TCP_INFO of a listening socket has its backlog; see tcp_diag in
// the kernel.
func TestBacklog(t *testing.T) {
	backlog := func(n int) uint32 {
		ln, _ := listen(t, "tcp", "127.0.0.1:0", sock.ListenConfig{Backlog: n})
		info, err := unix.GetsockoptTCPInfo(ln, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sacked
	}
	if got := backlog(3); got != 3 {
		t.Errorf("backlog %d, want 3", got)
	}
	if got := backlog(0); got <= 3 {
		t.Errorf("backlog %d, want the system's maximum", got)
	}
}

// TestReusePort: several listeners on one address.
func TestReusePort(t *testing.T) {
	_, addr := listen(t, "tcp", "127.0.0.1:0", sock.ListenConfig{ReusePort: true})
	_, again := listen(t, "tcp", addr.String(), sock.ListenConfig{ReusePort: true})
	if fmt.Sprint(addr) != fmt.Sprint(again) {
		t.Errorf("%v and %v", addr, again)
	}
}
