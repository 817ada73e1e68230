package weir_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestIdleTimeFromNow: SetIdleTime counts from the call, whatever was before.
func TestIdleTimeFromNow(t *testing.T) {
	const idle = 200 * time.Millisecond
	for name, before := range map[string]time.Duration{"none before": 0, "another before": time.Hour} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.IdleTime(before))
			<-time.After(idle + idle/2) // the time that does not count
			var alive atomic.Bool
			onLoop(t, p.conn, func() bool {
				p.conn.SetIdleTime(idle)
				// Of two that are due, the loop fires the one with the earlier time first.
				p.conn.RunAfter(idle/2, func() { alive.Store(p.conn.Connected()) })
				return true
			})
			p.expectErr(t, weir.ErrIdleTimeout)
			if !alive.Load() {
				t.Error("closed before its idle time")
			}
		})
	}
}

// TestClearedTimes: a connection without any time has no timer armed.
func TestClearedTimes(t *testing.T) {
	p := startPair(t, &handler{})
	for name, set := range map[string]func(on bool) error{
		"read deadline":  func(on bool) error { return p.conn.SetReadDeadline(deadline(on)) },
		"write deadline": func(on bool) error { return p.conn.SetWriteDeadline(deadline(on)) },
		"idle time": func(on bool) error {
			p.conn.SetIdleTime(time.Until(deadline(on)))
			return nil
		},
	} {
		fail(t, onLoop(t, p.conn, func() error { return set(true) }))
		eventually(t, name+" is armed", func() bool { return p.server.Stats().Timers == 1 })
		fail(t, onLoop(t, p.conn, func() error { return set(false) }))
		eventually(t, name+" is not armed", func() bool { return p.server.Stats().Timers == 0 })
	}
}

// deadline is one far away, or none.
func deadline(on bool) time.Time {
	if !on {
		return time.Time{}
	}
	return time.Now().Add(time.Hour)
}

// TestPastTimesCostNothing: a time that has passed and ends nothing fires once, and not
// with every tick.
func TestPastTimesCostNothing(t *testing.T) {
	const soon = 20 * time.Millisecond
	for _, tt := range []struct {
		name string
		opts []weir.Option
		set  func(t *testing.T, c *weir.Connection)
	}{
		{"write deadline, nothing unsent", nil, func(t *testing.T, c *weir.Connection) {
			fail(t, onLoop(t, c, func() error { return c.SetWriteDeadline(time.Now().Add(soon)) }))
		}},
		{"read deadline while closing", nil, func(t *testing.T, c *weir.Connection) {
			stallPeer(t, c)
			fail(t, onLoop(t, c, func() error {
				fail(t, c.SetReadDeadline(time.Now().Add(soon)))
				return c.Close()
			}))
		}},
		{"idle time while closing", []weir.Option{weir.IdleTime(soon)}, func(t *testing.T, c *weir.Connection) {
			fail(t, onLoop(t, c, func() error {
				_, err := c.Write(make([]byte, stuffing))
				fail(t, err)
				return c.Close()
			}))
		}},
		{"stall time while closing", []weir.Option{weir.StallTimeout(soon)}, func(t *testing.T, c *weir.Connection) {
			fail(t, onLoop(t, c, func() error {
				_, err := c.Write(make([]byte, stuffing))
				fail(t, err)
				return c.Close()
			}))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{}, append(tt.opts, quiet(), weir.Linger(time.Hour))...)
			tt.set(t, p.conn)
			<-time.After(2 * soon) // until it has passed
			expectFewTimers(t, p.server)
			if err := p.conn.Err(); err != nil {
				t.Errorf("it has ended: %v", err)
			}
		})
	}
}

// TestRunAfterWrites: a function of RunAfter writes as any callback does: what it writes
// is gathered, and leaves when it returns.
func TestRunAfterWrites(t *testing.T) {
	p := startPair(t, &handler{})
	write := func() int64 {
		_, err := p.conn.Write([]byte("tick"))
		fail(t, err)
		return p.conn.WriteBufferLength() // of what was not gathered
	}
	queued := make(chan int64, 1)
	want := onLoop(t, p.conn, func() int64 {
		p.conn.RunAfter(0, func() { queued <- write() })
		return write()
	})
	if got := receive(t, queued); got != want {
		t.Errorf("%d bytes were queued by a write in RunAfter, %d in Execute", got, want)
	}
	expect(t, p.peer, "ticktick")
}

// TestStoppedTimerLetsGo: a timer that is stopped, or has fired, holds its function no
// longer, however long its connection lives.
func TestStoppedTimerLetsGo(t *testing.T) {
	p := startPair(t, &handler{})
	arm := func(d time.Duration, then func(*weir.Timer)) weak.Pointer[[1 << 10]byte] {
		return onLoop(t, p.conn, func() weak.Pointer[[1 << 10]byte] {
			held := new([1 << 10]byte)
			then(p.conn.RunAfter(d, func() { runtime.KeepAlive(held) }))
			return weak.Make(held)
		})
	}
	stopped := arm(time.Hour, func(timer *weir.Timer) {
		if !timer.Stop() {
			t.Error("Stop says that it would not have run")
		}
	})
	fired := arm(0, func(*weir.Timer) {})
	eventually(t, "what they held is collected", func() bool {
		runtime.GC()
		return stopped.Value() == nil && fired.Value() == nil
	})
	if !p.conn.Connected() {
		t.Error("the connection has ended")
	}
}

// TestStalledPeerIsNotAsked: as long as the end of the stream isn't on its way, nobody
// asks every few milliseconds whether the peer has acknowledged it.
func TestStalledPeerIsNotAsked(t *testing.T) {
	var looks atomic.Int64
	p := startPair(t, &handler{}, quiet(), weir.Linger(time.Hour), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Unacked = func(fd int) int { looks.Add(1); return system.Unacked(fd) }
	}))
	stallPeer(t, p.conn)
	fail(t, p.conn.Close())
	const window, most = 300 * time.Millisecond, 3 // at each ackPoll it would be 6
	n := int64(0)
	for range 8 {
		before := looks.Load()
		<-time.After(window) // the time over which looks are counted
		if n = looks.Load() - before; n <= most {
			return
		}
	}
	t.Errorf("%d looks in %v", n, window)
}
