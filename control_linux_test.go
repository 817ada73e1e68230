package weir_test

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"golang.org/x/sys/unix"
)

// withFD calls f for the descriptor: to read or set one of a socket's options.
func withFD(c syscall.RawConn, f func(fd int) error) error {
	var inner error
	return errors.Join(c.Control(func(fd uintptr) { inner = f(int(fd)) }), inner)
}

// TestControl: the program's options are set on listening sockets after the server's own,
// which connections inherit, and on accepted ones before OnConnect.
func TestControl(t *testing.T) {
	var listening, peer string
	noDelay := make(chan int, 1)
	s := start(t, &handler{message: echo, connect: func(c *weir.Connection) {
		raw, err := c.SyscallConn()
		fail(t, err)
		fail(t, withFD(raw, func(fd int) error {
			n, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
			noDelay <- n
			priority, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY)
			if priority != 4 {
				t.Errorf("SO_PRIORITY is %d", priority)
			}
			return err
		}))
	}}, weir.Control(func(network, address string, c syscall.RawConn) error {
		listening = network + " " + address
		return withFD(c, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 0) })
	}), weir.ControlAccepted(func(_, address string, c syscall.RawConn) error {
		peer = address
		return withFD(c, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, 4) })
	}))
	c := dial(t, s)
	send(t, c, "hello")
	expect(t, c, "hello")
	if n := receive(t, noDelay); n != 0 {
		t.Errorf("TCP_NODELAY is %d, Control has set 0", n)
	}
	if listening != "tcp4 127.0.0.1:0" || peer != c.LocalAddr().String() {
		t.Errorf("called for %q and %q", listening, peer)
	}
}

// TestControlFails: an error of Control is NewServer's; one of ControlAccepted, or a panic,
// refuses that connection and no other.
func TestControlFails(t *testing.T) {
	no := errors.New("no")
	_, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"),
		weir.Control(func(string, string, syscall.RawConn) error { return no }))
	if !errors.Is(err, no) {
		t.Errorf("NewServer: %v", err)
	}
	calls := 0
	s := start(t, &handler{message: echo}, quiet(), weir.ControlAccepted(func(string, string, syscall.RawConn) error {
		switch calls++; calls {
		case 1:
			return no
		case 2:
			panic("no")
		case 3:
			runtime.Goexit()
		}
		return nil
	}))
	for range 3 {
		expectRefused(t, dial(t, s))
	}
	expectEcho(t, s, "hello")
	eventually(t, "all is counted", func() bool {
		st := s.Stats()
		return st.Refused.Other == 3 && st.Opened == 1 && st.Panics == 2 && st.Open == 0
	})
}

// TestSyscallConn: it works from any goroutine until the connection has ended.
func TestSyscallConn(t *testing.T) {
	p := startPair(t, &handler{message: echo})
	raw, err := p.conn.SyscallConn()
	fail(t, err)
	fail(t, withFD(raw, func(fd int) error {
		_, err := unix.Getpeername(fd)
		return err
	}))
	for _, f := range []func(func(uintptr) bool) error{raw.Read, raw.Write} {
		if err := f(func(uintptr) bool { return true }); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Read or Write: %v", err)
		}
	}
	fail(t, p.peer.Close())
	for receive(t, p.ended) != p.conn {
	}
	if err := raw.Control(func(uintptr) { t.Error("called after the end") }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestListenerOfConnection: it says by which address a connection came, with either kind
// of listener.
func TestListenerOfConnection(t *testing.T) {
	for _, perLoop := range []bool{false, true} {
		h := &handler{}
		begun, _ := observe(h)
		s := start(t, h, weir.Address("127.0.0.1:0", "127.0.0.1:0", "127.0.0.2:0"), weir.NumLoops(3), weir.ListenerPerLoop(perLoop))
		if len(s.Addrs()) != 3 {
			t.Fatalf("Addrs: %v", s.Addrs())
		}
		for want, addr := range s.Addrs() {
			for range 4 {
				dialTo(t, addr.String())
				index, got := receive(t, begun).Listener()
				if index != want || got.String() != addr.String() || !strings.Contains(got.Network(), "tcp") {
					t.Errorf("a connection by %v says %d, %v", addr, index, got)
				}
			}
		}
	}
}
