package weir_test

import (
	"errors"
	"io"
	"testing"

	"github.com/go-weir/weir"
)

// onWritable is a handler that signals each OnWritable, if the last one was noticed.
func onWritable() (h *handler, called <-chan struct{}) {
	signal := make(chan struct{}, 1)
	return &handler{message: echo, writable: func(*weir.Connection) {
		select {
		case signal <- struct{}{}:
		default:
		}
	}}, signal
}

// TestRefusedHearsOfRoom: whoever was refused a message that the limit allows hears when
// there is room for it, though the high-water mark was never passed, and however large
// the message is; and the connection is read again.
func TestRefusedHearsOfRoom(t *testing.T) {
	const limit, low = 1 << 20, 64 << 10
	byWrite := func(c *weir.Connection, p []byte) error { _, err := c.Write(p); return err }
	for _, tt := range []struct {
		name  string
		on    func(t *testing.T, p *pair) *weir.Connection // on whose loop; nil: on none
		write func(c *weir.Connection, p []byte) error
	}{
		{"Send", nil, func(c *weir.Connection, p []byte) error { return c.Send(p) }},
		{"Write", itself, byWrite},
		{"WritePacket", itself, func(c *weir.Connection, p []byte) error { return c.WritePacket(p) }},
		{"WriteFrame", itself, func(c *weir.Connection, p []byte) error { return c.WriteFrame(p[:4], p[4:]) }},
		{"Write of another connection", another, byWrite},
	} {
		for _, size := range []int{600 << 10, limit} {
			t.Run(tt.name, func(t *testing.T) {
				h, called := onWritable()
				p := startPair(t, h, weir.WriteBufferMarks(low, limit-1), weir.WriteBufferLimit(limit))
				data := make([]byte, size)
				write := func() error { return tt.write(p.conn, data) }
				if tt.on != nil {
					c := tt.on(t, p)
					write = func() error { return onLoop(t, c, func() error { return tt.write(p.conn, data) }) }
				}
				fill(t, p.conn, write)
				if n := p.conn.WriteBufferLength(); n > limit {
					t.Errorf("%d bytes are pending", n)
				}
				go func() { _, _ = io.Copy(io.Discard, p.peer) }()
				for err := weir.ErrWriteBufferFull; err != nil; err = write() { // again, if OnWritable was for an earlier one
					if !errors.Is(err, weir.ErrWriteBufferFull) {
						t.Fatal(err)
					}
					receive(t, called)
				}
				eventually(t, "everything is sent", func() bool { return p.conn.WriteBufferLength() == 0 })
				before := p.server.Stats().MessagesIn
				send(t, p.peer, "x")
				eventually(t, "it is read", func() bool { return p.server.Stats().MessagesIn > before })
			})
		}
	}
}

func itself(_ *testing.T, p *pair) *weir.Connection { return p.conn }

func another(t *testing.T, p *pair) *weir.Connection {
	dial(t, p.server)
	return receive(t, p.begun)
}

// fill writes to c, whose peer does not read, until a write is refused, one at a time.
func fill(t *testing.T, c *weir.Connection, write func() error) {
	t.Helper()
	for range 100 {
		switch err := write(); {
		case errors.Is(err, weir.ErrWriteBufferFull):
			return
		case err != nil:
			t.Fatal(err)
		}
		onLoop(t, c, func() bool { return true }) // the loop has taken it over
	}
	t.Fatal("nothing was refused")
}

// TestTooLargeDisturbsNobody: a message that the limit never allows is refused, and that
// is all: nobody could be told of room for it.
func TestTooLargeDisturbsNobody(t *testing.T) {
	const limit = 64 << 10
	h, called := onWritable()
	p := startPair(t, h, weir.WriteBufferLimit(limit))
	large := make([]byte, limit+1)
	for _, err := range []error{
		p.conn.Send(large),
		onLoop(t, p.conn, func() error { _, err := p.conn.Write(large); return err }),
		onLoop(t, p.conn, func() error { return p.conn.WritePacket(large) }),
		onLoop(t, p.conn, func() error { return p.conn.WriteFrame(large[:4], large[4:]) }),
	} {
		if !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("over the limit: %v", err)
		}
	}
	for range 3 {
		send(t, p.peer, "x")
		expect(t, p.peer, "x")
	}
	if st := p.server.Stats(); st.Pauses != 0 || len(called) != 0 {
		t.Errorf("%d pauses, %d calls of OnWritable", st.Pauses, len(called))
	}
}

// hugeLen claims a length that no sum may be made with.
type hugeLen struct{}

func (hugeLen) Len() int { return int(^uint(0) >> 1) }

// TestSendOfHugeLen: a length near the largest number is over the limit.
func TestSendOfHugeLen(t *testing.T) {
	p := startPair(t, &handler{}, quiet())
	release := occupy(t, p.conn)
	defer release()
	fail(t, p.conn.Send("x"))
	if err := p.conn.Send(hugeLen{}); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("Send: %v", err)
	}
}

// TestSmallLimit: with a limit and nothing else, a peer that does not read its replies is
// paused and not closed.
func TestSmallLimit(t *testing.T) {
	const limit, size, count = 1 << 20, 200 << 10, 100
	reply := make([]byte, size)
	p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any { return reply }},
		weir.CustomProtocol(framed{}), weir.WriteBufferLimit(limit), weir.SocketWriteBuffer(64<<10))
	for range count {
		send(t, p.peer, frame("x"))
	}
	eventually(t, "it is paused", func() bool { return p.server.Stats().Paused == 1 })
	expect(t, p.peer, frame(string(reply)))
	for range count - 1 {
		expect(t, p.peer, frame(string(reply)))
	}
	if !p.conn.Connected() {
		t.Errorf("closed: %v", p.conn.Err())
	}
}

// TestTasksOfRefused: what is asked of a loop that is busy is asked once: refused Sends
// and changes of mind post no task each.
func TestTasksOfRefused(t *testing.T) {
	const limit, times = 64 << 10, 50_000
	var data any = make([]byte, limit)
	for _, tt := range []struct {
		name   string
		policy weir.SlowPolicy
		ask    func(c *weir.Connection)
	}{
		{"refused", weir.RefuseSlow, func(c *weir.Connection) { _ = c.Send(data) }},
		{"refused, then closed", weir.CloseSlow, func(c *weir.Connection) { _ = c.Send(data) }},
		{"too large, then closed", weir.CloseSlow, func(c *weir.Connection) { _ = c.Send(hugeLen{}) }},
		{"paused and resumed", weir.RefuseSlow, func(c *weir.Connection) { c.PauseRead(); c.ResumeRead() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: echo}, weir.SlowConsumer(tt.policy), quiet(),
				weir.WriteBufferMarks(16<<10, 32<<10), weir.WriteBufferLimit(limit))
			release := occupy(t, p.conn)
			before := p.server.Stats().Tasks
			fail(t, p.conn.Send(make([]byte, limit/2)))
			for range times {
				tt.ask(p.conn)
			}
			release()
			if tt.policy == weir.CloseSlow {
				p.expectErr(t, weir.ErrSlowConsumer)
			} else {
				expect(t, p.peer, string(make([]byte, limit/2)))
				send(t, p.peer, "x")
				expect(t, p.peer, "x")
			}
			eventually(t, "the tasks are counted", func() bool { return p.server.Stats().Tasks > before })
			if n := p.server.Stats().Tasks - before; n > 10 {
				t.Errorf("%d tasks", n)
			}
		})
	}
}

// TestResetAgain: however often it is called, the loop is asked once.
func TestResetAgain(t *testing.T) {
	p := startPair(t, &handler{}, quiet())
	release := occupy(t, p.conn)
	for range 1000 {
		p.conn.Reset(nil)
	}
	release()
	p.expectErr(t, weir.ErrConnectionClosed)
	fail(t, p.server.Stop()) // so that all is published
	if n := p.server.Stats().Tasks; n > 100 {
		t.Errorf("%d tasks", n)
	}
}
