//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listen returns a listening, non-blocking descriptor and its address.
//
// Package net resolves, binds and words the errors. The descriptor is then
// taken out of its hands by dup(2): net's own poller must not see it.
func Listen(network, address string, c ListenConfig) (fd int, addr *net.TCPAddr, err error) {
	lc := net.ListenConfig{
		KeepAlive: -1, // set below, for the kernel and not for each accepted socket
		Control: func(network, address string, rc syscall.RawConn) error {
			if err := control(rc, func(fd int) error { return c.apply(fd) }); err != nil || c.Control == nil {
				return err
			}
			return c.Control(network, address, rc)
		},
	}
	lc.SetMultipathTCP(false) // an MPTCP socket lacks several of the options above
	ln, err := lc.Listen(context.Background(), network, address)
	if err != nil {
		return -1, nil, err
	}
	defer func() { _ = ln.Close() }() // the duplicate keeps the socket open
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return -1, nil, fmt.Errorf("listen %s %s: not a TCP address", network, address)
	}
	rc, err := tcp.SyscallConn()
	if err != nil {
		return -1, nil, err
	}
	err = control(rc, func(own int) error {
		if fd, err = unix.FcntlInt(uintptr(own), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		if c.Backlog == 0 {
			return nil
		}
		if err := unix.Listen(fd, c.Backlog); err != nil { // a second listen(2) only changes the backlog
			_ = unix.Close(fd) // the error to report is the first one
			return os.NewSyscallError("listen", err)
		}
		return nil
	})
	if err != nil {
		return -1, nil, err
	}
	return fd, tcp.Addr().(*net.TCPAddr), nil
}

// control runs f on the descriptor of rc and returns f's error.
func control(rc syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := rc.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// apply sets the options on the listening socket: accepted sockets inherit
// them (tcp(7)), which spares every accept the calls. Buffer sizes have to be
// set before listen(2) to count in the window scale.
func (c ListenConfig) apply(fd int) error {
	type option struct {
		name         string
		set          bool
		level, which int
		value        int
	}
	seconds := int(min(c.KeepAlive/time.Second, math.MaxInt32-1)) // the kernel takes an int of 32 bits
	if c.KeepAlive%time.Second != 0 {
		seconds++
	}
	for _, o := range []option{
		{"SO_REUSEPORT", c.ReusePort, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
		{"TCP_NODELAY", c.NoDelay, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"SO_KEEPALIVE", seconds > 0, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"TCP_KEEPIDLE", seconds > 0 && keepIdle != 0, unix.IPPROTO_TCP, keepIdle, seconds},
		{"TCP_KEEPINTVL", seconds > 0 && keepInterval != 0, unix.IPPROTO_TCP, keepInterval, seconds},
		{"SO_RCVBUF", c.ReadBuffer > 0, unix.SOL_SOCKET, unix.SO_RCVBUF, c.ReadBuffer},
		{"SO_SNDBUF", c.WriteBuffer > 0, unix.SOL_SOCKET, unix.SO_SNDBUF, c.WriteBuffer},
	} {
		if !o.set {
			continue
		}
		if err := unix.SetsockoptInt(fd, o.level, o.which, o.value); err != nil {
			return fmt.Errorf("%s %d: %w", o.name, o.value, os.NewSyscallError("setsockopt", err))
		}
	}
	return nil
}

// Listening reports whether fd is a socket that listens. One that did may have been shut
// down (shutdown(2), or from outside: ss -K), or closed.
func Listening(fd int) bool {
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if errors.Is(err, unix.ENOPROTOOPT) {
		return true // this system does not tell
	}
	return err == nil && on != 0
}

// Reserve opens a descriptor that is good for nothing but being closed when
// there is no other left; -1 if there is none now.
func Reserve() int {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}
