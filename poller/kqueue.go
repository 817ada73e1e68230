//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poller

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var _ Poller = (*kqueue)(nil)

// kqueue is the Poller of the BSDs and macOS, see kqueue(2). An interest is a filter that exists, EVFILT_READ or
// EVFILT_WRITE, without EV_CLEAR and so level-triggered.
type kqueue struct {
	// set once
	kq           int
	wakeR, wakeW int // a pipe(2), the one thing that wakes a kevent(2) on all of these systems

	// loop only
	table []entry         // by descriptor; user data could not hold a token, its type is a pointer on most of these systems
	raw   []unix.Kevent_t // what the kernel fills, as long as the longest slice that Wait was given

	// any goroutine
	woken atomic.Bool // a byte is in the pipe or about to be: further Wakes need not write

	mu     sync.RWMutex // held for reading over a Wake, so that Close does not free a number that it writes to
	closed bool         // guarded by mu; the loop, its only writer, reads it without
}

// entry is a descriptor's registration.
//
// Invariant: the kernel has exactly the filters in want, and none if it is not registered.
type entry struct {
	token      uint64
	want       Interest
	registered bool
}

// New returns a Poller that is ready for use.
func New() (Poller, error) {
	p := &kqueue{kq: -1, wakeR: -1, wakeW: -1}
	err := p.open()
	if err == nil {
		err = p.change(p.wakeR, 0, Read)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// open makes the descriptors. Not every one of these systems can make them close-on-exec at once, hence the ForkLock.
func (p *kqueue) open() error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	kq, err := unix.Kqueue()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	p.kq = kq
	unix.CloseOnExec(kq)

	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	p.wakeR, p.wakeW = ends[0], ends[1]
	for _, fd := range ends {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	return nil
}

func (p *kqueue) Add(fd int, token uint64, want Interest) error {
	if p.closed {
		return net.ErrClosed
	}
	if !valid(token, want) {
		return os.NewSyscallError("kevent", unix.EINVAL)
	}
	if p.lookup(fd) != nil {
		return os.NewSyscallError("kevent", unix.EEXIST)
	}
	if want == 0 { // no filter: the kernel does not see the descriptor and cannot object to it
		if err := isOpen(fd); err != nil {
			return err
		}
	}
	if err := p.change(fd, 0, want); err != nil {
		return err
	}
	if fd >= len(p.table) {
		p.table = append(p.table, make([]entry, fd+1-len(p.table))...)
	}
	p.table[fd] = entry{token: token, want: want, registered: true}
	return nil
}

func (p *kqueue) Modify(fd int, token uint64, want Interest) error {
	if p.closed {
		return net.ErrClosed
	}
	if !valid(token, want) {
		return os.NewSyscallError("kevent", unix.EINVAL)
	}
	e := p.lookup(fd)
	if e == nil {
		return notRegistered(fd)
	}
	if err := p.change(fd, e.want, want); err != nil {
		return err
	}
	e.token, e.want = token, want
	return nil
}

func (p *kqueue) Remove(fd int) error {
	if p.closed {
		return net.ErrClosed
	}
	e := p.lookup(fd)
	if e == nil {
		return notRegistered(fd)
	}
	err := p.change(fd, e.want, 0)
	*e = entry{} // even after an error: the filters of a descriptor that is closed are gone
	return err
}

// change takes fd's filters from those of have to those of want, all of them or, if there is an error, none. What may be
// refused is an addition; a deletion fails only if fd was closed too early, and then no filter is left anyway.
func (p *kqueue) change(fd int, have, want Interest) error {
	var list [2]unix.Kevent_t
	changes := appendChanges(list[:0], fd, want&^have, unix.EV_ADD)
	changes = appendChanges(changes, fd, have&^want, unix.EV_DELETE)
	if len(changes) == 0 {
		return nil
	}
	// There is no room for events, so kevent(2) does not wait, and it stops at the first change that fails. EINTR says
	// that all changes were made.
	_, err := unix.Kevent(p.kq, changes, nil, nil)
	if err == nil || err == unix.EINTR {
		return nil
	}
	// Additions come first in the list, so nothing else was done. Take back one by one what may have been added: the
	// attempt to delete what is not there would end a list.
	for _, one := range [...]Interest{Read, Write} {
		if undo := appendChanges(list[:0], fd, one&want&^have, unix.EV_DELETE); len(undo) != 0 {
			_, _ = unix.Kevent(p.kq, undo, nil, nil)
		}
	}
	return os.NewSyscallError("kevent", err)
}

// appendChanges appends one change for each direction that is in which.
func appendChanges(changes []unix.Kevent_t, fd int, which Interest, flags int) []unix.Kevent_t {
	var change unix.Kevent_t
	if which&Read != 0 {
		unix.SetKevent(&change, fd, unix.EVFILT_READ, flags)
		changes = append(changes, change)
	}
	if which&Write != 0 {
		unix.SetKevent(&change, fd, unix.EVFILT_WRITE, flags)
		changes = append(changes, change)
	}
	return changes
}

func (p *kqueue) Wait(events []Event, timeout time.Duration) (int, error) {
	if p.closed {
		return 0, net.ErrClosed
	}
	if len(events) == 0 {
		return 0, os.NewSyscallError("kevent", unix.EINVAL)
	}
	if len(p.raw) < len(events) {
		p.raw = make([]unix.Kevent_t, len(events))
	}
	var limit *unix.Timespec // nil is without limit
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(min(timeout, maxTimeout)))
		limit = &ts
	}
	n, err := unix.Kevent(p.kq, nil, p.raw[:len(events)], limit)
	for timeout == 0 && err == unix.EINTR {
		n, err = unix.Kevent(p.kq, nil, p.raw[:len(events)], limit)
	}
	switch err {
	case nil:
		return p.translate(events, p.raw[:n]), nil
	case unix.EINTR:
		return 0, nil
	default:
		return 0, os.NewSyscallError("kevent", err)
	}
}

// translate turns raw into events, which is at least as long. The tokens are looked up here, before the caller can
// change the table, so a stale event carries the token that it was raised for.
func (p *kqueue) translate(events []Event, raw []unix.Kevent_t) int {
	n := 0
	for i := range raw {
		fd := int(raw[i].Ident)
		if fd == p.wakeR {
			p.drain()
			continue
		}
		e := p.lookup(fd)
		if e == nil {
			continue
		}
		events[n] = Event{Token: e.token, Ready: readiness(&raw[i])}
		n++
	}
	return n
}

// readiness is the one place that reads flags. Of the constants' and fields' types, which differ, it assumes nothing.
func readiness(k *unix.Kevent_t) Readiness {
	var ready Readiness
	eof := k.Flags&unix.EV_EOF != 0
	switch k.Filter {
	case unix.EVFILT_READ:
		// EV_EOF: the peer has shut its side down and read(2) gives what is left, then 0; or the connection has failed,
		// then Fflags is the error. Only that is a Hangup, so that a half-close looks as it does on epoll.
		ready = Readable
		if eof && k.Fflags != 0 {
			ready |= Hangup
		}
	case unix.EVFILT_WRITE:
		// EV_EOF: nothing can be sent any more, and write(2) says so without blocking.
		ready = Writable
		if eof {
			ready |= Hangup
		}
	}
	if k.Flags&unix.EV_ERROR != 0 {
		ready |= Hangup
	}
	return ready
}

func (p *kqueue) Wake() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return net.ErrClosed
	}
	if !p.woken.CompareAndSwap(false, true) {
		return nil
	}
	for {
		switch _, err := unix.Write(p.wakeW, []byte{0}); err {
		case nil, unix.EAGAIN: // a full pipe wakes as well
			return nil
		case unix.EINTR:
		default:
			p.woken.Store(false)
			return os.NewSyscallError("write", err)
		}
	}
}

// drain takes the wake-up out of the pipe. woken is cleared after the read and before Wait returns: a Wake that finds
// it set has come in time for the caller to see what it announced, one that finds it clear leaves a byte for the next
// Wait. Whatever the read left behind only makes that Wait return early too.
func (p *kqueue) drain() {
	var buf [8]byte
	_, _ = unix.Read(p.wakeR, buf[:])
	p.woken.Store(false)
}

func (p *kqueue) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.closed = true
	var errs [3]error
	for i, fd := range [...]int{p.kq, p.wakeR, p.wakeW} {
		if fd >= 0 { // not so if New failed half-way
			errs[i] = os.NewSyscallError("close", unix.Close(fd))
		}
	}
	p.table, p.raw = nil, nil
	return errors.Join(errs[:]...)
}

// lookup returns fd's entry, or nil if it is not registered.
func (p *kqueue) lookup(fd int) *entry {
	if fd < 0 || fd >= len(p.table) || !p.table[fd].registered {
		return nil
	}
	return &p.table[fd]
}

// isOpen returns the error, EBADF, that tells a number from a descriptor.
func isOpen(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return os.NewSyscallError("fcntl", err)
}

func notRegistered(fd int) error {
	if err := isOpen(fd); err != nil {
		return err
	}
	return os.NewSyscallError("kevent", unix.ENOENT)
}
