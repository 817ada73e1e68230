package sock

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System returns the system's own calls.
//
// They go through RawSyscall: a non-blocking call returns at once, and telling
// the scheduler about it costs a fifth of the throughput of a small echo.
func System() Calls {
	return Calls{
		Read: read, Write: write, Writev: writev, Accept: accept,
		ShutdownWrite: shutdownWrite, Close: closeFD, Abort: abort,
		Error: socketError, Unacked: unacked, Unread: unread, LocalAddr: localAddr,
	}
}

// read and write are recv(2) and send(2): on a socket the same as read(2) and
// write(2), without the way through the file system layer, which costs a small
// echo 2 to 3 %. They call package syscall, as the call of package unix of the
// same name is one more hop.
func read(fd int, p []byte) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if len(p) <= RawLimit {
		n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	}
	return result(n, errno)
}

func write(fd int, p []byte) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if len(p) <= RawLimit {
		n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	}
	return result(n, errno)
}

func writev(fd int, v *Vector) (int, syscall.Errno) {
	var iov [MaxVector]unix.Iovec
	for i, p := range v.Slices() {
		iov[i].Base = unsafe.SliceData(p)
		iov[i].SetLen(len(p))
	}
	var n uintptr
	var errno syscall.Errno
	if v.size <= RawLimit {
		n, _, errno = unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd),
			uintptr(unsafe.Pointer(&iov)), uintptr(v.n))
	} else {
		n, _, errno = unix.Syscall(unix.SYS_WRITEV, uintptr(fd),
			uintptr(unsafe.Pointer(&iov)), uintptr(v.n))
	}
	return result(n, errno)
}

// result keeps the -1 of a failed call from being taken for a count.
func result(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	var sa unix.RawSockaddrInet6 // the longer of the two that can come
	size := uint32(unsafe.Sizeof(sa))
	nfd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd),
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, netip.AddrPort{}, errno
	}
	return int(nfd), addrPort(&sa), 0
}

func localAddr(fd int) (netip.AddrPort, syscall.Errno) {
	var sa unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(sa))
	_, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return netip.AddrPort{}, errno
	}
	return addrPort(&sa), 0
}

// addrPort reads an ip(7) or ipv6(7) socket address. Ports are big-endian; an
// IPv4 address that came through an IPv6 socket is shown as IPv4.
func addrPort(sa *unix.RawSockaddrInet6) netip.AddrPort {
	if sa.Family == unix.AF_INET {
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), hostOrder(sa4.Port))
	}
	if sa.Family != unix.AF_INET6 {
		return netip.AddrPort{}
	}
	addr := netip.AddrFrom16(sa.Addr).Unmap()
	if sa.Scope_id != 0 {
		addr = addr.WithZone(zone(sa.Scope_id))
	}
	return netip.AddrPortFrom(addr, hostOrder(sa.Port))
}

// hostOrder turns a port as it stands in memory, big-endian, into a number.
func hostOrder(port uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&port))[:])
}

func shutdownWrite(fd int) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
	return errno
}

// closeFD may free megabytes of socket buffers, so the scheduler is told.
func closeFD(fd int) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return errno
}

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

func unacked(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return -1
	}
	return n
}

func unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
	if err != nil {
		return -1
	}
	return n
}
