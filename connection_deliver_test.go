package weir_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/ringbuffer"
)

// TestResumeOverTheMark: ResumeRead does not deliver to a connection that is over its
// high-water mark.
func TestResumeOverTheMark(t *testing.T) {
	var messages atomic.Int64
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		messages.Add(1)
		_, err := c.Write(make([]byte, stuffing))
		fail(t, err)
		return nil
	}}, quiet(), weir.CustomProtocol(framed{}), weir.WriteBufferMarks(1<<10, 4<<10))
	send(t, p.peer, frame("one")+frame("two"))
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
	p.conn.PauseRead()
	p.conn.ResumeRead()
	onLoop(t, p.conn, func() bool { return true }) // after what ResumeRead has posted
	if n := messages.Load(); n != 1 {
		t.Errorf("%d messages were delivered, want 1", n)
	}
}

// TestLowWaterMarkZero: a connection whose low-water mark is 0 goes on once everything
// is sent.
func TestLowWaterMarkZero(t *testing.T) {
	p := startPair(t, &handler{message: echo}, weir.WriteBufferMarks(0, 1))
	stallPeer(t, p.conn)
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
	if _, err := io.CopyN(io.Discard, p.peer, stuffing); err != nil {
		t.Fatal(err)
	}
	send(t, p.peer, "more")
	expect(t, p.peer, "more")
}

var errRefused = errors.New("refused")

// refusing is a Protocol that closes the connection and returns a message all the same.
type refusing struct{ *weir.DefaultProtocol }

func (refusing) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
	c.CloseWithError(errRefused)
	b.RetrieveAll()
	return "message", nil
}

// refusingSplitter is refusing, by Split.
type refusingSplitter struct{ *weir.DefaultProtocol }

func (refusingSplitter) Split(c *weir.Connection, data []byte) (int, any, []byte) {
	c.CloseWithError(errRefused)
	return len(data), nil, data
}

// TestMessageOfRefused: what the Protocol returns for a connection that it has closed is
// not delivered.
func TestMessageOfRefused(t *testing.T) {
	for name, protocol := range map[string]weir.Protocol{"UnPacket": refusing{}, "Split": refusingSplitter{}} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any {
				t.Error("OnMessage is called")
				return nil
			}}, weir.CustomProtocol(protocol))
			send(t, p.peer, "x")
			p.expectErr(t, errRefused)
			if n := p.server.Stats().MessagesIn; n != 0 {
				t.Errorf("%d messages are counted", n)
			}
		})
	}
}

// TestInputShrinks: the beginning of a message does not hold on to the memory of the
// message before it.
func TestInputShrinks(t *testing.T) {
	for name, n := range map[string]int{"in the loop's buffer": 4000, "in its own ring": 200_000} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.CustomProtocol(framed{}))
			message := frame(string(pattern(n)))
			send(t, p.peer, message[:len(message)-1])
			eventually(t, "it is received but for a byte", func() bool {
				return p.conn.ReadBufferLength() == int64(len(message)-1)
			})
			send(t, p.peer, message[len(message)-1:]+"\x00")
			eventually(t, "one byte of the next is left", func() bool { return p.conn.ReadBufferLength() == 1 })
			if size := onLoop(t, p.conn, func() int { return weir.InputStorage(p.conn) }); size == 0 || size > 1<<10 {
				t.Errorf("a byte is kept in %d", size)
			}
		})
	}
}

// TestOneReadWhileUnsent: a peer that is owed something is read once in a cycle, also if
// it fills the buffer.
func TestOneReadWhileUnsent(t *testing.T) {
	y := new(cycles)
	var inCycle row
	full := 0
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		_, err := c.Write(pattern(128 << 10)) // not gathered with others: so long that it is written at once
		fail(t, err)
		return nil
	}}, y.option(), quiet(), withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Read = func(fd int, b []byte) (int, syscall.Errno) {
			inCycle.count(y)
			if full++; full <= 8 {
				return len(b), 0
			}
			return system.Read(fd, b)
		}
		c.Write = func(int, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }
		c.Writev = func(int, *sock.Vector) (int, syscall.Errno) { return 0, syscall.EAGAIN }
	}), weir.WriteBufferMarks(8<<20, 16<<20))
	send(t, p.peer, "what makes the descriptor readable until it is read")
	eventually(t, "all is read", func() bool { return p.server.Stats().Reads > 8 })
	if most := onLoop(t, p.conn, func() int64 { return inCycle.most }); most != 1 {
		t.Errorf("%d reads in one cycle", most)
	}
}

// TestNotWritableAfterClose: OnWritable is not called once Close was.
func TestNotWritableAfterClose(t *testing.T) {
	p := startPair(t, &handler{writable: func(*weir.Connection) { t.Error("OnWritable is called") }},
		quiet(), weir.WriteBufferMarks(1<<10, 4<<10))
	large := pattern(8 << 20)
	var closed atomic.Bool
	fail(t, p.conn.Send(large, weir.SendInLoop(func(any) {
		fail(t, p.conn.Close())
		closed.Store(true)
	})))
	eventually(t, "reading pauses", func() bool { return p.server.Stats().Pauses == 1 })
	expect(t, p.peer, string(large))
	expectEnd(t, p.peer)
	_ = p.peer.Close() // all was read
	p.expectErr(t, weir.ErrConnectionClosed)
	if !closed.Load() {
		t.Error("the end of the Send was not told")
	}
}

// TestLargeMessageIsReadInPlace: most of a large message is read into the connection's
// own ring, and not copied there from the loop's buffer.
func TestLargeMessageIsReadInPlace(t *testing.T) {
	var buffer *byte // the loop's
	var direct, all int
	got := make(chan int, 1)
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any { got <- len(data); return nil }},
		weir.CustomProtocol(framed{}), withCalls(func(c *sock.Calls, system sock.Calls) {
			c.Read = func(fd int, b []byte) (int, syscall.Errno) {
				n, errno := system.Read(fd, b)
				if buffer == nil {
					buffer = unsafe.SliceData(b)
				}
				if all += n; unsafe.SliceData(b) != buffer {
					direct += n
				}
				return n, errno
			}
		}))
	const n = 4 << 20
	send(t, p.peer, frame(string(pattern(n))))
	if l := receive(t, got); l != n {
		t.Errorf("a message of %d bytes", l)
	}
	if share := onLoop(t, p.conn, func() float64 { return float64(direct) / float64(all) }); share < 0.5 {
		t.Errorf("%.0f %% are read in place", 100*share)
	}
}

// TestShutdownOfHalfMessage: half a message that will never be whole, as Shutdown reads
// no more, does not keep a connection that is paused.
func TestShutdownOfHalfMessage(t *testing.T) {
	for name, pause := range map[string]func(t *testing.T, c *weir.Connection){
		"not paused":    func(*testing.T, *weir.Connection) {},
		"PauseRead":     func(_ *testing.T, c *weir.Connection) { c.PauseRead() },
		"over the mark": stallPeer,
	} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{}, quiet(), weir.CustomProtocol(framed{}), weir.WriteBufferMarks(1<<10, 4<<10),
				weir.Linger(50*time.Millisecond))
			send(t, p.peer, frame("half a message")[:10])
			eventually(t, "it is received", func() bool { return p.server.Stats().InputBytes == 10 })
			pause(t, p.conn)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			fail(t, p.server.Shutdown(ctx))
			p.expectErr(t, weir.ErrServerStopped)
		})
	}
}

// pausing is a Protocol that cuts nothing while it is busy with a message, and pauses the
// connection meanwhile.
type pausing struct{ framed }

func (pausing) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (any, []byte) {
	if c.ProtocolState() != nil {
		c.PauseRead()
		return nil, nil
	}
	ctx, payload := framed{}.UnPacket(c, b)
	if ctx != nil {
		c.SetProtocolState("busy")
	}
	return ctx, payload
}

// TestEndWhileProtocolPauses: whole messages that a Protocol has left, because it paused
// the connection, are delivered before Shutdown ends that.
func TestEndWhileProtocolPauses(t *testing.T) {
	messages := make(chan string, 2)
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		messages <- string(data)
		return nil
	}}, weir.CustomProtocol(pausing{}))
	send(t, p.peer, frame("one")+frame("two"))
	if got := receive(t, messages); got != "one" {
		t.Errorf("the first message is %q", got)
	}
	eventually(t, "the other one waits", func() bool { return p.server.Stats().InputBytes > 0 })
	shut := make(chan error, 1)
	go func() { shut <- p.server.Shutdown(t.Context()) }()
	eventually(t, "the server drains", func() bool { return !isServing(p.server) })
	onLoop(t, p.conn, func() bool { p.conn.SetProtocolState(nil); return true })
	p.conn.ResumeRead()
	if got := receive(t, messages); got != "two" {
		t.Errorf("the second message is %q", got)
	}
	fail(t, receive(t, shut))
}

func isServing(s *weir.Server) bool { return s.Stats().State == metrics.Serving }
