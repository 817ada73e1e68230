package weir

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

const (
	// acceptsPerCycle bounds the connections accepted in one go, so that a
	// rush of them leaves the loop time for those it has.
	acceptsPerCycle = 128
	// firstBackoff and lastBackoff bound the pause of a listener that can't
	// accept for want of descriptors or memory. It doubles from one to the
	// other while that lasts.
	firstBackoff = 10 * time.Millisecond
	lastBackoff  = time.Second
	// warnEvery is how often such a listener says so, and how often it is said of
	// each other trouble that lasts.
	warnEvery = 10 * time.Second
)

// listener is one listening socket and the loop that accepts on it.
type listener struct {
	// set once
	index   uint16 // in the server's listeners
	address uint16 // the index of its address in Server.Addrs
	loop    *loop
	target  *loop // where its connections go; nil: the server's strategy decides
	network string
	addr    *net.TCPAddr
	config  sock.ListenConfig

	// loop only
	fd       int // -1: none, before the retry
	handle   eventloop.Handle
	reserve  int // a descriptor in reserve, for when there is none left; -1: none
	failures int // accepts in a row that failed for a reason that may be the peer's
	backoff  time.Duration
	retry    eventloop.Timer
	warned   time.Duration // loop time of the last warning; 0: never
}

// listen binds an address.
func listen(index int, l, target *loop, network, address string, config sock.ListenConfig) (*listener, error) {
	fd, addr, err := sock.Listen(network, address, config)
	if err != nil {
		return nil, err
	}
	ln := &listener{
		index: uint16(index), loop: l, target: target, network: network, addr: addr, config: config,
		fd: fd, reserve: sock.Reserve(),
	}
	ln.retry.Init((*listenerRetry)(ln))
	return ln, nil
}

// start begins to accept. On the loop.
func (ln *listener) start() error {
	h, err := ln.loop.Add(ln.fd, (*listenerSocket)(ln), poller.Read)
	ln.handle = h
	return err
}

// close stops accepting, for good. On the loop, or when that doesn't run.
func (ln *listener) close() {
	ln.loop.Disarm(&ln.retry)
	ln.closeSocket()
	ln.closeReserve()
}

// closeSocket closes the listening socket, if there is one.
func (ln *listener) closeSocket() {
	if ln.fd < 0 {
		return
	}
	if ln.handle != 0 {
		_ = ln.loop.Unwatch(ln.fd) // it is closed anyway
		ln.loop.Remove(ln.handle)
		ln.handle = 0
	}
	_ = ln.loop.sys.Close(ln.fd)
	ln.fd = -1
}

// listenerSocket is a listener as its event loop sees it.
type listenerSocket listener

// OnReady accepts what waits.
func (s *listenerSocket) OnReady(r poller.Readiness) {
	ln := (*listener)(s)
	reported := ln.handle
	for range acceptsPerCycle {
		if ln.fd < 0 || !ln.accept() {
			break
		}
	}
	if r&poller.Hangup != 0 && ln.handle == reported && !ln.retry.Armed() {
		ln.pause(syscall.EINVAL) // nothing failed, and yet this would be reported for ever
	}
}

// accept takes one connection, and reports whether to go on.
func (ln *listener) accept() bool {
	fd, peer, errno := ln.loop.sys.Accept(ln.fd)
	switch errno {
	case 0:
		ln.backoff, ln.failures = 0, 0
		if ln.reserve < 0 {
			ln.reserve = sock.Reserve()
		}
		ln.loop.stats.Accepted++
		ln.dispatch(fd, peer)
		return true
	case syscall.EAGAIN:
		ln.failures = 0
		return false
	case syscall.EMFILE, syscall.ENFILE:
		if ln.rejectWithReserve() {
			ln.loop.stats.Accepted++
			ln.loop.stats.Refused.Descriptors++
			return true // there may be more who wait
		}
		ln.pause(errno)
		return false
	case syscall.ENOBUFS, syscall.ENOMEM:
		ln.pause(errno)
		return false
	case syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EOPNOTSUPP, syscall.EFAULT:
		ln.pause(errno) // it is not the peer's doing; don't spin over it
		return false
	default:
		// accept(2): errors already pending on the new connection, and
		// firewalls that forbid it. The next one may be good. But some leave
		// the connection where it is, and then there is no end to them.
		if ln.failures++; ln.failures%acceptsPerCycle != 0 {
			return true
		}
		ln.pause(errno)
		return false
	}
}

// dispatch gives a new connection to the loop that will serve it.
func (ln *listener) dispatch(fd int, peer netip.AddrPort) {
	s := ln.loop.server
	c := &Connection{acceptor: ln.index, peerAddr: peer.Addr(), peerPort: peer.Port(), fd: int32(fd), loop: ln.loop}
	if limit := int64(s.opts.MaxConnections); s.open.Add(1) > limit && limit > 0 {
		s.leave()
		c.drop()
		ln.loop.stats.Refused.MaxConnections++
		s.refused(c, "MaxConnections")
		return
	}
	target := ln.target
	if target == nil {
		if target = ln.choose(c, peer); target == nil {
			return
		}
	}
	c.loop = target
	target.Reserve()
	switch {
	case target == ln.loop:
		c.begin()
	case !c.post(opRegister):
		ln.loop.stats.Refused.Other++
		s.refuse(c, ErrServerStopped)
	}
}

// choose asks the strategy for c's loop. If it has none to offer, or ends the goroutine,
// c is closed.
func (ln *listener) choose(c *Connection, peer netip.AddrPort) (target *loop) {
	s := ln.loop.server
	defer func() {
		if target == nil {
			s.leave()
			c.drop()
			ln.loop.stats.Refused.Other++
		}
	}()
	return s.balance(peer)
}

// refuse closes a connection that could not be registered. Nobody has heard of
// it. On the loop that it was meant for, or when that has ended.
func (s *Server) refuse(c *Connection, err error) {
	c.state.Store(closed)
	c.loop.Release()
	s.leave()
	c.drop()
	s.refused(c, err)
}

// refused logs that c was closed before OnConnect.
func (s *Server) refused(c *Connection, why any) {
	s.logLimited(&s.lines.refused, slog.LevelWarn, "weir: connection refused", func() []any {
		return []any{"peer", c.remote(), "listener", c.listener().addr, "err", why}
	})
}

// drop closes the descriptor of a connection that nobody has heard of.
func (c *Connection) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.loop.sys.Close(int(c.fd))
	c.fd = -1
}

// rejectWithReserve accepts one connection with the descriptor kept in reserve, and
// closes it: the peer then knows, instead of waiting in the backlog for ever.
func (ln *listener) rejectWithReserve() bool {
	if ln.reserve < 0 {
		ln.reserve = sock.Reserve()
		return false
	}
	ln.closeReserve()
	fd, _, errno := ln.loop.sys.Accept(ln.fd)
	if errno == 0 {
		_ = ln.loop.sys.Close(fd)
	}
	ln.reserve = sock.Reserve()
	return errno == 0
}

// pause stops accepting for a while. The backlog keeps who comes meanwhile. The poller
// does not: it reports a socket that has failed whatever is wanted of it.
func (ln *listener) pause(errno syscall.Errno) {
	err := os.NewSyscallError("accept", errno)
	if !sock.Listening(ln.fd) {
		ln.lost(err)
		return
	}
	ln.later("weir: can't accept connections, trying again", err)
	_ = ln.loop.Unwatch(ln.fd) // it fails for one that is not watched, and that is all there is to it
}

// later has the listener try again after a while, and says why.
func (ln *listener) later(message string, err error) {
	l := ln.loop
	ln.backoff = min(max(2*ln.backoff, firstBackoff), lastBackoff)
	l.Arm(&ln.retry, l.Clock()+ln.backoff)
	if now := l.Clock(); ln.warned == 0 || now-ln.warned > warnEvery {
		ln.warned = now
		l.server.log.Warn(message, "listener", ln.addr, "err", err)
	}
}

// listenerRetry is a listener as its timer sees it.
type listenerRetry listener

// OnExpire accepts again.
func (r *listenerRetry) OnExpire() {
	ln := (*listener)(r)
	if ln.fd < 0 {
		ln.reopen()
		return
	}
	err := ln.loop.Watch(ln.fd, ln.handle, poller.Read)
	switch {
	case err == nil || errors.Is(err, syscall.EEXIST):
	case !sock.Listening(ln.fd):
		ln.lost(err)
	default:
		ln.later("weir: can't watch a listening socket, trying again", err)
	}
}

// lost deals with a listening socket that is dead: somebody has called shutdown(2) on
// it, or has closed its descriptor. The poller reports that for ever. Those who wait in
// its backlog are lost with it, and another one takes its place.
func (ln *listener) lost(err error) {
	ln.loop.server.log.Error("weir: a listening socket is dead, opening another one", "listener", ln.addr, "err", err)
	ln.loop.Disarm(&ln.retry)
	ln.closeSocket()
	ln.reopen()
	ln.loop.listenersLost.Add(1)
}

// reopen binds the address again. What is only scarce now is waited for. Any other
// failure ends the server: one that nobody can reach must not look as if it served.
func (ln *listener) reopen() {
	config := ln.config
	config.Control = ln.loop.guard(config.Control)
	fd, _, err := sock.Listen(ln.network, ln.addr.String(), config)
	if err == nil {
		ln.fd = fd
		if err = ln.start(); err == nil {
			ln.backoff = 0
			return
		}
		ln.closeSocket()
	}
	if scarce(err) {
		ln.later("weir: can't open a listening socket, trying again", err)
		return
	}
	ln.loop.Fail(fmt.Errorf("weir: a listening socket was lost: %w", err))
}

// scarce reports whether err says that something has run out that may be there again
// later: descriptors, memory, watches.
func scarce(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func (ln *listener) closeReserve() {
	if ln.reserve >= 0 {
		_ = ln.loop.sys.Close(ln.reserve)
		ln.reserve = -1
	}
}
