package poller

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epollCalls are the system calls of epoll, as fields so that tests can make each of them fail.
//
// What cannot block is a RawSyscall: it leaves the scheduler alone, which is a fifth of the cost of a loop that is busy.
// The one call that may block, wait, is a Syscall, so that the P can serve others meanwhile.
//
// An epoll_event passes by value, because a pointer given to a func field would have to live on the heap.
type epollCalls struct {
	create  func() (int, unix.Errno)
	eventfd func() (int, unix.Errno)
	ctl     func(epfd, op, fd int, e unix.EpollEvent) unix.Errno
	poll    func(epfd int, raw []unix.EpollEvent) (int, unix.Errno)         // looks and returns; raw is not empty
	wait    func(epfd int, raw []unix.EpollEvent, ms int) (int, unix.Errno) // as poll, but blocks for up to ms
	read    func(fd int) unix.Errno                                         // resets the eventfd
	write   func(fd int) unix.Errno                                         // adds 1 to the eventfd
	close   func(fd int) unix.Errno
}

func systemCalls() epollCalls {
	return epollCalls{
		create:  epollCreate,
		eventfd: eventfdCreate,
		ctl:     epollCtl,
		poll:    epollPoll,
		wait:    epollWait,
		read:    eventfdRead,
		write:   eventfdWrite,
		close:   closeFD,
	}
}

func epollCreate() (int, unix.Errno) {
	fd, _, errno := unix.RawSyscall(unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC, 0, 0)
	return int(fd), errno
}

func eventfdCreate() (int, unix.Errno) {
	fd, _, errno := unix.RawSyscall(unix.SYS_EVENTFD2, 0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK, 0)
	return int(fd), errno
}

// epollCtl passes an event with EPOLL_CTL_DEL too: epoll_ctl(2), BUGS.
func epollCtl(epfd, op, fd int, e unix.EpollEvent) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL,
		uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	return errno
}

// epollPoll and epollWait use epoll_pwait, without a signal mask, because the newer architectures have no epoll_wait.
func epollPoll(epfd int, raw []unix.EpollEvent) (int, unix.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT,
		uintptr(epfd), uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)), 0, 0, 0)
	return int(n), errno
}

func epollWait(epfd int, raw []unix.EpollEvent, ms int) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT,
		uintptr(epfd), uintptr(unsafe.Pointer(&raw[0])), uintptr(len(raw)), uintptr(ms), 0, 0)
	return int(n), errno
}

func eventfdRead(fd int) unix.Errno {
	var count uint64
	_, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&count)), unsafe.Sizeof(count))
	return errno
}

func eventfdWrite(fd int) unix.Errno {
	one := uint64(1)
	_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
	return errno
}

func closeFD(fd int) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return errno
}
