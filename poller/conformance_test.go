//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package poller_test

import (
	"errors"
	"math"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/poller"
	"golang.org/x/sys/unix"
)

// What every backend has to fulfil, point by point as poller.go states it.

func TestReadableIsLevelTriggered(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	add(t, p, here, 7, poller.Read)
	expectNone(t, p)

	write(t, there, "ab")
	for range 3 {
		expect(t, p, map[uint64]poller.Readiness{7: poller.Readable})
	}
	read(t, here, 1)
	expect(t, p, map[uint64]poller.Readiness{7: poller.Readable})
	read(t, here, 1)
	expectNone(t, p)
}

func TestWritableIsLevelTriggered(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	add(t, p, here, 7, poller.Write)
	for range 3 {
		expect(t, p, map[uint64]poller.Readiness{7: poller.Writable})
	}
	sent := fill(t, here)
	expectNone(t, p)
	read(t, there, sent)
	expect(t, p, map[uint64]poller.Readiness{7: poller.Writable})
}

func TestBothDirections(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	add(t, p, here, 7, poller.Read|poller.Write)
	expect(t, p, map[uint64]poller.Readiness{7: poller.Writable})
	write(t, there, "a")
	expect(t, p, map[uint64]poller.Readiness{7: poller.Readable | poller.Writable})
}

func TestInterestThatIsOffIsSilent(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	write(t, there, "a") // both directions are ready from here on
	tests := []struct {
		name string
		want poller.Interest
		see  poller.Readiness
	}{
		{"none", 0, 0},
		{"read", poller.Read, poller.Readable},
		{"write", poller.Write, poller.Writable},
		{"both", poller.Read | poller.Write, poller.Readable | poller.Writable},
	}
	for _, from := range tests {
		t.Run("add "+from.name, func(t *testing.T) {
			add(t, p, here, 1, from.want)
			expectReady(t, p, 1, from.see)
			must(t, p.Remove(here))
		})
		for _, to := range tests {
			t.Run("modify "+from.name+" to "+to.name, func(t *testing.T) {
				add(t, p, here, 1, from.want)
				must(t, p.Modify(here, 2, to.want))
				expectReady(t, p, 2, to.see)
				must(t, p.Modify(here, 3, from.want))
				expectReady(t, p, 3, from.see)
				must(t, p.Remove(here))
				expectNone(t, p)
			})
		}
	}
}

func TestHalfCloseIsReadableAndNoHangup(t *testing.T) {
	p := newPoller(t)
	here, there := connection(t)
	add(t, p, here, 7, poller.Read)
	must(t, unix.Shutdown(there, unix.SHUT_WR))
	for range 2 {
		if got := collect(t, p, 7, poller.Readable); got[7] != poller.Readable {
			t.Fatalf("got %v, want Readable alone", got)
		}
	}
	must(t, p.Modify(here, 7, poller.Write))
	expect(t, p, map[uint64]poller.Readiness{7: poller.Writable})
}

func TestResetIsHangup(t *testing.T) {
	tests := []struct {
		name      string
		want      poller.Interest
		linuxOnly bool // kqueue sees nothing without a filter
	}{
		{"want nothing", 0, true},
		{"want read", poller.Read, false},
		{"want write", poller.Write, false},
		{"want both", poller.Read | poller.Write, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.linuxOnly && runtime.GOOS != "linux" {
				t.Skip("this mechanism reports by filter")
			}
			p := newPoller(t)
			here, there := connection(t)
			add(t, p, here, 7, tt.want)
			reset(t, there)
			for range 2 {
				if got := collect(t, p, 7, poller.Hangup); got[7]&poller.Hangup == 0 {
					t.Fatalf("got %v, want Hangup", got)
				}
			}
			must(t, p.Remove(here))
			expectNone(t, p)
		})
	}
}

func TestRemovedIsNotReportedByALaterWait(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	other, otherPeer := pair(t)
	write(t, there, "a")
	write(t, otherPeer, "a")
	add(t, p, here, 1, poller.Read)
	add(t, p, other, 2, poller.Read)
	expect(t, p, map[uint64]poller.Readiness{1: poller.Readable, 2: poller.Readable})

	must(t, p.Remove(here))
	expect(t, p, map[uint64]poller.Readiness{2: poller.Readable})

	add(t, p, here, 3, poller.Read) // the same number again: only the new token
	expect(t, p, map[uint64]poller.Readiness{2: poller.Readable, 3: poller.Readable})
}

func TestNumberTakenAgain(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	add(t, p, here, 1, poller.Read)
	write(t, there, "a")
	expect(t, p, map[uint64]poller.Readiness{1: poller.Readable})

	must(t, p.Remove(here))
	fresh, freshPeer := pair(t)
	must(t, unix.Dup2(fresh, here)) // closes here and opens it anew
	add(t, p, here, 2, poller.Read)
	expectNone(t, p)
	write(t, freshPeer, "a")
	expect(t, p, map[uint64]poller.Readiness{2: poller.Readable})
}

func TestTokensComeBackWhole(t *testing.T) {
	p := newPoller(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	tokens := []uint64{0, 1, math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, 1 << 63, 0xdead_beef_cafe_f00d, math.MaxUint64 - 1}
	for _, token := range tokens {
		must(t, p.Modify(here, token, poller.Write))
		expect(t, p, map[uint64]poller.Readiness{token: poller.Writable})
	}
}

func TestMoreReadyThanRoom(t *testing.T) {
	const fds, room = 50, 7
	p := newPoller(t)
	for i := range uint64(fds) {
		here, _ := pair(t)
		add(t, p, here, i, poller.Write)
	}
	seen := map[uint64]bool{}
	events := make([]poller.Event, room)
	for range fds/room + 1 { // the rest comes first, so this many Waits see all of them
		n, err := p.Wait(events, 0)
		must(t, err)
		if n != room {
			t.Fatalf("Wait filled %d events, want %d", n, room)
		}
		for _, e := range events[:n] {
			seen[e.Token] = true
		}
	}
	if len(seen) != fds {
		t.Fatalf("saw %d descriptors, want %d", len(seen), fds)
	}
	// A longer slice than before.
	n, err := p.Wait(make([]poller.Event, 2*fds), 0)
	must(t, err)
	if n != fds {
		t.Fatalf("Wait filled %d events, want %d", n, fds)
	}
}

func TestRefusals(t *testing.T) {
	p := newPoller(t)
	known, _ := pair(t)
	unknown, _ := pair(t)
	gone, _ := pair(t)
	add(t, p, known, 1, poller.Write)
	must(t, unix.Dup2(known, gone))
	must(t, unix.Close(gone))
	defer func() { must(t, unix.Dup2(known, gone)) }() // for pair's clean-up

	wait := func(events []poller.Event) error {
		_, err := p.Wait(events, 0)
		return err
	}
	tests := []struct {
		name string
		err  error
		want unix.Errno
	}{
		{"add twice", p.Add(known, 2, poller.Read), unix.EEXIST},
		{"add twice, no interest", p.Add(known, 2, 0), unix.EEXIST},
		{"modify unknown", p.Modify(unknown, 2, poller.Read), unix.ENOENT},
		{"modify unknown, no interest", p.Modify(unknown, 2, 0), unix.ENOENT},
		{"remove unknown", p.Remove(unknown), unix.ENOENT},
		{"add closed", p.Add(gone, 2, poller.Read), unix.EBADF},
		{"add closed, no interest", p.Add(gone, 2, 0), unix.EBADF},
		{"modify closed", p.Modify(gone, 2, poller.Read), unix.EBADF},
		{"remove closed", p.Remove(gone), unix.EBADF},
		{"add negative", p.Add(-1, 2, poller.Read), unix.EBADF},
		{"modify negative", p.Modify(-1, 2, poller.Read), unix.EBADF},
		{"remove negative", p.Remove(-1), unix.EBADF},
		{"add reserved token", p.Add(unknown, math.MaxUint64, poller.Read), unix.EINVAL},
		{"modify reserved token", p.Modify(known, math.MaxUint64, poller.Read), unix.EINVAL},
		{"add strange interest", p.Add(unknown, 2, 1<<7), unix.EINVAL},
		{"modify strange interest", p.Modify(known, 2, 1<<7), unix.EINVAL},
		{"wait for nothing", wait(nil), unix.EINVAL},
	}
	for _, tt := range tests {
		var syscallErr *os.SyscallError
		if !errors.As(tt.err, &syscallErr) || !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: got %v, want an *os.SyscallError with %v", tt.name, tt.err, tt.want)
		}
	}
	expect(t, p, map[uint64]poller.Readiness{1: poller.Writable}) // nothing has changed
	must(t, p.Remove(known))
	if err := p.Remove(known); !errors.Is(err, unix.ENOENT) {
		t.Errorf("second Remove: got %v, want ENOENT", err)
	}
}

func TestClosedTooEarlyIsForgotten(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	spare, _ := pair(t)
	add(t, p, here, 1, poller.Read)
	write(t, there, "a")
	must(t, unix.Close(here))
	if err := p.Remove(here); err == nil {
		t.Error("Remove after close: no error")
	}
	expectNone(t, p)
	must(t, unix.Dup2(spare, here))
	add(t, p, here, 2, poller.Write)
	expect(t, p, map[uint64]poller.Readiness{2: poller.Writable})
}

func TestZeroTimeoutReturnsAtOnce(t *testing.T) {
	p := newPoller(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Read)
	events := make([]poller.Event, 8)
	start := time.Now()
	for range 100 {
		if n, err := p.Wait(events, 0); n != 0 || err != nil {
			t.Fatalf("Wait = %d, %v; want 0, nil", n, err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("100 Waits took %v", took)
	}
}

func TestTimeoutIsNotEarly(t *testing.T) {
	p := newPoller(t)
	events := make([]poller.Event, 8)
	for _, timeout := range []time.Duration{1, time.Microsecond, time.Millisecond, 1500 * time.Microsecond, 10 * time.Millisecond} {
		early := 0
		for range 5 {
			start := time.Now()
			n, err := p.Wait(events, timeout)
			took := time.Since(start)
			if n != 0 || err != nil {
				t.Fatalf("Wait = %d, %v; want 0, nil", n, err)
			}
			if took < timeout {
				early++ // a signal may do that, but not time and again
			}
		}
		if early > 2 {
			t.Errorf("%d of 5 Waits for %v were early", early, timeout)
		}
	}
}

func TestLongestTimeout(t *testing.T) {
	p := newPoller(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	events := make([]poller.Event, 8)
	for _, timeout := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, 24 * 24 * time.Hour, -1, math.MinInt64} {
		if n, err := p.Wait(events, timeout); n != 1 || err != nil {
			t.Errorf("Wait(%v) = %d, %v; want 1, nil", timeout, n, err)
		}
	}
}

func TestWakesBeforeWaitCountOnce(t *testing.T) {
	p := newPoller(t)
	tests := []struct {
		wakes   int
		timeout time.Duration // of the Wait that they end
	}{
		{1, -1},
		{2, -1},
		{1000, -1},
		{1, 0},
		{1000, 0},
	}
	for _, tt := range tests {
		// A signal may end the second Wait early, but not time and again.
		early := 0
		for range 3 {
			for range tt.wakes {
				must(t, p.Wake())
			}
			expectWoken(t, p, tt.timeout)
			if idle(t, p, 5*time.Millisecond) < 5*time.Millisecond {
				early++
			}
		}
		if early == 3 {
			t.Errorf("%d Wakes ended Wait(%v) and the Wait after it", tt.wakes, tt.timeout)
		}
	}
}

func TestWakeBesideEvents(t *testing.T) {
	p := newPoller(t)
	here, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	must(t, p.Wake())
	expect(t, p, map[uint64]poller.Readiness{1: poller.Writable})

	// With room for one event the wake-up may take the room, but not twice.
	must(t, p.Wake())
	var one [1]poller.Event
	total := 0
	for range 3 {
		n, err := p.Wait(one[:], 0)
		must(t, err)
		total += n
	}
	if total < 2 {
		t.Errorf("3 Waits for 1 event gave %d, want 2 or more", total)
	}
}

// TestWakeIsNeverLost plays ping-pong: each Wake has to end one Wait, whether it comes before or while it blocks.
func TestWakeIsNeverLost(t *testing.T) {
	p := newPoller(t)
	const rounds = 2000
	var asked atomic.Int64
	answered := make(chan int64, 1)
	done := make(chan error, 1)
	go func() {
		for i := int64(1); i <= rounds; i++ {
			asked.Store(i)
			if err := p.Wake(); err != nil {
				done <- err
				return
			}
			if i%2 == 0 {
				runtime.Gosched()
			}
			<-answered
		}
		done <- nil
	}()
	events := make([]poller.Event, 8)
	for seen := int64(0); seen < rounds; {
		if n, err := p.Wait(events, time.Minute); n != 0 || err != nil {
			t.Fatalf("Wait = %d, %v; want 0, nil", n, err)
		}
		if now := asked.Load(); now != seen {
			seen = now
			answered <- now
		}
	}
	must(t, <-done)
}

func TestWakeFromManyGoroutines(t *testing.T) {
	p := newPoller(t)
	const goroutines, each = 8, 500
	var queued atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				queued.Add(1)
				if err := p.Wake(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	events := make([]poller.Event, 8)
	for total := int64(0); total < goroutines*each; {
		if n, err := p.Wait(events, time.Minute); n != 0 || err != nil {
			t.Fatalf("Wait = %d, %v; want 0, nil", n, err)
		}
		total += queued.Swap(0)
	}
	wg.Wait()
}

func TestReadinessEndsABlockedWait(t *testing.T) {
	p := newPoller(t)
	here, there := pair(t)
	add(t, p, here, 1, poller.Read)
	done := make(chan error, 1)
	go func() {
		_, err := unix.Write(there, []byte("a"))
		done <- err
	}()
	if got := collect(t, p, 1, poller.Readable); got[1] != poller.Readable {
		t.Errorf("got %v, want Readable", got)
	}
	must(t, <-done)
}

func TestCloseReleasesDescriptors(t *testing.T) {
	here, _ := pair(t)
	before := leaktest.Descriptors()
	p, err := poller.New()
	must(t, err)
	must(t, p.Add(here, 1, poller.Read))
	if leaktest.Descriptors() == before {
		t.Error("a poller without descriptors?")
	}
	must(t, p.Close())
	if after := leaktest.Descriptors(); after != before {
		t.Errorf("%d descriptors open after Close, %d before New", after, before)
	}
	_, waitErr := p.Wait(make([]poller.Event, 1), -1)
	for name, err := range map[string]error{
		"Add": p.Add(here, 1, poller.Read), "Modify": p.Modify(here, 1, poller.Read), "Remove": p.Remove(here),
		"Wait": waitErr, "Wake": p.Wake(), "Close": p.Close(),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close: got %v, want net.ErrClosed", name, err)
		}
	}
}

func TestDescriptorsAreCloseOnExec(t *testing.T) {
	var before [1024]bool
	for fd := range before {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		before[fd] = err == nil
	}
	newPoller(t)
	for fd := range before {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && !before[fd] && flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d would be inherited", fd)
		}
	}
}

func TestWakeDuringClose(t *testing.T) {
	for range 50 {
		p, err := poller.New()
		must(t, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				err := p.Wake()
				for err == nil {
					runtime.Gosched()
					err = p.Wake()
				}
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("Wake: got %v, want net.ErrClosed", err)
				}
			})
		}
		_, err = p.Wait(make([]poller.Event, 1), time.Minute)
		must(t, err)
		must(t, p.Close())
		wg.Wait()
	}
}

func TestNothingIsAllocated(t *testing.T) {
	p := newPoller(t)
	here, _ := pair(t)
	other, _ := pair(t)
	add(t, p, here, 1, poller.Write)
	events := make([]poller.Event, 8)
	tests := []struct {
		name string
		run  func() error
	}{
		{"Wait(0)", func() error { _, err := p.Wait(events, 0); return err }},
		{"Wait(1ms)", func() error { _, err := p.Wait(events, time.Millisecond); return err }},
		{"Wait(-1)", func() error { _, err := p.Wait(events, -1); return err }},
		{"Wake and Wait", func() error { _, err := p.Wait(events[:1], -1); return errors.Join(p.Wake(), err) }},
		{"Modify", func() error { return errors.Join(p.Modify(here, 2, poller.Read), p.Modify(here, 1, poller.Write)) }},
		{"Add and Remove", func() error { return errors.Join(p.Add(other, 3, poller.Read), p.Remove(other)) }},
	}
	for _, tt := range tests {
		var err error
		allocs := testing.AllocsPerRun(100, func() { err = errors.Join(err, tt.run()) })
		must(t, err)
		if allocs != 0 {
			t.Errorf("%s: %v allocations, want none", tt.name, allocs)
		}
	}
}
