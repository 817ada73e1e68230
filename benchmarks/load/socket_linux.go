package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// perSource is how many connections come from one address. The system has some 28,000 ports for each.
const perSource = 8000

// stalledWindow is the receive buffer of a connection that never reads: small, so that the server soon notices.
const stalledWindow = 4 << 10

// dial opens one connection, the nth of a run, and waits until the server is seen to serve it: it has answered hello and,
// if greet is set, one message. So a run opens connections no faster than the server accepts them.
func dial(server netip.AddrPort, nth int, x *Exchange, greet, stalled bool) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = prepare(fd, stalled)
	if err == nil {
		err = connect(fd, server, nth)
	}
	if err == nil {
		err = introduce(fd, x, greet)
	}
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(fd, true))
	}
	if err != nil {
		_ = unix.Close(fd) // nothing to lose
		return -1, err
	}
	return fd, nil
}

// prepare sets the options of a socket.
func prepare(fd int, stalled bool) error {
	options := []struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		// The port is chosen by connect(2) and not by bind(2), so that it can be one that is used to another server.
		{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1},
	}
	if stalled {
		options = append(options, struct{ level, name, value int }{unix.SOL_SOCKET, unix.SO_RCVBUF, stalledWindow})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	patience := unix.Timeval{Sec: 10} // while it is in blocking mode
	for _, name := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, name, &patience); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	// Closed with a reset: ten thousand connections in TIME_WAIT would be a burden for whoever is measured next.
	return os.NewSyscallError("setsockopt", unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
}

// connect connects, from one of as many addresses of this machine as the number of connections takes.
func connect(fd int, server netip.AddrPort, nth int) error {
	source := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + nth/perSource)}}
	if err := unix.Bind(fd, source); err != nil {
		return os.NewSyscallError("bind", err)
	}
	to := &unix.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())}
	return os.NewSyscallError("connect", unix.Connect(fd, to))
}

// introduce exchanges hello and the first message, blocking.
func introduce(fd int, x *Exchange, greet bool) error {
	s := blocking(fd)
	if len(x.Hello) > 0 {
		if _, err := s.Write(x.Hello); err != nil {
			return fmt.Errorf("saying hello: %w", err)
		}
		if err := s.readUntil(x.HelloEnd); err != nil {
			return fmt.Errorf("answer to hello: %w", err)
		}
	}
	if !greet {
		return nil
	}
	if _, err := s.Write(x.Request); err != nil {
		return fmt.Errorf("first message: %w", err)
	}
	reply := make([]byte, len(x.Reply))
	if _, err := io.ReadFull(s, reply); err != nil {
		return fmt.Errorf("answer to the first message: %w", err)
	}
	if !x.AnyReply && !bytes.Equal(reply, x.Reply) {
		return fmt.Errorf("answer to the first message: %w", ErrWrongReply)
	}
	return nil
}

// ErrWrongReply means that a server has answered with other bytes than it should.
var ErrWrongReply = errors.New("the server answered with the wrong bytes")

// blocking is a socket that is still in blocking mode.
type blocking int

func (s blocking) Read(p []byte) (int, error) {
	for {
		switch n, err := unix.Read(int(s), p); {
		case err == unix.EINTR:
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (s blocking) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := unix.Write(int(s), p[done:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return done, os.NewSyscallError("write", err)
		default:
			done += n
		}
	}
	return done, nil
}

// readUntil reads byte by byte, so that nothing is taken of what follows.
func (s blocking) readUntil(end []byte) error {
	const limit = 64 << 10
	var got []byte
	var b [1]byte
	for !bytes.HasSuffix(got, end) {
		if _, err := s.Read(b[:]); err != nil {
			return err
		}
		if got = append(got, b[0]); len(got) > limit {
			return fmt.Errorf("none in %d bytes", limit)
		}
	}
	return nil
}

// read and write are the calls on a non-blocking socket; 0 and no error means "not now". They bypass the scheduler, as weir
// does: there is nothing else to run, and telling it would make the generator a fifth slower. And they are recvfrom(2) and
// sendto(2), which take a shorter way through the kernel to a socket than read(2) and write(2).

func read(fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	switch {
	case errno == 0 && n == 0:
		return 0, io.EOF
	case errno == 0:
		return int(n), nil
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return 0, nil
	}
	return 0, os.NewSyscallError("read", errno)
}

func write(fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, nil
	}
	return 0, os.NewSyscallError("write", errno)
}
