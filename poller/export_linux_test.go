package poller

import "golang.org/x/sys/unix"

// Milliseconds is opened to the tests.
var Milliseconds = milliseconds

// WakeFD is the number of p's eventfd.
func WakeFD(p Poller) int { return p.(*epoll).wakefd }

// NewFaulty is New, except that fault is asked at each system call, by the name of its field in epollCalls: what it
// returns, unless 0, takes the call's place. A close is made all the same.
func NewFaulty(fault func(call string) unix.Errno) (Poller, error) {
	system := systemCalls()
	descriptor := func(call string, create func() (int, unix.Errno)) func() (int, unix.Errno) {
		return func() (int, unix.Errno) {
			if errno := fault(call); errno != 0 {
				return -1, errno
			}
			return create()
		}
	}
	simple := func(call string, run func(int) unix.Errno) func(int) unix.Errno {
		return func(fd int) unix.Errno {
			if errno := fault(call); errno != 0 {
				return errno
			}
			return run(fd)
		}
	}
	return newEpoll(epollCalls{
		create:  descriptor("create", system.create),
		eventfd: descriptor("eventfd", system.eventfd),
		ctl: func(epfd, op, fd int, e unix.EpollEvent) unix.Errno {
			if errno := fault("ctl"); errno != 0 {
				return errno
			}
			return system.ctl(epfd, op, fd, e)
		},
		poll: func(epfd int, raw []unix.EpollEvent) (int, unix.Errno) {
			if errno := fault("poll"); errno != 0 {
				return -1, errno
			}
			return system.poll(epfd, raw)
		},
		wait: func(epfd int, raw []unix.EpollEvent, ms int) (int, unix.Errno) {
			if errno := fault("wait"); errno != 0 {
				return -1, errno
			}
			return system.wait(epfd, raw, ms)
		},
		read:  simple("read", system.read),
		write: simple("write", system.write),
		close: func(fd int) unix.Errno {
			errno := system.close(fd)
			if wanted := fault("close"); wanted != 0 {
				errno = wanted
			}
			return errno
		},
	})
}
