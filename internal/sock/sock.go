// Package sock is the edge to the system: the calls that listeners and
// connections make on non-blocking sockets, and nothing that decides anything.
//
// The calls stand in a table, so that a test can put a fault in front of any
// of them. They return the bare errno (0: success): on the hot path an
// interface value is never made, and the caller sees EAGAIN, EINTR and the
// rest as the kernel said them.
package sock

import (
	"errors"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// RawLimit is the size in bytes up to which a read or a write keeps its P: longer
// ones tell the scheduler, which may then run other goroutines meanwhile.
const RawLimit = 64 << 10

// Calls is the table of system calls. All descriptors are non-blocking, and
// no call waits.
type Calls struct {
	// Read is read(2). 0 bytes without an errno is the end of the stream.
	Read func(fd int, p []byte) (int, syscall.Errno)
	// Write is write(2).
	Write func(fd int, p []byte) (int, syscall.Errno)
	// Writev is writev(2), or successive writes where the system has no
	// such call; fewer bytes than given were then taken by the last one.
	Writev func(fd int, v *Vector) (int, syscall.Errno)
	// Accept is accept4(2): the new descriptor is non-blocking and closed
	// on exec.
	Accept func(fd int) (int, netip.AddrPort, syscall.Errno)
	// ShutdownWrite is shutdown(2) with SHUT_WR: the peer reads the end of
	// the stream after all that was written.
	ShutdownWrite func(fd int) syscall.Errno
	// Close is close(2). The descriptor is gone whatever it returns.
	Close func(fd int) syscall.Errno
	// Abort makes Close reset the connection (SO_LINGER with time 0, see
	// socket(7)), instead of ending the stream as if it were complete.
	Abort func(fd int) syscall.Errno
	// Error is SO_ERROR: the error pending on the socket, which it clears.
	Error func(fd int) syscall.Errno
	// Unacked is the number of bytes written that the peer's system has not
	// yet acknowledged (SIOCOUTQ in tcp(7)); -1 where the system can't say.
	Unacked func(fd int) int
	// Unread is the number of bytes received that a Read would find now
	// (SIOCINQ in tcp(7), FIONREAD elsewhere); -1 if the system can't say.
	Unread func(fd int) int
	// LocalAddr is getsockname(2).
	LocalAddr func(fd int) (netip.AddrPort, syscall.Errno)
}

// Temporary reports whether errno says "not now" and not "never": the call is
// made again when the descriptor is ready.
func Temporary(errno syscall.Errno) bool {
	return errno == syscall.EAGAIN || errno == syscall.EINTR
}

// MaxVector is the number of slices that one Vector holds.
const MaxVector = 64

// Vector is a list of byte slices for one Writev. The zero value is empty.
type Vector struct {
	bufs [MaxVector][]byte
	n    int
	size int
}

// Reset empties v and drops its references.
func (v *Vector) Reset() {
	clear(v.bufs[:v.n])
	v.n, v.size = 0, 0
}

// Append adds p, which must not be empty and is referenced until Reset. It
// reports false, and adds nothing, when v is full.
func (v *Vector) Append(p []byte) bool {
	if v.n == MaxVector {
		return false
	}
	v.bufs[v.n] = p
	v.n++
	v.size += len(p)
	return true
}

// Slices are the slices in v.
func (v *Vector) Slices() [][]byte { return v.bufs[:v.n] }

// Size is the number of bytes in v.
func (v *Vector) Size() int { return v.size }

// zone names the scope of a link-local address by its number, which both the
// kernel and net.Dial take, and which needs no look-up.
func zone(scope uint32) string { return strconv.FormatUint(uint64(scope), 10) }

// errnoOf is the errno inside an error of package unix; EIO for one that has
// none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &errno):
		return errno
	default:
		return syscall.EIO
	}
}

// ListenConfig says how Listen makes a listening socket.
type ListenConfig struct {
	ReusePort   bool          // SO_REUSEPORT
	NoDelay     bool          // TCP_NODELAY
	KeepAlive   time.Duration // TCP_KEEPIDLE and TCP_KEEPINTVL; 0: no keep-alive
	ReadBuffer  int           // SO_RCVBUF in bytes; 0: the system's own choice
	WriteBuffer int           // SO_SNDBUF in bytes; 0: the system's own choice
	Backlog     int           // listen(2); 0: the system's maximum

	// Control, if not nil, is called after all these, before the socket is bound.
	Control func(network, address string, c syscall.RawConn) error
}
