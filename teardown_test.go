package weir_test

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestNextOfDead: what a connection has written in the callback that ends it is not
// sent to the next one.
func TestNextOfDead(t *testing.T) {
	s := start(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		if string(data) == "die" {
			_, err := c.Write([]byte("of the dead"))
			fail(t, err)
			if _, err = c.Write(make([]byte, 128<<10)); !errors.Is(err, weir.ErrWriteBufferFull) {
				t.Errorf("Write returns %v", err)
			}
			return nil
		}
		return data
	}}, quiet(), weir.SlowConsumer(weir.CloseSlow), weir.WriteBufferMarks(1<<10, 4<<10), weir.WriteBufferLimit(64<<10))
	next, dying := dial(t, s), dial(t, s)
	send(t, dying, "die")
	if n, err := dying.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	send(t, next, "hello")
	expect(t, next, "hello")
}

// TestUnsentInCallback: what the running callback has written counts as lost.
func TestUnsentInCallback(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		_, err := c.Write(make([]byte, 1000))
		fail(t, err)
		_, _ = c.Write(make([]byte, 128<<10)) // is refused, and ends c
		return nil
	}}, quiet(), weir.SlowConsumer(weir.CloseSlow), weir.WriteBufferMarks(1<<10, 4<<10), weir.WriteBufferLimit(64<<10))
	send(t, p.peer, "x")
	p.expectErr(t, weir.ErrSlowConsumer)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || lost.Bytes != 1000 {
		t.Errorf("Err is %v, want 1000 bytes unsent", p.conn.Err())
	}
}

// TestLateSend: a Send that has been counted and is about to be refused, because the
// connection ends, is nothing that the peer has lost.
func TestLateSend(t *testing.T) {
	const late = 100
	var conn atomic.Pointer[weir.Connection]
	var aborted atomic.Bool
	h := &handler{close: func(c *weir.Connection) { weir.AddPending(c, -late) }}
	p := startPair(t, h, withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Unacked = func(int) int {
			if c := conn.Swap(nil); c != nil { // everything is sent: the last look
				weir.AddPending(c, late)
			}
			return 0
		}
		c.Abort = func(fd int) syscall.Errno { aborted.Store(true); return system.Abort(fd) }
	}), weir.Linger(time.Hour))
	conn.Store(p.conn)
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
	p.expectErr(t, weir.ErrConnectionClosed)
	if conn.Load() != nil {
		t.Error("the peer's acknowledgements were not looked at")
	}
	expectNothingLost(t, p.conn)
	if aborted.Load() {
		t.Error("the connection was reset")
	}
}

// TestTeardownTimers: what has ended leaves no timer armed.
func TestTeardownTimers(t *testing.T) {
	p := startPair(t, &handler{}, weir.IdleTime(time.Hour))
	eventually(t, "its idle time runs", func() bool { return p.server.Stats().Timers == 1 })
	onLoop(t, p.conn, func() *weir.Timer { return p.conn.RunAfter(time.Hour, func() {}) })
	eventually(t, "so does its timer", func() bool { return p.server.Stats().Timers == 2 })
	_ = p.peer.Close() // nothing is unread
	receive(t, p.ended)
	eventually(t, "none is armed", func() bool { return p.server.Stats().Timers == 0 })
}

// TestReadFailsWhileDraining: nothing will be sent to a peer of which a read fails, and
// nobody waits for it.
func TestReadFailsWhileDraining(t *testing.T) {
	var failing atomic.Bool
	p := startPair(t, &handler{}, quiet(), weir.Linger(time.Hour), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Read = func(fd int, b []byte) (int, syscall.Errno) {
			if failing.Load() {
				return 0, syscall.EIO
			}
			return system.Read(fd, b)
		}
	}))
	stallPeer(t, p.conn)
	failing.Store(true)
	fail(t, p.conn.Close())
	p.expectErr(t, syscall.EIO)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || !errors.Is(lost.Cause, weir.ErrConnectionClosed) {
		t.Errorf("Err is %v", p.conn.Err())
	}
}

// TestDrainingHoldsNoInput: a connection that is being closed gives back what it has
// received, and is not one that waits for its peer to go on.
func TestDrainingHoldsNoInput(t *testing.T) {
	p := startPair(t, &handler{}, quiet(), weir.CustomProtocol(framed{}), weir.WriteBufferMarks(1<<10, 4<<10), weir.Linger(time.Hour))
	send(t, p.peer, frame("half a message")[:10])
	eventually(t, "it is received", func() bool { return p.server.Stats().InputBytes == 10 })
	stallPeer(t, p.conn)
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
	fail(t, p.conn.Close())
	eventually(t, "nothing is held or paused", func() bool {
		st := p.server.Stats()
		return st.InputBytes == 0 && st.Paused == 0
	})
	if p.conn.Err() != nil {
		t.Errorf("it has ended: %v", p.conn.Err())
	}
}

// TestResetEndsPause: a connection that is reset does not count as paused any more.
func TestResetEndsPause(t *testing.T) {
	p := startPair(t, &handler{}, quiet(), weir.WriteBufferMarks(1<<10, 4<<10))
	stallPeer(t, p.conn)
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
	reset(t, p.peer)
	receive(t, p.ended)
	eventually(t, "none is paused", func() bool { return p.server.Stats().Paused == 0 })
}

// TestDiscardTakesTurns: of a peer that sends on to a connection that is being closed, a
// little is thrown away in one cycle, and all of it before the descriptor is closed.
func TestDiscardTakesTurns(t *testing.T) {
	const full = 40 // reads that fill the buffer
	y := new(cycles)
	var closing atomic.Bool
	var reads int
	var inCycle row
	p := startPair(t, &handler{}, y.option(), weir.Linger(time.Hour), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Read = func(fd int, b []byte) (int, syscall.Errno) {
			if !closing.Load() {
				return system.Read(fd, b)
			}
			reads++
			if inCycle.count(y); reads <= full {
				return len(b), 0
			}
			return system.Read(fd, b)
		}
		c.Unacked = func(int) int { return 0 }
	}))
	closing.Store(true)
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
	send(t, p.peer, "what makes the descriptor readable until it is read")
	receive(t, p.ended)
	if reads <= full {
		t.Errorf("closed after %d reads, with input left", reads)
	}
	if inCycle.most > 8 {
		t.Errorf("%d reads in one cycle", inCycle.most)
	}
}

// TestOneFIN: this side's stream is ended once, however often the end is looked at.
func TestOneFIN(t *testing.T) {
	for name, first := range map[string]func(*weir.Connection) error{
		"Close":         func(*weir.Connection) error { return nil },
		"ShutdownWrite": (*weir.Connection).ShutdownWrite,
	} {
		t.Run(name, func(t *testing.T) {
			var ends atomic.Int64
			p := startPair(t, &handler{}, weir.Linger(time.Hour), withCalls(func(c *sock.Calls, system sock.Calls) {
				c.ShutdownWrite = func(fd int) syscall.Errno { ends.Add(1); return system.ShutdownWrite(fd) }
			}))
			fail(t, first(p.conn))
			onLoop(t, p.conn, func() bool { p.conn.AwaitPeer(); return true })
			fail(t, p.conn.Close())
			expectEnd(t, p.peer)
			for sent := uint64(1); sent <= 3; sent++ {
				send(t, p.peer, "x")
				eventually(t, "it is taken", func() bool { return p.server.Stats().BytesIn == sent })
			}
			_ = p.peer.Close() // all was read
			receive(t, p.ended)
			if n := ends.Load(); n != 1 {
				t.Errorf("the stream was ended %d times", n)
			}
		})
	}
}

// TestLingerOfTalker: a peer that takes nothing does not lengthen the linger time by
// what it sends.
func TestLingerOfTalker(t *testing.T) {
	p := startPair(t, &handler{}, quiet(), weir.Linger(200*time.Millisecond))
	stallPeer(t, p.conn)
	fail(t, p.conn.Close())
	go func() {
		for ticker := time.NewTicker(5 * time.Millisecond); ; <-ticker.C {
			if _, err := p.peer.Write([]byte{'x'}); err != nil {
				ticker.Stop()
				return
			}
		}
	}()
	p.expectErr(t, weir.ErrConnectionClosed)
}

// TestAwaitsAcknowledgement: closing waits for the peer's end where the system can't say what
// the peer has, and not for the acknowledgement of the end itself.
func TestAwaitsAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name    string
		unacked int
		waits   bool
	}{
		{"unknown", -1, true},
		{"something", 2, true},
		{"the end", 1, false},
		{"nothing", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var looks atomic.Int64
			p := startPair(t, &handler{}, weir.Linger(time.Hour), withCalls(func(c *sock.Calls, _ sock.Calls) {
				c.Unacked = func(int) int { looks.Add(1); return tt.unacked }
			}))
			fail(t, p.conn.Close())
			expectEnd(t, p.peer)
			if tt.waits {
				before := looks.Load()
				eventually(t, "more looks", func() bool { return looks.Load() >= before+2 })
				if p.conn.Err() != nil {
					t.Error("it did not wait")
				}
				_ = p.peer.Close() // all was read
			}
			p.expectErr(t, weir.ErrConnectionClosed)
		})
	}
}

// TestShutdownWriteOfEnding: on a connection that is being closed it is refused.
func TestShutdownWriteOfEnding(t *testing.T) {
	p := startPair(t, &handler{})
	err := onLoop(t, p.conn, func() error {
		fail(t, p.conn.Close())
		return p.conn.ShutdownWrite()
	})
	if !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("ShutdownWrite returns %v", err)
	}
}

// TestNoLingerAsksNothing: without a linger time a connection that has sent everything is
// closed at once, whatever its peer has acknowledged.
func TestNoLingerAsksNothing(t *testing.T) {
	var calls atomic.Int64
	p := startPair(t, &handler{}, weir.Linger(0), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Unacked = func(fd int) int { calls.Add(1); return system.Unacked(fd) }
		c.ShutdownWrite = func(fd int) syscall.Errno { calls.Add(1); return system.ShutdownWrite(fd) }
	}))
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
	p.expectErr(t, weir.ErrConnectionClosed)
	if n := calls.Load(); n != 0 {
		t.Errorf("%d system calls for a linger time of 0", n)
	}
}
