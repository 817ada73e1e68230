package poller_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/poller"
	"golang.org/x/sys/unix"
)

func TestMillisecondsRoundUp(t *testing.T) {
	tests := []struct {
		in   time.Duration
		want int
	}{
		{math.MinInt64, -1},
		{-1, -1},
		{0, 0},
		{1, 1},
		{time.Millisecond - 1, 1},
		{time.Millisecond, 1},
		{time.Millisecond + 1, 2},
		{time.Hour, 3_600_000},
		{(math.MaxInt32 - 1) * time.Millisecond, math.MaxInt32 - 1},
		{(math.MaxInt32-1)*time.Millisecond + 1, math.MaxInt32},
		{math.MaxInt32 * time.Millisecond, math.MaxInt32},
		{math.MaxInt32*time.Millisecond + 1, math.MaxInt32},
		{math.MaxInt64, math.MaxInt32},
	}
	for _, tt := range tests {
		if got := poller.Milliseconds(tt.in); got != tt.want {
			t.Errorf("%d ns: got %d ms, want %d", tt.in, got, tt.want)
		}
	}
}

// script is what happens at the system calls to come: each step is for the next call of its name. The other calls go
// through. seen keeps all names.
type script struct {
	steps []step
	seen  []string
}

type step struct {
	call  string
	errno unix.Errno
}

func (s *script) fault(call string) unix.Errno {
	s.seen = append(s.seen, call)
	if len(s.steps) == 0 || s.steps[0].call != call {
		return 0
	}
	errno := s.steps[0].errno
	s.steps = s.steps[1:]
	return errno
}

// play forgets what was seen and sets the next steps.
func (s *script) play(steps ...step) {
	s.steps, s.seen = steps, nil
}

// expect wants the calls since play to be these, and every step used up.
func (s *script) expect(t *testing.T, calls ...string) {
	t.Helper()
	if !slices.Equal(s.seen, calls) || len(s.steps) != 0 {
		t.Errorf("system calls %q, want %q; steps left: %v", s.seen, calls, s.steps)
	}
}

func newFaulty(t *testing.T) (poller.Poller, *script) {
	t.Helper()
	s := new(script)
	p, err := poller.NewFaulty(s.fault)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p, s
}

func expectSyscallError(t *testing.T, err error, call string, errno unix.Errno) {
	t.Helper()
	var syscallErr *os.SyscallError
	if !errors.As(err, &syscallErr) || syscallErr.Syscall != call || !errors.Is(err, errno) {
		t.Errorf("got error %v, want %v", err, os.NewSyscallError(call, errno))
	}
}

func TestNewFails(t *testing.T) {
	tests := []struct {
		fault   step
		syscall string
		calls   []string
	}{
		{step{"create", unix.EMFILE}, "epoll_create1", []string{"create"}},
		{step{"eventfd", unix.ENFILE}, "eventfd2", []string{"create", "eventfd", "close"}},
		{step{"ctl", unix.ENOMEM}, "epoll_ctl", []string{"create", "eventfd", "ctl", "close", "close"}},
	}
	for _, tt := range tests {
		t.Run(tt.fault.call, func(t *testing.T) {
			before := leaktest.Descriptors()
			var s script
			s.play(tt.fault)
			p, err := poller.NewFaulty(s.fault)
			if p != nil {
				t.Errorf("got a poller, %v", p)
			}
			expectSyscallError(t, err, tt.syscall, tt.fault.errno)
			s.expect(t, tt.calls...)
			if after := leaktest.Descriptors(); after != before {
				t.Errorf("%d descriptors open, %d before", after, before)
			}
		})
	}
}

func TestRegistrationFails(t *testing.T) {
	p, s := newFaulty(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	tests := []struct {
		name string
		call func() error
	}{
		{"Add", func() error { return p.Add(here, 2, poller.Read) }},
		{"Modify", func() error { return p.Modify(here, 2, poller.Read) }},
		{"Remove", func() error { return p.Remove(here) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.play(step{"ctl", unix.ENOSPC})
			expectSyscallError(t, tt.call(), "epoll_ctl", unix.ENOSPC)
			s.expect(t, "ctl")
			expect(t, p, map[uint64]poller.Readiness{1: poller.Writable})
		})
	}
}

func TestWaitMakesOneCall(t *testing.T) {
	p, s := newFaulty(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	events := make([]poller.Event, 8)
	tests := []struct {
		timeout time.Duration
		call    string // poll keeps the P, wait gives it up
	}{
		{0, "poll"},
		{1, "wait"},
		{time.Minute, "wait"},
		{-1, "wait"},
	}
	for _, tt := range tests {
		s.play()
		n, err := p.Wait(events, tt.timeout)
		if n != 1 || err != nil {
			t.Errorf("Wait(%v) = %d, %v; want 1, nil", tt.timeout, n, err)
		}
		s.expect(t, tt.call)

		s.play(step{tt.call, unix.EINTR})
		n, err = p.Wait(events, tt.timeout)
		if tt.call == "poll" { // it has looked at nothing, and looks again
			if n != 1 || err != nil {
				t.Errorf("interrupted, Wait(%v) = %d, %v; want 1, nil", tt.timeout, n, err)
			}
			s.expect(t, tt.call, tt.call)
		} else {
			if n != 0 || err != nil {
				t.Errorf("interrupted, Wait(%v) = %d, %v; want 0, nil", tt.timeout, n, err)
			}
			s.expect(t, tt.call)
		}

		s.play(step{tt.call, unix.EFAULT})
		n, err = p.Wait(events, tt.timeout)
		if n != 0 {
			t.Errorf("failed, Wait(%v) = %d", tt.timeout, n)
		}
		expectSyscallError(t, err, "epoll_pwait", unix.EFAULT)
		s.expect(t, tt.call)
	}
}

func TestWakeWritesUntilItIsDone(t *testing.T) {
	tests := []struct {
		name    string
		steps   []step
		calls   []string
		syscall string // of the error, "" for none
		errno   unix.Errno
	}{
		{"at once", nil, []string{"write"}, "", 0},
		{"interrupted", []step{{"write", unix.EINTR}}, []string{"write", "write"}, "", 0},
		{
			"counter full",
			[]step{{"write", unix.EAGAIN}},
			[]string{"write", "read", "write"},
			"", 0,
		},
		{
			"counter full, and another Wake was faster",
			[]step{{"write", unix.EAGAIN}, {"read", unix.EAGAIN}},
			[]string{"write", "read", "write"},
			"", 0,
		},
		{
			"counter full, read interrupted",
			[]step{{"write", unix.EAGAIN}, {"read", unix.EINTR}, {"write", unix.EAGAIN}},
			[]string{"write", "read", "write", "read", "write"},
			"", 0,
		},
		{"write fails", []step{{"write", unix.EIO}}, []string{"write"}, "write", unix.EIO},
		{
			"read fails",
			[]step{{"write", unix.EAGAIN}, {"read", unix.EIO}},
			[]string{"write", "read"},
			"read", unix.EIO,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, s := newFaulty(t)
			must(t, p.Wake()) // something for read to read
			expectWoken(t, p, -1)
			s.play(tt.steps...)
			err := p.Wake()
			s.expect(t, tt.calls...)
			if tt.syscall != "" {
				expectSyscallError(t, err, tt.syscall, tt.errno)
				must(t, p.Wake()) // it is not broken for good
			} else {
				must(t, err)
			}
			expectWoken(t, p, -1)
		})
	}
}

// TestWakeWithAFullCounter has the kernel refuse the write, not the script.
func TestWakeWithAFullCounter(t *testing.T) {
	p, s := newFaulty(t)
	most := binary.NativeEndian.AppendUint64(nil, math.MaxUint64-1) // eventfd(2): the most that it holds
	write(t, poller.WakeFD(p), string(most))
	expectWoken(t, p, -1)
	for _, calls := range [][]string{{"write", "read", "write"}, {"write"}} {
		s.play()
		must(t, p.Wake())
		s.expect(t, calls...)
		expectWoken(t, p, -1)
	}
}

func TestCloseClosesAllAndReportsAll(t *testing.T) {
	before := leaktest.Descriptors()
	var s script
	p, err := poller.NewFaulty(s.fault)
	must(t, err)
	s.play(step{"close", unix.EIO}, step{"close", unix.EINTR})
	err = p.Close()
	s.expect(t, "close", "close")
	expectSyscallError(t, err, "close", unix.EIO)
	if !errors.Is(err, unix.EINTR) {
		t.Errorf("got %v, want both errors", err)
	}
	if after := leaktest.Descriptors(); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}
