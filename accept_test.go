package weir_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
)

// TestAcceptFails: a listener that can't accept, for whatever reason and
// however long, does not spin, loses no connection that it has, and goes on
// when it can again.
func TestAcceptFails(t *testing.T) {
	const turnedAway = true
	for errno, refused := range map[syscall.Errno]bool{
		syscall.EINTR: false, syscall.ECONNABORTED: false, syscall.EPROTO: false,
		syscall.EPERM: false, syscall.EIO: false, syscall.ENOBUFS: false, syscall.ENOMEM: false, syscall.EBADF: false,
		syscall.EINVAL: false, syscall.EMFILE: turnedAway, syscall.ENFILE: turnedAway,
	} {
		t.Run(fmt.Sprint(error(errno)), func(t *testing.T) {
			f := newFaults()
			f.site, f.nth, f.always, f.effect = "accept@accept<OnReady", 1, true, effect{errno: errno}
			s := start(t, &handler{message: echo}, append(f.options(), quiet())...)
			before := dial(t, s)
			send(t, before, "before")
			expect(t, before, "before")
			f.arm()
			during := dial(t, s)
			time.Sleep(50 * time.Millisecond) // the time over which calls are counted
			send(t, before, "during")
			expect(t, before, "during")
			f.disarm()
			// The pause doubles from 10 ms on: the three that fit in are a
			// bunch of calls each.
			if n := f.made(); n > 600 {
				t.Errorf("%d calls in 50 ms", n)
			}
			if refused {
				if _, err := during.Read(make([]byte, 1)); err == nil || errors.Is(err, syscall.ETIMEDOUT) {
					t.Errorf("who can't be accepted is left waiting: %v", err)
				}
				eventually(t, "it is counted as refused", func() bool { return s.Stats().Refused.Descriptors == 1 })
				during = dial(t, s)
			}
			send(t, during, "after")
			expect(t, during, "after")
		})
	}
}

// TestTurnAwayFails: even the descriptor in reserve may not help.
func TestTurnAwayFails(t *testing.T) {
	f := newFaults()
	f.site, f.nth, f.always, f.effect = "accept@", 1, true, effect{errno: syscall.EMFILE}
	s := start(t, &handler{message: echo}, append(f.options(), quiet())...)
	f.arm()
	c := dial(t, s)
	time.Sleep(50 * time.Millisecond) // the time over which calls are counted
	if !f.disarm() {
		t.Fatal("no fault")
	}
	if n := f.made(); n > 200 {
		t.Errorf("%d calls in 50 ms", n)
	}
	send(t, c, "after")
	expect(t, c, "after")
	if n := s.Stats().Refused.Descriptors; n != 0 {
		t.Errorf("%d are counted as refused", n)
	}
}

// TestStartFails: a listener that can't be polled ends the server at its start,
// and leaves nothing.
func TestStartFails(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		for nth := 1; nth <= 2; nth++ {
			before := leaktest.Descriptors()
			f := newFaults()
			f.site, f.nth, f.effect = "add@", nth, effect{errno: syscall.ENOSPC}
			s := newServer(t, &handler{}, append(f.options(), weir.Address("127.0.0.1:0", "127.0.0.1:0"), weir.NumLoops(2), weir.ListenerPerLoop(reuse))...)
			f.arm()
			if err := receive(t, beginSoon(s)); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Start returns %v", err)
			}
			f.disarm()
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			isFree(t, s)
			if after := leaktest.Descriptors(); after > before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		}
	}
}

// TestRegisterFails: a connection that the poller refuses is closed, and nobody
// has heard of it.
func TestRegisterFails(t *testing.T) {
	for _, loops := range []int{1, 2} {
		f := newFaults()
		f.site, f.nth, f.effect = "add@register", 1, effect{errno: syscall.ENOSPC}
		var log strings.Builder
		h := newObey(t)
		s := start(t, h, append(f.options(), weir.NumLoops(loops), weir.Logger(slog.New(slog.NewTextHandler(&log, nil))), weir.CustomProtocol(plainReplies{}))...)
		f.arm()
		c := dial(t, s)
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the peer reads %d bytes, %v", n, err)
		}
		again := dial(t, s)
		expect(t, again, greeting)
		if n := h.connects.Load(); n != 1 {
			t.Errorf("OnConnect ran %d times, want once", n)
		}
		eventually(t, "the counts are right", func() bool {
			st := s.Stats()
			return st.Refused.Other == 1 && st.Opened == 1 && st.Open == 1 && st.Connections == 1
		})
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "no space left") {
			t.Errorf("logged: %q", log.String())
		}
		if _, err := io.ReadAll(again); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	}
}
