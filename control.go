package weir

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"syscall"
)

// ControlFunc is what Control and ControlAccepted take: the type of the field Control of
// net.ListenConfig.
type ControlFunc = func(network, address string, c syscall.RawConn) error

// Control has f called with each listening socket after the server's own options are set
// and before it is bound, as the field Control of net.ListenConfig: for socket options
// that have no option here. Connections inherit most of them (tcp(7)). NewServer calls f, and
// returns its error. If a listening socket dies later, f is called for the one in its place,
// while a loop waits, and an error or a panic ends the server: Start returns it.
func Control(f ControlFunc) Option { return func(o *Options) { o.Control = f } }

// guard is f for a loop: its panic, or runtime.Goexit, is an error. It has a goroutine of
// its own, as package net does not clean up after either.
func (l *loop) guard(f ControlFunc) ControlFunc {
	if f == nil {
		return nil
	}
	return func(network, address string, c syscall.RawConn) (err error) {
		var wait sync.WaitGroup
		wait.Go(func() {
			returned := false
			defer func() {
				if v := recover(); !returned {
					l.stats.Panics++ // the loop waits
					err = &PanicError{Callback: "Control", Value: thrown(v), Stack: debug.Stack()}
				}
			}()
			err = f(network, address, c)
			returned = true
		})
		wait.Wait()
		return err
	}
}

// ControlAccepted has f called with the socket of each accepted connection, on its loop and before
// OnConnect. The address is the peer's. If f returns an error or panics, the connection is
// refused. Only Control works on that RawConn; see Connection.SyscallConn.
func ControlAccepted(f ControlFunc) Option { return func(o *Options) { o.ControlAccepted = f } }

// SyscallConn gives access to the connection's descriptor, for socket options that have
// no option here: it implements syscall.Conn. Of what it returns only Control works: the
// loop does the reading and writing. Its function must not keep the descriptor, must not close it,
// and must not call methods of the connection. After the end of the connection Control returns
// ErrConnectionClosed. Any goroutine.
func (c *Connection) SyscallConn() (syscall.RawConn, error) { return rawConn{c}, nil }

type rawConn struct{ c *Connection }

var (
	_ syscall.Conn    = (*Connection)(nil)
	_ syscall.RawConn = rawConn{}
)

// Control implements syscall.RawConn.
func (r rawConn) Control(f func(fd uintptr)) error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.fd < 0 {
		return ErrConnectionClosed
	}
	f(uintptr(r.c.fd))
	return nil
}

// Read implements syscall.RawConn.
func (rawConn) Read(func(uintptr) bool) error { return errRawConn }

// Write implements syscall.RawConn.
func (rawConn) Write(func(uintptr) bool) error { return errRawConn }

var errRawConn = fmt.Errorf("weir: the loop reads and writes: %w", errors.ErrUnsupported)

// control calls the program's ControlAccepted, and reports whether it has nothing against
// c. If it has, or panics, or ends the goroutine, c is refused.
func (c *Connection) control() (ok bool) {
	s := c.loop.server
	f := s.opts.ControlAccepted
	if f == nil {
		return true
	}
	err := errors.New("weir: panic in ControlAccepted")
	returned := false
	defer func() {
		if v := recover(); !returned {
			c.loop.stats.Panics++
			s.logLimited(&s.lines.panics, slog.LevelError, "weir: panic in ControlAccepted, a connection is refused", func() []any {
				return []any{"panic", thrown(v), "peer", c.remote(), "stack", string(debug.Stack())}
			})
		}
		if ok = err == nil; !ok {
			c.loop.stats.Refused.Other++
			s.refuse(c, err)
		}
	}()
	c.loop.Progress()
	err = f("tcp", c.remote().String(), rawConn{c})
	returned = true
	return false // the deferred function knows better
}
