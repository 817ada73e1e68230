package weir

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/go-weir/weir/eventloop"
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
	addr    *net.TCPAddr

	// loop only
	fd       int
	handle   eventloop.Handle
	spare    int // a descriptor in reserve, for when there is none left; -1: none
	failures int // accepts in a row that failed for a reason that may be the peer's
	backoff  time.Duration
	retry    eventloop.Timer
	warned   time.Duration // loop time of the last warning; 0: never
}

func newListener(index int, l, target *loop, fd int, addr *net.TCPAddr) *listener {
	ln := &listener{index: uint16(index), loop: l, target: target, fd: fd, addr: addr, spare: sock.Reserve()}
	ln.retry.Init((*listenerRetry)(ln))
	return ln
}

// start begins to accept. On the loop.
func (ln *listener) start() error {
	h, err := ln.loop.Add(ln.fd, (*listenerSocket)(ln), poller.Read)
	ln.handle = h
	return err
}

// close stops accepting. On the loop, or when that doesn't run.
func (ln *listener) close() {
	if ln.fd < 0 {
		return
	}
	if ln.handle != 0 {
		ln.loop.Disarm(&ln.retry)
		_ = ln.loop.Unwatch(ln.fd) // it is closed anyway
		ln.loop.Remove(ln.handle)
	}
	_ = ln.loop.sys.Close(ln.fd)
	ln.fd = -1
	ln.closeSpare()
}

// listenerSocket is a listener as its event loop sees it.
type listenerSocket listener

// OnReady accepts what waits.
func (s *listenerSocket) OnReady(poller.Readiness) {
	ln := (*listener)(s)
	for range acceptsPerCycle {
		if ln.fd < 0 || !ln.accept() {
			return
		}
	}
}

// accept takes one connection, and reports whether to go on.
func (ln *listener) accept() bool {
	fd, peer, errno := ln.loop.sys.Accept(ln.fd)
	switch errno {
	case 0:
		ln.backoff, ln.failures = 0, 0
		if ln.spare < 0 {
			ln.spare = sock.Reserve()
		}
		ln.loop.stats.Accepted++
		ln.hand(fd, peer)
		return true
	case syscall.EAGAIN:
		ln.failures = 0
		return false
	case syscall.EMFILE, syscall.ENFILE:
		if ln.turnAway() {
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

// hand gives a new connection to the loop that will serve it.
func (ln *listener) hand(fd int, peer netip.AddrPort) {
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
		if target = s.balance(peer); target == nil {
			s.leave()
			c.drop()
			ln.loop.stats.Refused.Other++
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

// refuse closes a connection that could not be registered. Nobody has heard of
// it. On the loop that it was meant for, or when that has ended.
func (s *Server) refuse(c *Connection, err error) {
	c.state.Store(closed)
	c.loop.Release()
	s.leave()
	c.drop()
	s.refused(c, err)
}

// refused logs that c was closed unheard of.
func (s *Server) refused(c *Connection, why any) {
	s.seldom(&s.lines.refused, slog.LevelWarn, "weir: connection refused", func() []any {
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

// turnAway accepts one connection with the descriptor kept in reserve, and
// closes it: the peer then knows, instead of waiting in the backlog for ever.
func (ln *listener) turnAway() bool {
	if ln.spare < 0 {
		ln.spare = sock.Reserve()
		return false
	}
	ln.closeSpare()
	fd, _, errno := ln.loop.sys.Accept(ln.fd)
	if errno == 0 {
		_ = ln.loop.sys.Close(fd)
	}
	ln.spare = sock.Reserve()
	return errno == 0
}

// pause stops accepting for a while. The backlog keeps who comes meanwhile.
func (ln *listener) pause(errno syscall.Errno) {
	l := ln.loop
	ln.backoff = min(max(2*ln.backoff, firstBackoff), lastBackoff)
	if now := l.Clock(); ln.warned == 0 || now-ln.warned > warnEvery {
		ln.warned = now
		l.server.log.Warn("weir: can't accept connections, trying again",
			"listener", ln.addr, "err", os.NewSyscallError("accept", errno))
	}
	// If this fails, the listener is reported again at once, and ends here.
	_ = l.Modify(ln.fd, ln.handle, 0)
	l.Arm(&ln.retry, l.Clock()+ln.backoff)
}

// listenerRetry is a listener as its timer sees it.
type listenerRetry listener

// OnExpire accepts again.
func (r *listenerRetry) OnExpire() {
	ln := (*listener)(r)
	if err := ln.loop.Modify(ln.fd, ln.handle, poller.Read); err != nil {
		ln.loop.Arm(&ln.retry, ln.loop.Clock()+lastBackoff)
	}
}

func (ln *listener) closeSpare() {
	if ln.spare >= 0 {
		_ = ln.loop.sys.Close(ln.spare)
		ln.spare = -1
	}
}
