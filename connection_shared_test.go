package weir_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// valve makes a system refuse all bytes while it is shut. Loop only.
type valve struct{ shut bool }

func (v *valve) calls() weir.Option {
	return weir.WithCalls(func(c *sock.Calls) {
		write, writev := c.Write, c.Writev
		c.Write = func(fd int, p []byte) (int, syscall.Errno) {
			if v.shut {
				return 0, syscall.EAGAIN
			}
			return write(fd, p)
		}
		c.Writev = func(fd int, p *sock.Vector) (int, syscall.Errno) {
			if v.shut {
				return 0, syscall.EAGAIN
			}
			return writev(fd, p)
		}
	})
}

// TestWriteShared: what is written in whichever way arrives in that order, from a
// callback of the connection and from one of the loop.
func TestWriteShared(t *testing.T) {
	var want strings.Builder
	write := func(c *weir.Connection) {
		for i, n := range []int{1, 4096, 100, 5000, 70_000, 4095, 1 << 20, 3 << 20, 10, 65_536} {
			p := pattern(n)
			p[0] = byte(i)
			fail(t, c.WriteShared(p))
			if _, err := c.Write(p[:1]); err != nil {
				t.Error(err)
			}
			want.Write(p)
			want.WriteByte(p[0])
		}
	}
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any { write(c); return nil }})
	send(t, p.peer, "?")
	expect(t, p.peer, "\x00") // the callback runs
	onLoop(t, p.conn, func() int { return 0 })
	expect(t, p.peer, want.String()[1:])
	want.Reset()
	done := make(chan struct{})
	fail(t, p.conn.Loop().Execute(func() { write(p.conn); close(done) }))
	receive(t, done)
	expect(t, p.peer, want.String())
	_ = p.conn.Close() // it is open
	expectEnd(t, p.peer)
}

// TestWriteSharedIsNotCopied: of what the system refuses the connection keeps the bytes
// themselves, so they are the same for all connections. That shows when they change.
func TestWriteSharedIsNotCopied(t *testing.T) {
	for _, of := range []string{"the connection", "the loop"} {
		t.Run("in a callback of "+of, func(t *testing.T) {
			var system valve
			p := startPair(t, &handler{}, system.calls())
			shared := []byte(strings.Repeat("a", 1<<20))
			short := []byte(strings.Repeat("a", 4095))
			execute := p.conn.Loop().Execute
			if of == "the connection" {
				execute = p.conn.Execute
			}
			fail(t, execute(func() {
				system.shut = true
				if p.conn.WriteBlocked() {
					t.Error("blocked before anything was written")
				}
				fail(t, p.conn.WriteShared(shared))
				fail(t, p.conn.WriteShared(short))
			}))
			onLoop(t, p.conn, func() int { return 0 })
			onLoop(t, p.conn, func() int { // the cycle of the writes has ended
				if !p.conn.WriteBlocked() {
					t.Error("not blocked by a system that takes nothing")
				}
				for i := range shared {
					shared[i] = 'b'
				}
				clear(short)
				system.shut = false
				return 0
			})
			expect(t, p.peer, strings.Repeat("b", len(shared))+strings.Repeat("a", len(short)))
			eventually(t, "the system takes bytes again", func() bool {
				return !onLoop(t, p.conn, p.conn.WriteBlocked) && p.conn.WriteBufferLength() == 0
			})
			if n := p.server.Stats().OutputBytes; n != 0 {
				t.Errorf("%d bytes of output are counted", n)
			}
		})
	}
}

// TestWriteSharedLimit: at the limit nothing of it is accepted, as with Write; and
// WriteFits says where that is.
func TestWriteSharedLimit(t *testing.T) {
	const limit = 100_000
	var system valve
	p := startPair(t, &handler{}, system.calls(), weir.WriteBufferMarks(1000, limit/2), weir.WriteBufferLimit(limit))
	write := func(n int, fits bool) {
		t.Helper()
		if p.conn.WriteFits(n) != fits {
			t.Errorf("%d bytes fit: %v", n, !fits)
		}
		if err := p.conn.WriteShared([]byte(strings.Repeat("x", n))); fits && err != nil || !fits && !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("WriteShared of %d bytes: %v", n, err)
		}
	}
	fail(t, p.conn.Loop().Execute(func() {
		system.shut = true
		write(limit+1, false)
		write(limit-10, true)
		write(11, false)
		write(10, true)
		write(1, false)
		system.shut = false
	}))
	expect(t, p.peer, strings.Repeat("x", limit))
	_ = p.conn.Close() // it is open
	expectEnd(t, p.peer)
	if err := p.conn.WriteShared(make([]byte, 5000)); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestWriteSharedSlow: a peer that is over the limit is closed, if that is the policy.
func TestWriteSharedSlow(t *testing.T) {
	var system valve
	p := startPair(t, &handler{}, system.calls(), quiet(), weir.WriteBufferMarks(1000, 50_000), weir.WriteBufferLimit(100_000), weir.SlowConsumer(weir.CloseSlow))
	fail(t, p.conn.Loop().Execute(func() {
		system.shut = true
		fail(t, p.conn.WriteShared(make([]byte, 90_000)))
		if err := p.conn.WriteShared(make([]byte, 20_000)); !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("WriteShared: %v", err)
		}
	}))
	p.expectErr(t, weir.ErrSlowConsumer)
}
