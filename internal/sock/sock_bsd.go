//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package sock

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// System returns the system's own calls. They go through libc, as OpenBSD and
// macOS demand.
func System() Calls {
	return Calls{
		Read: read, Write: write, Writev: writev, Accept: accept,
		ShutdownWrite: shutdownWrite, Close: closeFD, Abort: abort,
		Error: socketError, Unacked: unacked, Unread: unread, LocalAddr: localAddr,
	}
}

func read(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Read(fd, p)
	return max(n, 0), errnoOf(err)
}

func write(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Write(fd, p)
	return max(n, 0), errnoOf(err)
}

func writev(fd int, v *Vector) (int, syscall.Errno) {
	sent := 0
	for _, p := range v.Slices() {
		n, errno := write(fd, p)
		sent += n
		if errno != 0 && sent == 0 {
			return 0, errno
		}
		if n < len(p) {
			break // an error behind bytes that were taken comes up again at the next write
		}
	}
	return sent, 0
}

// accept has no accept4(2) on every one of these systems, so a fork between
// the two calls can leak the descriptor into a child; syscall.ForkLock keeps
// Go's own forks out.
func accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	syscall.ForkLock.RLock()
	nfd, sa, err := unix.Accept(fd)
	if err == nil {
		unix.CloseOnExec(nfd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, netip.AddrPort{}, errnoOf(err)
	}
	if err := unix.SetNonblock(nfd, true); err != nil {
		_ = unix.Close(nfd) // the error to report is the first one
		return -1, netip.AddrPort{}, errnoOf(err)
	}
	return nfd, addrPort(sa), 0
}

func localAddr(fd int) (netip.AddrPort, syscall.Errno) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, errnoOf(err)
	}
	return addrPort(sa), 0
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 {
			addr = addr.WithZone(zone(sa.ZoneId))
		}
		return netip.AddrPortFrom(addr, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

func shutdownWrite(fd int) syscall.Errno { return errnoOf(unix.Shutdown(fd, unix.SHUT_WR)) }

func closeFD(fd int) syscall.Errno { return errnoOf(unix.Close(fd)) }

func abort(fd int) syscall.Errno {
	return errnoOf(unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
}

func socketError(fd int) syscall.Errno {
	v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return errnoOf(err)
	}
	return syscall.Errno(v)
}

// unacked: FIONWRITE and SO_NWRITE exist on some of these systems and mean
// different things; -1 makes a close wait for the peer's own end.
func unacked(int) int { return -1 }

// fionread is FIONREAD, _IOR('f', 127, int) on all of these systems. Package unix
// has it for none of them.
const fionread = 0x4004667f

func unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, fionread)
	if err != nil {
		return -1
	}
	return n
}
