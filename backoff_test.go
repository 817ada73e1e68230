package weir_test

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestBackoff: a listener that can't accept pauses for 10 ms, and twice as long each
// time up to a second; once it could, it begins anew.
func TestBackoff(t *testing.T) {
	p := startPair(t, &handler{}, quiet())
	pauses := func(n int) (list []time.Duration) {
		return onLoop(t, p.conn, func() []time.Duration {
			for range n {
				list = append(list, time.Duration(weir.PauseListener(p.conn)))
			}
			return list
		})
	}
	check := func(list []time.Duration) {
		t.Helper()
		want := 10 * time.Millisecond
		for i, got := range list {
			if got != want {
				t.Errorf("pause %d is %v, want %v", i, got, want)
			}
			want = min(2*want, time.Second)
		}
	}
	check(pauses(3))
	dial(t, p.server)
	receive(t, p.begun) // after the last of these pauses
	check(pauses(12))
}

// TestFailuresInARow: of accepts that fail for the peers' reasons only so many in a row
// make a listener pause.
func TestFailuresInARow(t *testing.T) {
	const fails, rounds = 100, 4 // less in a row than make it pause, more in all
	for name, none := range map[string]bool{"one is accepted": false, "nobody waits": true} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			calls := 0
			s := newServer(t, &handler{message: echo}, weir.Logger(slog.New(slog.NewTextHandler(&log, nil))),
				withCalls(func(c *sock.Calls, system sock.Calls) {
					c.Accept = func(fd int) (int, netip.AddrPort, syscall.Errno) {
						switch calls++; {
						case calls >= rounds*(fails+1):
						case calls%(fails+1) != 0:
							return -1, netip.AddrPort{}, syscall.ECONNABORTED
						case none:
							return -1, netip.AddrPort{}, syscall.EAGAIN
						}
						return system.Accept(fd)
					}
				}))
			for range rounds {
				dial(t, s) // they wait in the backlog, so that no accept finds none
			}
			serve(t, s)
			expectEcho(t, s, "hello")
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if strings.Contains(log.String(), "can't accept") {
				t.Errorf("it has paused: %s", log.String())
			}
		})
	}
}

// TestPausesAreLoggedOnce: a listener that pauses again and again says so at once, and
// not each time.
func TestPausesAreLoggedOnce(t *testing.T) {
	var log strings.Builder
	p := startPair(t, &handler{}, weir.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	lines := onLoop(t, p.conn, func() []int {
		var lines []int
		for range 3 {
			weir.PauseListener(p.conn)
			lines = append(lines, strings.Count(log.String(), "can't accept"))
		}
		return lines
	})
	if want := []int{1, 1, 1}; !slices.Equal(lines, want) {
		t.Errorf("lines after each pause: %v, want %v", lines, want)
	}
}

// TestClosedListenerTimer: a listener that is closed in its pause leaves no timer armed.
func TestClosedListenerTimer(t *testing.T) {
	p := startPair(t, &handler{}, quiet())
	onLoop(t, p.conn, func() bool {
		p.conn.Hold(true)
		for range 10 {
			weir.PauseListener(p.conn)
		}
		return true
	})
	eventually(t, "it pauses", func() bool { return p.server.Stats().Timers == 1 })
	shut := make(chan error, 1)
	go func() { shut <- p.server.Shutdown(t.Context()) }()
	eventually(t, "no timer is armed", func() bool { return p.server.Stats().Timers == 0 })
	if p.conn.Err() != nil {
		t.Errorf("the connection has ended: %v", p.conn.Err())
	}
	onLoop(t, p.conn, func() bool { p.conn.Hold(false); return true })
	fail(t, receive(t, shut))
}

// TestNoSpare: without a descriptor in reserve nobody is turned away: who waits is served
// when there is a descriptor again.
func TestNoSpare(t *testing.T) {
	var exhausted atomic.Bool // at the next accept
	p := startPair(t, &handler{message: echo}, quiet(), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Accept = func(fd int) (int, netip.AddrPort, syscall.Errno) {
			if exhausted.Swap(false) {
				return -1, netip.AddrPort{}, syscall.EMFILE
			}
			return system.Accept(fd)
		}
	}))
	onLoop(t, p.conn, func() bool { weir.DropSpare(p.conn); return true })
	exhausted.Store(true)
	expectEcho(t, p.server, "hello")
	if st := p.server.Stats(); st.Refused.Total() != 0 || exhausted.Load() {
		t.Errorf("%+v were refused", st.Refused)
	}
}

// TestSpareIsReplaced: with a connection that could be accepted a listener has a
// descriptor in reserve again, and who comes when there is none left is turned away.
func TestSpareIsReplaced(t *testing.T) {
	var exhausted atomic.Bool // at the next accept
	p := startPair(t, &handler{message: echo}, quiet(), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Accept = func(fd int) (int, netip.AddrPort, syscall.Errno) {
			if exhausted.Swap(false) {
				return -1, netip.AddrPort{}, syscall.EMFILE
			}
			return system.Accept(fd)
		}
	}))
	onLoop(t, p.conn, func() bool { weir.DropSpare(p.conn); return true })
	expectEcho(t, p.server, "hello")
	exhausted.Store(true)
	if n, err := dial(t, p.server).Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	eventually(t, "it is counted", func() bool { return p.server.Stats().Refused.Descriptors == 1 })
}
