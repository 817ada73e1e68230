package weir_test

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestNoPauseWhileClosing: a connection that is being closed is not read anyway, and
// does not count as paused when it goes over its high-water mark.
func TestNoPauseWhileClosing(t *testing.T) {
	p := startPair(t, &handler{}, quiet(), weir.WriteBufferMarks(1<<10, 4<<10), weir.Linger(time.Hour))
	release := occupy(t, p.conn)
	fail(t, p.conn.Send(make([]byte, stuffing)))
	fail(t, p.conn.Close())
	release()
	eventually(t, "it is draining", func() bool { return p.server.Stats().OutputBytes > 0 })
	if st := p.server.Stats(); st.Pauses != 0 || st.Paused != 0 {
		t.Errorf("%d pauses, %d paused", st.Pauses, st.Paused)
	}
}

// TestOverAgainInOnWritable: what OnWritable writes can take the connection over its mark
// again. Then it is not read until that is sent, too.
func TestOverAgainInOnWritable(t *testing.T) {
	var over atomic.Bool
	var reads, writable int
	p := startPair(t, &handler{
		message: func(*weir.Connection, any, []byte) any {
			if over.Load() {
				t.Error("OnMessage is called")
			}
			return nil
		},
		writable: func(c *weir.Connection) {
			if writable++; writable == 1 {
				_, err := c.Write(make([]byte, stuffing))
				fail(t, err)
				over.Store(true)
			}
		},
	}, quiet(), weir.WriteBufferMarks(1<<10, 4<<10), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Read = func(fd int, b []byte) (int, syscall.Errno) {
			if over.Load() {
				reads++
			}
			return system.Read(fd, b)
		}
	}))
	stallPeer(t, p.conn)
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
	send(t, p.peer, "what waits to be read")
	if _, err := io.CopyN(io.Discard, p.peer, stuffing); err != nil {
		t.Fatal(err)
	}
	eventually(t, "OnWritable was called", over.Load)
	onLoop(t, p.conn, func() bool { return true }) // after a poll that could have told of the input
	if n := onLoop(t, p.conn, func() int { return reads }); n != 0 {
		t.Errorf("%d reads over the high-water mark", n)
	}
	over.Store(false)
	if _, err := io.CopyN(io.Discard, p.peer, stuffing); err != nil {
		t.Fatal(err)
	}
}

// TestOnWritableComesAgain: OnWritable that goes over the mark is called again, also if
// all of that is sent before the loop polls: then there is no event that would tell.
func TestOnWritableComesAgain(t *testing.T) {
	var interrupt atomic.Bool // the next write
	calls := make(chan int, 16)
	n := 0
	p := startPair(t, &handler{writable: func(c *weir.Connection) {
		if n++; n <= 4 {
			interrupt.Store(true) // so that all is queued
			_, err := c.Write(pattern(100 << 10))
			fail(t, err)
		}
		calls <- n
	}}, weir.WriteBufferMarks(0, 4<<10), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Write = func(fd int, b []byte) (int, syscall.Errno) {
			if interrupt.Swap(false) {
				return 0, syscall.EINTR
			}
			return system.Write(fd, b)
		}
	}))
	go func() { _, _ = io.Copy(io.Discard, p.peer) }() // until the test ends
	release := occupy(t, p.conn)
	fail(t, p.conn.Send(pattern(10<<10)))
	release()
	for want := 1; want <= 5; want++ {
		if got := receive(t, calls); got != want {
			t.Fatalf("call %d, want %d", got, want)
		}
	}
}

// TestNothingRunsForDead: once a connection has failed, nothing more is encoded for it,
// and what was given to Execute is not run, also before its OnClose.
func TestNothingRunsForDead(t *testing.T) {
	var victim atomic.Pointer[weir.Connection]
	var encoded atomic.Int64
	p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any {
		c := victim.Load()
		fail(t, c.Send("late"))
		fail(t, c.Execute(func() { t.Error("the function of Execute runs") }))
		if _, err := c.Write(make([]byte, 128<<10)); !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("Write returns %v", err)
		}
		return nil
	}}, quiet(), weir.CustomProtocol(countingPackets{n: &encoded}), weir.SlowConsumer(weir.CloseSlow),
		weir.WriteBufferMarks(1<<10, 4<<10), weir.WriteBufferLimit(64<<10))
	dial(t, p.server)
	victim.Store(receive(t, p.begun))
	send(t, p.peer, "go")
	c := receive(t, p.ended)
	if c != victim.Load() || !errors.Is(c.Err(), weir.ErrSlowConsumer) {
		t.Errorf("%v has ended: %v", c.ID(), c.Err())
	}
	if n := encoded.Load(); n != 0 {
		t.Errorf("%d messages were encoded for a connection that has failed", n)
	}
}

// countingPackets is DefaultProtocol, and counts what it encodes.
type countingPackets struct {
	*weir.DefaultProtocol
	n *atomic.Int64
}

func (p countingPackets) Packet(c *weir.Connection, data any) []byte {
	p.n.Add(1)
	return p.DefaultProtocol.Packet(c, data)
}
