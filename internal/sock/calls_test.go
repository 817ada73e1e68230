//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sock_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/internal/sock"
	"golang.org/x/sys/unix"
)

func TestRead(t *testing.T) {
	fd, peer := connect(t, sock.ListenConfig{})
	buf := make([]byte, 8)
	if n, errno := sys.Read(fd, buf); n != 0 || errno != syscall.EAGAIN {
		t.Fatalf("nothing to read: %d, %v", n, errno)
	}
	if _, err := peer.Write([]byte("hello, world")); err != nil {
		t.Fatal(err)
	}
	wait(t, fd, unix.POLLIN)
	for _, want := range []string{"hello, w", "orld"} {
		if n := sys.Unread(fd); n < len(want) {
			t.Errorf("%d bytes to read, want at least %d", n, len(want))
		}
		n, errno := sys.Read(fd, buf)
		if string(buf[:n]) != want || errno != 0 {
			t.Fatalf("read %q, %v; want %q", buf[:n], errno, want)
		}
	}
	if n := sys.Unread(fd); n != 0 {
		t.Errorf("%d bytes to read when all is read", n)
	}
	if n, errno := sys.Read(fd, nil); n != 0 || errno != 0 && errno != syscall.EAGAIN {
		t.Errorf("no room to read: %d, %v", n, errno)
	}
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wait(t, fd, unix.POLLIN)
	for range 2 {
		if n, errno := sys.Read(fd, buf); n != 0 || errno != 0 {
			t.Fatalf("at the end: %d, %v", n, errno)
		}
	}
}

// TestLongRead: below the raw limit and above it.
func TestLongRead(t *testing.T) {
	for _, size := range []int{sock.RawLimit, sock.RawLimit + 1, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			fd, peer := connect(t, sock.ListenConfig{})
			want := bytesOf(0, 100_000)
			go func() { _, _ = peer.Write(want) }() // what is missing shows
			var got []byte
			for buf := make([]byte, size); len(got) < len(want); {
				wait(t, fd, unix.POLLIN)
				n, errno := sys.Read(fd, buf)
				if n <= 0 || errno != 0 {
					t.Fatalf("read %d, %v", n, errno)
				}
				got = append(got, buf[:n]...)
			}
			if !bytes.Equal(got, want) {
				t.Error("read other bytes than were written")
			}
			if n, errno := sys.Read(fd, make([]byte, size)); n != 0 || errno != syscall.EAGAIN {
				t.Errorf("nothing to read: %d, %v", n, errno)
			}
		})
	}
}

// TestReset: what a reset by the peer looks like, to each call that may be the
// first to hear of it.
func TestReset(t *testing.T) {
	reset := func(t *testing.T) int {
		fd, peer := connect(t, sock.ListenConfig{})
		if err := peer.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		wait(t, fd, unix.POLLIN)
		return fd
	}
	t.Run("Read", func(t *testing.T) {
		if n, errno := sys.Read(reset(t), make([]byte, 1)); n != 0 || errno != syscall.ECONNRESET {
			t.Errorf("%d, %v", n, errno)
		}
	})
	t.Run("Error", func(t *testing.T) {
		fd := reset(t)
		if errno := sys.Error(fd); errno != syscall.ECONNRESET {
			t.Errorf("%v", errno)
		}
		if errno := sys.Error(fd); errno != 0 {
			t.Errorf("the error is not cleared: %v", errno)
		}
		if n, errno := sys.Write(fd, []byte("x")); n != 0 || errno != syscall.EPIPE { // and no SIGPIPE
			t.Errorf("write after the error was taken: %d, %v", n, errno)
		}
	})
	t.Run("Write", func(t *testing.T) {
		if n, errno := sys.Write(reset(t), []byte("x")); n != 0 || errno != syscall.ECONNRESET && errno != syscall.EPIPE {
			t.Errorf("%d, %v", n, errno)
		}
	})
	t.Run("Writev", func(t *testing.T) {
		var v sock.Vector
		v.Append([]byte("x"))
		if n, errno := sys.Writev(reset(t), &v); n != 0 || errno != syscall.ECONNRESET && errno != syscall.EPIPE {
			t.Errorf("%d, %v", n, errno)
		}
	})
}

// TestWrite: below the raw limit and above it, whole, in part and not at all.
func TestWrite(t *testing.T) {
	for _, size := range []int{100, 1000, sock.RawLimit, sock.RawLimit + 1, 16 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			fd, peer := connect(t, sock.ListenConfig{WriteBuffer: 32 << 10, ReadBuffer: 4 << 10})
			sent := 0
			fill(t, fd, func() (int, syscall.Errno) {
				n, errno := sys.Write(fd, bytesOf(sent, size))
				if n == 0 && errno == 0 || n > size {
					t.Fatalf("wrote %d of %d bytes", n, size)
				}
				sent += n
				return n, errno
			})
			if size == 16<<20 && sent >= size {
				t.Fatalf("all of %d bytes was taken", size)
			}
			expectBytes(t, peer, sent)
		})
	}
}

func TestWritev(t *testing.T) {
	for _, tt := range []struct{ slices, size int }{
		{1, 100},
		{3, 100},
		{sock.MaxVector, 2},
		{sock.MaxVector, 1000},
		{sock.MaxVector, sock.RawLimit},
		{2, 8 << 20},
	} {
		t.Run(fmt.Sprintf("%dx%d", tt.slices, tt.size), func(t *testing.T) {
			fd, peer := connect(t, sock.ListenConfig{WriteBuffer: 32 << 10, ReadBuffer: 4 << 10})
			var v sock.Vector
			sent := 0
			fill(t, fd, func() (int, syscall.Errno) {
				v.Reset()
				for i := range tt.slices {
					v.Append(bytesOf(sent+i*tt.size, tt.size))
				}
				n, errno := sys.Writev(fd, &v)
				if n == 0 && errno == 0 || n > v.Size() {
					t.Fatalf("wrote %d of %d bytes", n, v.Size())
				}
				sent += n
				return n, errno
			})
			expectBytes(t, peer, sent)
		})
	}
}

// TestBadDescriptor: each call says so, and none returns a count with it.
func TestBadDescriptor(t *testing.T) {
	var v sock.Vector
	v.Append([]byte("x"))
	if n, errno := sys.Read(-1, make([]byte, 1)); n != 0 || errno != syscall.EBADF {
		t.Errorf("Read: %d, %v", n, errno)
	}
	if n, errno := sys.Write(-1, []byte("x")); n != 0 || errno != syscall.EBADF {
		t.Errorf("Write: %d, %v", n, errno)
	}
	if n, errno := sys.Writev(-1, &v); n != 0 || errno != syscall.EBADF {
		t.Errorf("Writev: %d, %v", n, errno)
	}
	if fd, peer, errno := sys.Accept(-1); fd != -1 || peer.IsValid() || errno != syscall.EBADF {
		t.Errorf("Accept: %d, %v, %v", fd, peer, errno)
	}
	if addr, errno := sys.LocalAddr(-1); addr.IsValid() || errno != syscall.EBADF {
		t.Errorf("LocalAddr: %v, %v", addr, errno)
	}
	if n := sys.Unacked(-1); n != -1 {
		t.Errorf("Unacked: %d", n)
	}
	if n := sys.Unread(-1); n != -1 {
		t.Errorf("Unread: %d", n)
	}
	for name, call := range map[string]func(int) syscall.Errno{
		"ShutdownWrite": sys.ShutdownWrite, "Close": sys.Close, "Error": sys.Error,
	} {
		if errno := call(-1); errno != syscall.EBADF {
			t.Errorf("%s: %v", name, errno)
		}
	}
}

func TestShutdownWrite(t *testing.T) {
	fd, peer := connect(t, sock.ListenConfig{})
	if n, errno := sys.Write(fd, []byte("last words")); n != 10 || errno != 0 {
		t.Fatalf("write: %d, %v", n, errno)
	}
	if errno := sys.ShutdownWrite(fd); errno != 0 {
		t.Fatal(errno)
	}
	if got, err := io.ReadAll(peer); string(got) != "last words" || err != nil {
		t.Errorf("the peer reads %q, %v", got, err)
	}
	if n, errno := sys.Write(fd, []byte("x")); n != 0 || errno != syscall.EPIPE {
		t.Errorf("write after it: %d, %v", n, errno)
	}
	if _, err := peer.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	wait(t, fd, unix.POLLIN)
	buf := make([]byte, 10)
	if n, errno := sys.Read(fd, buf); string(buf[:n]) != "answer" || errno != 0 {
		t.Errorf("read after it: %q, %v", buf[:n], errno)
	}
	unconnected, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(t, unconnected)
	if errno := sys.ShutdownWrite(unconnected); errno != syscall.ENOTCONN {
		t.Errorf("of a socket that isn't connected: %v", errno)
	}
}

// TestAddresses: who connected and to what, by every kind of address.
func TestAddresses(t *testing.T) {
	for _, tt := range []struct{ network, listen, dial string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"tcp", "127.0.0.1:0", "127.0.0.1"},
		{"tcp", "0.0.0.0:0", "127.0.0.1"},
		{"tcp6", "[::1]:0", "::1"},
		{"tcp", "[::]:0", "::1"},
		{"tcp", ":0", "127.0.0.1"}, // comes as ::ffff:127.0.0.1 where one socket serves both
	} {
		t.Run(tt.network+" "+tt.listen+" "+tt.dial, func(t *testing.T) {
			if strings.Contains(tt.dial, ":") {
				requireIPv6(t)
			}
			ln, addr := listen(t, tt.network, tt.listen, sock.ListenConfig{})
			if local, errno := sys.LocalAddr(ln); errno != 0 || int(local.Port()) != addr.Port {
				t.Errorf("the listener's LocalAddr is %v, %v; Listen says %v", local, errno, addr)
			}
			peer := dial(t, "tcp", net.JoinHostPort(tt.dial, fmt.Sprint(addr.Port)))
			fd, from := accept(t, ln)
			if want := peer.LocalAddr().(*net.TCPAddr).AddrPort(); from != want {
				t.Errorf("accepted %v, want %v", from, want)
			}
			to, errno := sys.LocalAddr(fd)
			if want := peer.RemoteAddr().(*net.TCPAddr).AddrPort(); errno != 0 || to != want {
				t.Errorf("LocalAddr is %v, %v; want %v", to, errno, want)
			}
			if from.Addr().Is4In6() || to.Addr().Is4In6() {
				t.Errorf("an IPv4 address shows as IPv6: %v, %v", from, to)
			}
		})
	}
}

// TestLinkLocal: the zone of a link-local address is part of it.
func TestLinkLocal(t *testing.T) {
	addr, zone := linkLocal(t)
	ln, bound := listen(t, "tcp6", net.JoinHostPort(addr.String()+"%"+zone.Name, "0"), sock.ListenConfig{})
	peer := dial(t, "tcp6", bound.String())
	_, from := accept(t, ln)
	want := netip.AddrPortFrom(addr.WithZone(fmt.Sprint(zone.Index)), uint16(peer.LocalAddr().(*net.TCPAddr).Port))
	if from != want {
		t.Errorf("accepted %v, want %v", from, want)
	}
	dial(t, "tcp6", net.JoinHostPort(from.Addr().String(), fmt.Sprint(bound.Port))) // the number is good for package net
}

func linkLocal(t *testing.T) (netip.Addr, net.Interface) {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Skip(err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
				return p.Addr().WithZone(""), i
			}
		}
	}
	t.Skip("no interface has a link-local address")
	panic("unreachable")
}

func requireIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	_ = ln.Close()
}

// TestAccept: no waiting, and descriptors that don't block and are not
// inherited.
func TestAccept(t *testing.T) {
	ln, addr := listen(t, "tcp", "127.0.0.1:0", sock.ListenConfig{})
	if fd, _, errno := sys.Accept(ln); fd != -1 || errno != syscall.EAGAIN {
		t.Fatalf("nobody has connected: %d, %v", fd, errno)
	}
	dial(t, "tcp", addr.String())
	fd, _ := accept(t, ln)
	for name, fd := range map[string]int{"listening": ln, "accepted": fd} {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("the %s socket has flags %#x, %v: it blocks", name, flags, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("the %s socket has flags %#x, %v: a child inherits it", name, flags, err)
		}
	}
}

// TestUnacked: everything that was written and not acknowledged counts.
func TestUnacked(t *testing.T) {
	fd, peer := connect(t, sock.ListenConfig{WriteBuffer: 32 << 10})
	if sys.Unacked(fd) < 0 && runtime.GOOS != "linux" {
		t.Skip("the system does not say")
	}
	if n := sys.Unacked(fd); n != 0 {
		t.Errorf("%d bytes before any", n)
	}
	sent, _ := fill(t, fd, func() (int, syscall.Errno) { return sys.Write(fd, make([]byte, 64<<10)) })
	if n := sys.Unacked(fd); n <= 0 || n > sent {
		t.Errorf("%d bytes of %d", n, sent)
	}
	if _, err := io.ReadFull(peer, make([]byte, sent)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); sys.Unacked(fd) != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes after the peer has read all", sys.Unacked(fd))
		}
	}
}

func TestListenErrors(t *testing.T) {
	before := leaktest.Descriptors()
	_, addr := listen(t, "tcp", "127.0.0.1:0", sock.ListenConfig{})
	for _, tt := range []struct {
		name, network, address string
		config                 sock.ListenConfig
		want                   string
	}{
		{"in use", "tcp", addr.String(), sock.ListenConfig{}, "address already in use"},
		{"no address", "tcp", "127.0.0.1", sock.ListenConfig{}, "missing port"},
		{"another network", "unix", t.TempDir() + "/s", sock.ListenConfig{}, "not a TCP address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fd, got, err := sock.Listen(tt.network, tt.address, tt.config)
			if fd != -1 || got != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d, %v, %v; want an error with %q", fd, got, err, tt.want)
			}
		})
	}
	if after := leaktest.Descriptors(); after != before+1 {
		t.Errorf("%d descriptors before, %d after", before, after-1)
	}
}

func TestReserve(t *testing.T) {
	fd := sock.Reserve()
	if fd < 0 {
		t.Fatal("no descriptor")
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v: a child inherits it", flags, err)
	}
	closeFD(t, fd)
}

func TestVector(t *testing.T) {
	var v sock.Vector
	for range 2 {
		if v.Size() != 0 || len(v.Slices()) != 0 {
			t.Fatalf("%d bytes in %d slices before any", v.Size(), len(v.Slices()))
		}
		for i := range sock.MaxVector {
			if !v.Append(bytesOf(i, i+1)) {
				t.Fatalf("full with %d slices", i)
			}
		}
		if v.Append([]byte("x")) {
			t.Error("takes more than MaxVector slices")
		}
		slices := v.Slices()
		if len(slices) != sock.MaxVector || v.Size() != sock.MaxVector*(sock.MaxVector+1)/2 {
			t.Errorf("%d bytes in %d slices", v.Size(), len(slices))
		}
		for i, p := range slices {
			if len(p) != i+1 || p[0] != pattern(i) {
				t.Errorf("slice %d is %v", i, p)
			}
		}
		v.Reset()
		for i, p := range slices {
			if p != nil {
				t.Errorf("slice %d is still referred to after Reset", i)
			}
		}
	}
}

func TestTemporary(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		0: false, syscall.EAGAIN: true, syscall.EINTR: true,
		syscall.EPIPE: false, syscall.ECONNRESET: false, syscall.ENOBUFS: false,
	} {
		if got := sock.Temporary(errno); got != want {
			t.Errorf("Temporary(%v) is %v", errno, got)
		}
	}
}

func TestErrnoOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want syscall.Errno
	}{
		{nil, 0},
		{syscall.EPIPE, syscall.EPIPE},
		{os.NewSyscallError("write", syscall.EPIPE), syscall.EPIPE},
		{errors.New("something else"), syscall.EIO},
	} {
		if got := sock.ErrnoOf(tt.err); got != tt.want {
			t.Errorf("of %v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

// TestCallsAllocateNothing holds for those on the hot path.
func TestCallsAllocateNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("package unix, through libc, allocates")
	}
	fd, peer := connect(t, sock.ListenConfig{})
	type plain struct{ io.ReadWriter }                       // without splice(2), which keeps a pipe
	go func() { _, _ = io.Copy(plain{peer}, plain{peer}) }() // until the test ends
	p := bytesOf(0, 100)
	var v sock.Vector
	buf := make([]byte, 4096)
	if n := testing.AllocsPerRun(20, func() {
		v.Reset()
		v.Append(p)
		v.Append(p)
		if _, errno := sys.Write(fd, p); errno != 0 {
			t.Fatal(errno)
		}
		if _, errno := sys.Writev(fd, &v); errno != 0 {
			t.Fatal(errno)
		}
		for got := 0; got < 300; {
			n, errno := sys.Read(fd, buf)
			if errno != 0 && !sock.Temporary(errno) {
				t.Fatal(errno)
			}
			got += n
			sys.Unacked(fd)
			if sys.Error(fd) != 0 {
				t.Fatal("an error is pending")
			}
			runtime.Gosched()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
