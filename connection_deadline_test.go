package weir_test

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// after waits until c's loop has fired all timers that are due d from now. c
// may be another connection of the loop in question.
func after(t *testing.T, c *weir.Connection, d time.Duration) {
	t.Helper()
	due := make(chan struct{})
	if err := c.Execute(func() { c.RunAfter(d, func() { close(due) }) }); err != nil {
		t.Fatal(err)
	}
	receive(t, due)
}

const soon = 30 * time.Millisecond

// TestReadDeadline: it ends the connection when it comes, and not if it was
// moved or cleared before.
func TestReadDeadline(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(c *weir.Connection) error
		ends bool
	}{
		{"passes", func(c *weir.Connection) error { return c.SetReadDeadline(time.Now().Add(soon)) }, true},
		{"long ago", func(c *weir.Connection) error { return c.SetReadDeadline(time.Unix(1, 0)) }, true},
		{"brought forward", func(c *weir.Connection) error {
			return errors.Join(c.SetReadDeadline(time.Now().Add(time.Hour)), c.SetReadDeadline(time.Now().Add(soon)))
		}, true},
		{"put off", func(c *weir.Connection) error {
			return errors.Join(c.SetReadDeadline(time.Now().Add(soon)), c.SetReadDeadline(time.Now().Add(time.Hour)))
		}, false},
		{"cleared", func(c *weir.Connection) error {
			return errors.Join(c.SetReadDeadline(time.Now().Add(soon)), c.SetReadDeadline(time.Time{}))
		}, false},
		{"for ever", func(c *weir.Connection) error { return c.SetReadDeadline(time.Now().Add(1 << 62)) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{connect: func(c *weir.Connection) { fail(t, tt.set(c)) }, message: echo})
			if !tt.ends {
				after(t, p.conn, 3*soon)
				send(t, p.peer, "still here")
				expect(t, p.peer, "still here")
				return
			}
			expectEnd(t, p.peer)
			p.expectErr(t, os.ErrDeadlineExceeded)
			eventually(t, "it is counted", func() bool { return p.server.Stats().Closed.Expired == 1 })
			if err := p.conn.SetReadDeadline(time.Time{}); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("SetReadDeadline after the end: %v", err)
			}
			if err := p.conn.SetWriteDeadline(time.Time{}); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("SetWriteDeadline after the end: %v", err)
			}
		})
	}
}

// TestWriteDeadline: it ends a connection that has unsent bytes when it comes
// or later, even one that is being closed, and no other.
func TestWriteDeadline(t *testing.T) {
	block := func(c *weir.Connection) {
		_, err := c.Write(pattern(10 << 20))
		fail(t, err)
	}
	for _, tt := range []struct {
		name  string
		act   func(c *weir.Connection)
		later func(c *weir.Connection)
		want  error // the cause
	}{
		{"while it is blocked", func(c *weir.Connection) {
			block(c)
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
		}, nil, os.ErrDeadlineExceeded},
		{"set before it blocks", func(c *weir.Connection) {
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
			block(c)
		}, nil, os.ErrDeadlineExceeded},
		{"passed before it blocks", func(c *weir.Connection) {
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
		}, block, os.ErrDeadlineExceeded},
		{"passed before a Send blocks", func(c *weir.Connection) {
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
		}, func(c *weir.Connection) { fail(t, c.Send(pattern(10<<20))) }, os.ErrDeadlineExceeded},
		{"while it drains", func(c *weir.Connection) {
			block(c)
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
			fail(t, c.Close())
		}, nil, weir.ErrConnectionClosed},
		{"passed before it drains", func(c *weir.Connection) {
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
		}, func(c *weir.Connection) { block(c); fail(t, c.Close()) }, weir.ErrConnectionClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{connect: tt.act}, weir.Linger(time.Hour))
			if tt.later != nil {
				after(t, p.conn, 3*soon)
				if !p.conn.Connected() {
					t.Fatal("the connection has ended with nothing unsent")
				}
				fail(t, p.conn.Execute(func() { tt.later(p.conn) }))
			}
			p.expectErr(t, tt.want)
			var lost *weir.UnsentError
			if !errors.As(p.conn.Err(), &lost) || lost.Bytes <= 0 || !errors.Is(p.conn.Err(), os.ErrDeadlineExceeded) {
				t.Errorf("Err is %v, want an *UnsentError because of the deadline", p.conn.Err())
			}
		})
	}
	t.Run("cleared", func(t *testing.T) {
		p := startPair(t, &handler{connect: func(c *weir.Connection) {
			fail(t, c.SetWriteDeadline(time.Now().Add(soon)))
			block(c)
			fail(t, c.SetWriteDeadline(time.Time{}))
		}})
		after(t, p.conn, 3*soon)
		expect(t, p.peer, string(pattern(10<<20)))
	})
	t.Run("nothing is unsent", func(t *testing.T) {
		p := startPair(t, &handler{
			connect: func(c *weir.Connection) { fail(t, c.SetWriteDeadline(time.Now().Add(soon))) },
			message: echo,
		})
		after(t, p.conn, 3*soon)
		for range 10 {
			send(t, p.peer, "still here")
			expect(t, p.peer, "still here")
			after(t, p.conn, 0)
		}
	})
}

// TestIdle: a connection without traffic ends after its idle time, one with
// traffic in either direction doesn't.
func TestIdle(t *testing.T) {
	const idle = 300 * time.Millisecond
	const often = 10 * time.Millisecond
	h := &handler{}
	begun, ended := observe(h)
	s := start(t, h, weir.IdleTime(idle))

	dial(t, s)
	silent := receive(t, begun)
	began := time.Now()
	dial(t, s)
	exempt := receive(t, begun)
	fail(t, exempt.Execute(func() { exempt.SetIdleTime(0) }))
	dial(t, s)
	hasty := receive(t, begun)
	fail(t, hasty.Execute(func() { hasty.SetIdleTime(time.Millisecond) }))
	talking := dial(t, s)
	talker := receive(t, begun)
	listening := dial(t, s)
	listener := receive(t, begun)

	if c := receive(t, ended); c != hasty || !errors.Is(c.Err(), weir.ErrIdleTimeout) {
		t.Fatalf("%v has ended first, with %v", c.ID(), c.Err())
	}
	gap, last := time.Duration(0), began // of the traffic
	for time.Since(began) < 3*idle {
		send(t, talking, "x")
		if listener.Send("x") != nil {
			break
		}
		if _, err := listening.Read(make([]byte, 100)); err != nil {
			break
		}
		time.Sleep(often) // what makes the traffic sparse
		gap, last = max(gap, time.Since(last)), time.Now()
	}
	if gap > idle/2 {
		t.Skipf("the machine is too busy: %v between two messages", gap)
	}
	if c := receive(t, ended); c != silent || !errors.Is(c.Err(), weir.ErrIdleTimeout) {
		t.Fatalf("%v has ended, with %v", c.ID(), c.Err())
	}
	for _, c := range []*weir.Connection{exempt, talker, listener} {
		if err := c.Err(); err != nil {
			t.Errorf("%v has ended, with %v", c.ID(), err)
		}
	}
	if n := s.Stats().Closed.Idle; n != 2 {
		t.Errorf("%d connections are counted as idle, want 2", n)
	}
}

// TestConnectionTimers: never early, each once, and not at all when stopped or
// when the connection has ended; however many there are.
func TestConnectionTimers(t *testing.T) {
	h := &handler{}
	begun, ended := observe(h)
	s := start(t, h)
	dial(t, s)
	other := receive(t, begun)
	newConn := func() (*weir.Connection, *net.TCPConn) {
		peer := dial(t, s)
		return receive(t, begun), peer
	}
	t.Run("order", func(t *testing.T) {
		c, peer := newConn()
		var order []time.Duration
		began := time.Now()
		delays := []time.Duration{40, 0, 20, 60, -5, 20, 10}
		done := make(chan []time.Duration, 1)
		fail(t, c.Execute(func() {
			for _, d := range delays {
				d *= time.Millisecond
				c.RunAfter(d, func() {
					if since := time.Since(began); since < d {
						t.Errorf("called after %v, want %v", since, d)
					}
					if order = append(order, d); len(order) == len(delays) {
						done <- order
						fail(t, c.WritePacket("done"))
					}
				})
			}
		}))
		if got := receive(t, done); !slices.IsSortedFunc(got, func(a, b time.Duration) int {
			return int((max(a, 0) - max(b, 0)) / (20 * time.Millisecond)) // what is closer may come in one tick
		}) {
			t.Errorf("order %v", got)
		}
		expect(t, peer, "done")
	})
	t.Run("Stop", func(t *testing.T) {
		c, _ := newConn()
		onLoop(t, c, func() bool {
			for range 3 {
				timer := c.RunAfter(soon, func() { t.Error("run after Stop") })
				c.RunAfter(soon, func() {}).Stop()
				if !timer.Stop() || timer.Stop() {
					t.Error("Stop does not say that it has stopped the timer, or says it twice")
				}
			}
			var a, b *weir.Timer
			var runs int
			a = c.RunAfter(soon, func() {
				if runs++; !b.Stop() || a.Stop() {
					t.Error("Stop of one that is due, and of one that has run")
				}
			})
			b = c.RunAfter(soon, func() {
				if runs++; !a.Stop() || b.Stop() {
					t.Error("Stop of one that is due, and of one that has run")
				}
			})
			c.RunAfter(2*soon, func() {
				if runs != 1 {
					t.Errorf("%d timers were run, of two that stop each other", runs)
				}
			})
			return true
		})
		after(t, c, 3*soon)
	})
	t.Run("the connection ends first", func(t *testing.T) {
		c, peer := newConn()
		timer := onLoop(t, c, func() *weir.Timer {
			return c.RunAfter(500*time.Millisecond, func() { t.Error("run after the end") })
		})
		fail(t, peer.Close())
		for receive(t, ended) != c {
		}
		onLoop(t, other, func() bool {
			if timer.Stop() || c.RunAfter(0, func() { t.Error("run after the end") }).Stop() {
				t.Error("Stop says that a timer of a connection that has ended would have been run")
			}
			return true
		})
		after(t, other, 500*time.Millisecond)
	})
	t.Run("many", func(t *testing.T) {
		c, _ := newConn()
		var runs, stopped atomic.Int64
		onLoop(t, c, func() bool {
			var timers []*weir.Timer
			for i := range 2000 {
				timers = append(timers, c.RunAfter(time.Duration(i%50)*time.Millisecond, func() { runs.Add(1) }))
			}
			for i := 0; i < len(timers); i += 3 {
				if timers[i].Stop() {
					stopped.Add(1)
				}
			}
			return true
		})
		after(t, c, 100*time.Millisecond)
		if runs.Load()+stopped.Load() != 2000 || stopped.Load() != 667 {
			t.Errorf("%d runs, %d stopped", runs.Load(), stopped.Load())
		}
	})
}
