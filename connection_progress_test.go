package weir_test

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// ackScript stands in for SIOCOUTQ: at each of the first moves looks, the peer's system
// has acknowledged one byte more, then none any more.
type ackScript struct {
	moves int64
	looks atomic.Int64
}

func (a *ackScript) option() weir.Option {
	return weir.WithCalls(func(calls *sock.Calls) {
		calls.Unacked = func(int) int { return 1<<20 - int(min(a.looks.Add(1), a.moves)) }
	})
}

// TestProgressKeeps: each of the times without progress begins anew when the peer's
// system acknowledges something, and ends the connection once it doesn't any more.
func TestProgressKeeps(t *testing.T) {
	const limit, moves = 80 * time.Millisecond, 20
	block := func(c *weir.Connection) {
		_, err := c.Write(pattern(10 << 20))
		fail(t, err)
	}
	for _, tt := range []struct {
		name    string
		connect func(c *weir.Connection)
		opts    []weir.Option
		want    error
	}{
		{"idle time", func(*weir.Connection) {}, []weir.Option{weir.IdleTime(limit)}, weir.ErrIdleTimeout},
		{"idle time, blocked", block, []weir.Option{weir.IdleTime(limit)}, weir.ErrIdleTimeout},
		{"stall time", block, []weir.Option{weir.StallTimeout(limit)}, weir.ErrStalled},
		{"stall time of the connection", func(c *weir.Connection) {
			c.SetStallTimeout(limit)
			block(c)
		}, []weir.Option{weir.StallTimeout(time.Hour)}, weir.ErrStalled},
		{"linger", func(c *weir.Connection) {
			block(c)
			fail(t, c.Close())
		}, []weir.Option{weir.Linger(limit)}, weir.ErrConnectionClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := &ackScript{moves: moves}
			p := startPair(t, &handler{connect: tt.connect}, append(tt.opts, script.option(), quiet())...)
			p.expectErr(t, tt.want)
			// The first look finds that something is unacknowledged, the last one no change.
			if n := script.looks.Load(); n < moves {
				t.Errorf("closed after %d looks, of which each found progress", n)
			}
		})
	}
}

// TestLingerLimit: progress does not keep a connection that is being closed for longer
// than the limit.
func TestLingerLimit(t *testing.T) {
	script := &ackScript{moves: 1 << 30}
	p := startPair(t, &handler{connect: func(c *weir.Connection) {
		_, err := c.Write(pattern(10 << 20))
		fail(t, errors.Join(err, c.Close()))
	}}, weir.Linger(40*time.Millisecond), weir.LingerLimit(300*time.Millisecond), script.option())
	p.expectErr(t, weir.ErrConnectionClosed)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || lost.Bytes == 0 {
		t.Errorf("Err is %v, want an *UnsentError", p.conn.Err())
	}
	if n := script.looks.Load(); n < 10 {
		t.Errorf("closed after %d looks: not for the limit", n)
	}
}

// TestSlowReaderIsServed: a peer that reads without a pause, but slowly, gets all of an
// answer for which it needs several times the linger time.
func TestSlowReaderIsServed(t *testing.T) {
	const total, chunk = 4 << 20, 64 << 10
	const linger, pace = 500 * time.Millisecond, 25 * time.Millisecond // in all, 64 times the pace
	for _, tt := range []struct {
		name string
		ends func(p *pair) error
	}{
		{"Close", func(p *pair) error { return p.conn.Close() }},
		{"half-close by the peer", func(p *pair) error { return p.peer.CloseWrite() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startPair(t, &handler{connect: func(c *weir.Connection) {
				_, err := c.Write(pattern(total))
				fail(t, err)
			}}, weir.Linger(linger), weir.SocketWriteBuffer(64<<10))
			fail(t, p.peer.SetReadBuffer(64<<10))
			fail(t, tt.ends(p))
			got := 0
			for buf := make([]byte, chunk); got < total; {
				n, err := io.ReadFull(p.peer, buf)
				got += n
				if err != nil {
					t.Fatalf("read %d of %d bytes, then %v", got, total, err)
				}
				time.Sleep(pace) // what makes the reader slow
			}
			expectEnd(t, p.peer)
			for receive(t, p.ended) != p.conn {
			}
			expectNothingLost(t, p.conn)
		})
	}
}

// TestWritesAreNoProgress: a program that goes on writing does not keep a peer alive
// that acknowledges nothing.
func TestWritesAreNoProgress(t *testing.T) {
	script := &ackScript{} // everything is taken by the system, and nothing acknowledged
	var writes atomic.Int64
	p := startPair(t, &handler{connect: func(c *weir.Connection) {
		var again func()
		again = func() {
			writes.Add(1)
			if _, err := c.Write([]byte("x")); err == nil {
				c.RunAfter(10*time.Millisecond, again)
			}
		}
		again()
	}}, weir.IdleTime(300*time.Millisecond), weir.WithCalls(func(calls *sock.Calls) {
		var written atomic.Int64
		write := calls.Write
		calls.Write = func(fd int, b []byte) (int, syscall.Errno) {
			n, errno := write(fd, b)
			written.Add(int64(n))
			return n, errno
		}
		calls.Unacked = func(int) int { script.looks.Add(1); return int(written.Load()) }
	}))
	p.expectErr(t, weir.ErrIdleTimeout)
	if writes.Load() < 5 {
		t.Errorf("only %d writes: the connection was silent", writes.Load())
	}
}

// TestIdleFromTheEndOfTheCycle: the idle time runs from the answer, not from the beginning of
// a callback that took longer than the idle time to make it.
func TestIdleFromTheEndOfTheCycle(t *testing.T) {
	const idle = 100 * time.Millisecond
	var answered time.Time // loop only
	since := make(chan time.Duration, 1)
	p := startPair(t, &handler{
		message: func(*weir.Connection, any, []byte) any {
			<-time.After(3 * idle) // a slow callback
			answered = time.Now()
			return []byte("pong")
		},
		close: func(*weir.Connection) { since <- time.Since(answered) },
	}, weir.IdleTime(idle), weir.Watchdog(0))
	send(t, p.peer, "ping")
	p.expectErr(t, weir.ErrIdleTimeout)
	if d := receive(t, since); d < idle {
		t.Errorf("closed as idle %v after the answer", d)
	}
}

// TestSinceProgress: it grows while the peer is silent, and starts anew with what is
// received and with what is acknowledged.
func TestSinceProgress(t *testing.T) {
	var unacked atomic.Int64
	p := startPair(t, &handler{message: echo}, weir.WithCalls(func(calls *sock.Calls) {
		calls.Unacked = func(int) int { return int(unacked.Load()) }
	}))
	since := func() time.Duration { return onLoop(t, p.conn, p.conn.SinceProgress) }
	grown := func() time.Duration {
		eventually(t, "it grows", func() bool { return since() > 20*time.Millisecond })
		return since()
	}
	if d := since(); d > patience {
		t.Errorf("the first call returns %v", d)
	}
	long := grown()
	send(t, p.peer, "x")
	expect(t, p.peer, "x")
	eventually(t, "what is received is progress", func() bool { return since() < long })

	long = grown()
	unacked.Store(10)
	eventually(t, "what is unacknowledged is watched", func() bool { return since() < long })
	long = grown()
	fail(t, onLoop(t, p.conn, func() error { return p.conn.WritePacket("y") }))
	expect(t, p.peer, "y")
	unacked.Store(11)
	if d := since(); d < long {
		t.Errorf("a write is taken for progress: %v after %v", d, long)
	}
	unacked.Store(5)
	eventually(t, "an acknowledgement is progress", func() bool { return since() < long })
	long = grown()
	unacked.Store(0)
	eventually(t, "the last acknowledgement is progress", func() bool { return since() < long })

	_ = p.peer.Close()
	p.expectErr(t, io.EOF)
	eventually(t, "it is 0 after the end", func() bool { return p.conn.SinceProgress() == 0 })
}

// TestUnacknowledged: it is what the system says, 0 where that says nothing and after the
// end of the connection.
func TestUnacknowledged(t *testing.T) {
	var unacked atomic.Int64
	p := startPair(t, &handler{}, weir.WithCalls(func(calls *sock.Calls) {
		calls.Unacked = func(int) int { return int(unacked.Load()) }
	}))
	for says, want := range map[int64]int{0: 0, 1: 1, 4711: 4711, -1: 0} {
		unacked.Store(says)
		if n := onLoop(t, p.conn, p.conn.Unacknowledged); n != want {
			t.Errorf("the system says %d: %d", says, n)
		}
	}
	_ = p.peer.Close()
	p.expectErr(t, io.EOF)
	unacked.Store(1)
	eventually(t, "it is 0 after the end", func() bool { return p.conn.Unacknowledged() == 0 })
}

// TestPastWriteDeadline: a deadline that has passed ends a connection whose system refuses
// bytes, and not one that has not been offered them yet.
func TestPastWriteDeadline(t *testing.T) {
	p := startPair(t, &handler{})
	for range 5 {
		fail(t, p.conn.Execute(func() {
			fail(t, errors.Join(p.conn.Send("x"), p.conn.SetWriteDeadline(time.Unix(1, 0))))
			<-time.After(20 * time.Millisecond) // so that the timer is due when the loop comes to the Send
		}))
		expect(t, p.peer, "x")
	}
	fail(t, p.conn.Send(pattern(10<<20)))
	p.expectErr(t, os.ErrDeadlineExceeded)
}

// TestNoStall: a connection with nothing unsent does not stall, however silent it is, and
// neither does one for which the time is off.
func TestNoStall(t *testing.T) {
	const limit = 30 * time.Millisecond
	t.Run("nothing unsent", func(t *testing.T) {
		p := startPair(t, &handler{connect: func(c *weir.Connection) {
			c.SinceProgress()
			fail(t, c.SetReadDeadline(time.Now().Add(5*limit)))
		}}, weir.StallTimeout(limit))
		p.expectErr(t, os.ErrDeadlineExceeded)
	})
	t.Run("off", func(t *testing.T) {
		script := &ackScript{} // the peer acknowledges nothing
		p := startPair(t, &handler{connect: func(c *weir.Connection) {
			c.SetStallTimeout(0)
			_, err := c.Write(pattern(10 << 20))
			fail(t, err)
		}}, weir.StallTimeout(limit), script.option())
		after(t, p.conn, 5*limit)
		if !p.conn.Connected() {
			t.Errorf("it has ended, with %v", p.conn.Err())
		}
	})
}
