package poller

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

var _ Poller = (*epoll)(nil)

// epoll is the Poller of Linux, see epoll(7).
type epoll struct {
	// set once
	sys    epollCalls
	epfd   int
	wakefd int // an eventfd(2)

	// loop only
	raw []unix.EpollEvent // what the kernel fills, as long as the longest slice that Wait was given

	mu     sync.RWMutex // held for reading over a Wake, so that Close does not free a number that it writes to
	closed bool         // guarded by mu; the loop, its only writer, reads it without
}

// New returns a Poller that is ready for use.
func New() (Poller, error) {
	return newEpoll(systemCalls())
}

func newEpoll(sys epollCalls) (Poller, error) {
	epfd, errno := sys.create()
	if errno != 0 {
		return nil, os.NewSyscallError("epoll_create1", errno)
	}
	wakefd, errno := sys.eventfd()
	if errno != 0 {
		sys.close(epfd)
		return nil, os.NewSyscallError("eventfd2", errno)
	}
	// Edge-triggered: every write(2) to an eventfd is an edge of its own, whatever its counter holds, so a wake-up costs
	// the loop no read(2).
	errno = sys.ctl(epfd, unix.EPOLL_CTL_ADD, wakefd, registration(reservedToken, unix.EPOLLIN|unix.EPOLLET))
	if errno != 0 {
		sys.close(wakefd)
		sys.close(epfd)
		return nil, os.NewSyscallError("epoll_ctl", errno)
	}
	return &epoll{sys: sys, epfd: epfd, wakefd: wakefd}, nil
}

func (p *epoll) Add(fd int, token uint64, want Interest) error {
	return p.register(unix.EPOLL_CTL_ADD, fd, token, want)
}

func (p *epoll) Modify(fd int, token uint64, want Interest) error {
	return p.register(unix.EPOLL_CTL_MOD, fd, token, want)
}

func (p *epoll) Remove(fd int) error {
	return p.register(unix.EPOLL_CTL_DEL, fd, 0, 0)
}

func (p *epoll) register(op, fd int, token uint64, want Interest) error {
	if p.closed {
		return net.ErrClosed
	}
	errno := unix.EINVAL
	if valid(token, want) {
		errno = p.sys.ctl(p.epfd, op, fd, registration(token, epollMask(want)))
	}
	if errno != 0 {
		return os.NewSyscallError("epoll_ctl", errno)
	}
	return nil
}

func (p *epoll) Wait(events []Event, timeout time.Duration) (int, error) {
	if p.closed {
		return 0, net.ErrClosed
	}
	if len(events) == 0 {
		return 0, os.NewSyscallError("epoll_pwait", unix.EINVAL)
	}
	if len(p.raw) < len(events) {
		p.raw = make([]unix.EpollEvent, len(events))
	}
	raw := p.raw[:len(events)]

	var n int
	errno := unix.EINTR
	if timeout == 0 {
		for errno == unix.EINTR {
			n, errno = p.sys.poll(p.epfd, raw)
		}
	} else {
		n, errno = p.sys.wait(p.epfd, raw, milliseconds(timeout))
	}
	switch errno {
	case 0:
		return translate(events, raw[:n]), nil
	case unix.EINTR:
		return 0, nil
	default:
		return 0, os.NewSyscallError("epoll_pwait", errno)
	}
}

// translate turns raw into events, which is at least as long, and leaves the wake-up out.
func translate(events []Event, raw []unix.EpollEvent) int {
	n := 0
	for i := range raw {
		token := tokenOf(&raw[i])
		if token == reservedToken {
			continue
		}
		events[n] = Event{Token: token, Ready: readiness(raw[i].Events)}
		n++
	}
	return n
}

func (p *epoll) Wake() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return net.ErrClosed
	}
	for {
		switch errno := p.sys.write(p.wakefd); errno {
		case 0:
			return nil
		case unix.EINTR:
		case unix.EAGAIN:
			// The counter, which nobody else reads, is full. The write that follows makes the edge.
			if errno := p.sys.read(p.wakefd); errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
				return os.NewSyscallError("read", errno)
			}
		default:
			return os.NewSyscallError("write", errno)
		}
	}
}

func (p *epoll) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.closed = true
	var errs [2]error
	for i, fd := range [...]int{p.epfd, p.wakefd} {
		if errno := p.sys.close(fd); errno != 0 {
			errs[i] = os.NewSyscallError("close", errno)
		}
	}
	return errors.Join(errs[:]...)
}

// registration fills epoll_event. unix calls the two halves of its 64 bits of user data Fd and Pad; which of them is the
// lower one matters to nobody, the kernel only keeps them.
func registration(token uint64, mask uint32) unix.EpollEvent {
	return unix.EpollEvent{Events: mask, Fd: int32(uint32(token)), Pad: int32(uint32(token >> 32))}
}

func tokenOf(e *unix.EpollEvent) uint64 {
	return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
}

func epollMask(want Interest) uint32 {
	var mask uint32
	if want&Read != 0 {
		mask |= unix.EPOLLIN
	}
	if want&Write != 0 {
		mask |= unix.EPOLLOUT
	}
	return mask
}

func readiness(mask uint32) Readiness {
	var ready Readiness
	if mask&unix.EPOLLIN != 0 {
		ready |= Readable
	}
	if mask&unix.EPOLLOUT != 0 {
		ready |= Writable
	}
	if mask&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		ready |= Hangup
	}
	return ready
}

// milliseconds rounds a timeout up to epoll's unit; -1 is without limit.
func milliseconds(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	timeout = min(timeout, maxTimeout)
	ms := timeout / time.Millisecond
	if timeout%time.Millisecond != 0 {
		ms++
	}
	return int(ms)
}
