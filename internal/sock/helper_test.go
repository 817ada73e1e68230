//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sock_test

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-weir/weir/internal/sock"
)

// patience is how long a test waits for what must happen. It is never the
// measure of anything.
const patience = 20 * time.Second

var sys = sock.System()

// listen makes a listening descriptor that lives as long as the test.
func listen(t testing.TB, network, address string, c sock.ListenConfig) (int, *net.TCPAddr) {
	t.Helper()
	fd, addr, err := sock.Listen(network, address, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeFD(t, fd) })
	return fd, addr
}

func closeFD(t testing.TB, fd int) {
	t.Helper()
	if errno := sys.Close(fd); errno != 0 {
		t.Errorf("close: %v", errno)
	}
}

// accept waits for a connection.
func accept(t testing.TB, fd int) (int, netip.AddrPort) {
	t.Helper()
	wait(t, fd, unix.POLLIN)
	conn, peer, errno := sys.Accept(fd)
	if errno != 0 {
		t.Fatalf("accept: %v", errno)
	}
	t.Cleanup(func() { closeFD(t, conn) })
	return conn, peer
}

// wait waits until fd is ready.
func wait(t testing.TB, fd int, events int16) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, int(patience/time.Millisecond))
		if n == 1 {
			return
		}
		if err != nil && err != unix.EINTR || time.Now().After(deadline) {
			t.Fatalf("poll: %d, %v", n, err)
		}
	}
}

// connect makes a connection: one end a descriptor, the other package net's.
func connect(t testing.TB, c sock.ListenConfig) (int, *net.TCPConn) {
	t.Helper()
	ln, addr := listen(t, "tcp", "127.0.0.1:0", c)
	peer := dial(t, "tcp", addr.String())
	fd, from := accept(t, ln)
	if from.String() != peer.LocalAddr().String() {
		t.Errorf("accept says that %v connected, it was %v", from, peer.LocalAddr())
	}
	return fd, peer
}

func dial(t testing.TB, network, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// fill writes until the system takes no more, and returns how much it took.
func fill(t testing.TB, fd int, write func() (int, syscall.Errno)) (total int, short bool) {
	t.Helper()
	for range 10000 {
		n, errno := write()
		total += n
		switch {
		case errno == syscall.EAGAIN && n == 0:
			return total, short
		case errno != 0:
			t.Fatalf("write: %d, %v", n, errno)
		}
	}
	t.Fatal("the system takes everything")
	return 0, false
}

// expectBytes reads n bytes from peer and checks that they go on as pattern
// does.
func expectBytes(t testing.TB, peer io.Reader, n int) {
	t.Helper()
	got := make([]byte, n)
	if _, err := io.ReadFull(peer, got); err != nil {
		t.Fatal(err)
	}
	for i, b := range got {
		if b != pattern(i) {
			t.Fatalf("byte %d of %d is %d, want %d", i, n, b, pattern(i))
		}
	}
}

func pattern(i int) byte { return byte(i*31) ^ byte(i>>8) }

// bytesOf is the pattern from offset on.
func bytesOf(offset, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = pattern(offset + i)
	}
	return p
}
