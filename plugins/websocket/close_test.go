package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestAbnormalEnd: a client that goes away without a close frame.
func TestAbnormalEnd(t *testing.T) {
	s := start(t, &handler{message: echo})
	c, _ := pair(t, s, nil)
	fail(t, c.Write(codec.Text, []byte("x")))
	expect(t, c, codec.Text, "x")
	fail(t, c.CloseNow())
	expectEnd(t, s, websocket.AbnormalClosure, io.EOF)
}

// TestPeerCloses: the code and the reason of the peer are what OnClose gets.
func TestPeerCloses(t *testing.T) {
	s := start(t, &handler{})
	c, _ := pair(t, s, nil)
	fail(t, c.Close(3456, "enough"))
	expectClose(t, c, 3456)
	e := expectEnd(t, s, 3456, io.EOF)
	var closed *websocket.CloseError
	if e.reason != "enough" || !errors.As(e.err, &closed) || closed.Reason != "enough" {
		t.Errorf("%+v", e)
	}
}

// TestClose: what was written before goes out before the close frame, what is written
// or received after it is not.
func TestClose(t *testing.T) {
	late := make(chan []error, 1)
	s := start(t, &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		if string(data) != "close" {
			t.Errorf("%q is delivered after Close", data)
			return
		}
		_ = c.WriteText([]byte("queued"))
		_ = c.Reply(kind, []byte("replied"))
		late <- append([]error(nil), c.Close(1001, "done"), c.Reply(kind, data), c.WriteText(data), c.WriteBinary(data),
			c.Ping(nil), c.Close(1000, ""), c.WritePrepared(websocket.Prepare(kind, data)), c.ReplyPrepared(websocket.Prepare(kind, data)))
	}})
	c := upgraded(t, s)
	send(t, c, wire(codec.Text, 0, "close")+wire(codec.Text, 0, "ignored")+wire(codec.Ping, 0, "ignored, too"))
	conn := receive(t, s.opened)
	errs := receive(t, late)
	onLoop(t, conn, func() int { return 0 }) // the close frame is out
	send(t, c, wire(codec.Text, 0, "ignored")+wire(codec.Ping, 0, "nothing follows a close frame")+wireClose(1000, ""))
	if got := c.frames(t); !strings.HasPrefix(got, "text:replied") || !strings.HasSuffix(got, "text:queued close:1001") {
		t.Errorf("frames %s", got)
	}
	expectEnd(t, s, 1001, weir.ErrConnectionClosed)
	for i, err := range errs {
		if (i == 0) != (err == nil) || i > 0 && !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := conn.WriteText(nil); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestCloseCrossing: a close frame of the peer that was on its way when Close was called
// is as good as the answer.
func TestCloseCrossing(t *testing.T) {
	s := start(t, &handler{message: func(c *websocket.Conn, _ websocket.Kind, _ []byte) { _ = c.Close(4001, "ours") }})
	c := upgraded(t, s)
	send(t, c, wire(codec.Text, 0, "x")+wireClose(4002, "theirs"))
	if got := c.frames(t); got != "close:4001" {
		t.Errorf("frames %s", got)
	}
	if e := expectEnd(t, s, 4001, weir.ErrConnectionClosed); e.reason != "ours" {
		t.Errorf("%+v", e)
	}
}

// TestCloseWhilePaused: the peer's answer is heard although messages are not read.
func TestCloseWhilePaused(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.CloseTimeout(time.Hour))
	for name, end := range map[string]func(*websocket.Conn){
		"paused before": func(c *websocket.Conn) { c.PauseRead(); _ = c.Close(1000, "") },
		"paused after":  func(c *websocket.Conn) { _ = c.Close(1000, ""); c.PauseRead() },
	} {
		c, conn := pair(t, s, nil)
		end(conn)
		var closed *websocket.CloseError
		if _, _, err := c.Read(); !errors.As(err, &closed) {
			t.Errorf("%s: %v", name, err)
		}
		expectEnd(t, s, 1000, weir.ErrConnectionClosed)
	}
}

// TestCloseCodes: what can't be sent is refused, and no reason is too long.
func TestCloseCodes(t *testing.T) {
	s := start(t, &handler{})
	c, conn := pair(t, s, nil)
	for _, code := range []websocket.Code{0, 999, 1004, 1006, 1015, 2999, 5000} {
		if err := conn.Close(code, ""); err == nil || errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("%v: %v", code, err)
		}
	}
	fail(t, conn.Close(1000, strings.Repeat("é", 100)))
	_, _, err := c.Read()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Reason != strings.Repeat("é", 61) {
		t.Errorf("%v", err)
	}
	expectEnd(t, s, 1000, weir.ErrConnectionClosed)
}

// TestCloseTimeout: a peer that does not answer the close frame loses the connection.
func TestCloseTimeout(t *testing.T) {
	s := start(t, &handler{}, websocket.CloseTimeout(20*time.Millisecond))
	c := upgraded(t, s)
	fail(t, receive(t, s.opened).Close(1000, ""))
	if got := c.frames(t); got != "close:1000" {
		t.Errorf("frames %s", got)
	}
	expectEnd(t, s, 1000, websocket.ErrCloseTimeout)
	eventually(t, "the count", func() bool { return s.protocol.Stats().CloseTimeouts == 1 })
}

// TestCloseBehindBacklog: the time for the answer to a close frame begins when the peer
// has it, however long it takes for what was written before, with us or with the system.
func TestCloseBehindBacklog(t *testing.T) {
	needsAcks(t)
	const limit, messages = 400 * time.Millisecond, 32
	for _, tt := range []struct{ buffer, size int }{{32 << 10, 128 << 10}, {1 << 20, 13 << 10}} {
		t.Run(fmt.Sprint(tt.buffer), func(t *testing.T) {
			t.Parallel()
			s := startOn(t, &handler{}, websocket.New(nil, websocket.CloseTimeout(limit)), weir.SocketWriteBuffer(tt.buffer))
			c, conn := pair(t, s, nil)
			fail(t, c.NetConn().(*net.TCPConn).SetReadBuffer(32<<10))
			for range messages {
				fail(t, conn.WriteBinary(make([]byte, tt.size)))
			}
			fail(t, conn.Close(1000, ""))
			for i := range messages {
				if _, data, err := c.Read(); err != nil || len(data) != tt.size {
					t.Fatalf("message %d: %d bytes, %v", i, len(data), err)
				}
				time.Sleep(5 * limit / 2 / messages) // it is slow
			}
			expectClose(t, c, 1000)
			expectEnd(t, s, 1000, weir.ErrConnectionClosed)
			if n := s.protocol.Stats().CloseTimeouts; n != 0 {
				t.Errorf("%d timeouts", n)
			}
		})
	}
}

// TestCloseAfterAStall: a peer that has taken nothing for a while has all the time for its
// answer, once it has the close frame.
func TestCloseAfterAStall(t *testing.T) {
	needsAcks(t)
	t.Parallel()
	const limit, size = 1500 * time.Millisecond, 160 << 10 // more than the client's system takes
	s := startOn(t, &handler{}, websocket.New(nil, websocket.CloseTimeout(limit)), weir.SocketWriteBuffer(32<<10))
	c := upgraded(t, s)
	fail(t, c.Conn.(*net.TCPConn).SetReadBuffer(32<<10))
	conn := receive(t, s.opened)
	fail(t, conn.WriteBinary(make([]byte, size)))
	fail(t, conn.Close(1000, ""))
	time.Sleep(limit * 8 / 10) // it has other things to do
	readFull(t, c, make([]byte, 10+size+4))
	time.Sleep(limit * 8 / 10)
	send(t, c, wireClose(1000, ""))
	expectEnd(t, s, 1000, weir.ErrConnectionClosed)
}

// TestAnswerIsEnough: a peer that has answered the close frame need not end its stream.
func TestAnswerIsEnough(t *testing.T) {
	s := startOn(t, &handler{}, websocket.New(nil), weir.Linger(time.Hour))
	c := upgraded(t, s)
	fail(t, receive(t, s.opened).Close(1000, ""))
	readFull(t, c, make([]byte, 4))
	send(t, c, wireClose(1000, ""))
	expectEnd(t, s, 1000, weir.ErrConnectionClosed)
}

// TestCloseNotTaken: a peer that does not take what was written has no longer than that,
// and neither has one that goes on sending instead of an answer.
func TestCloseNotTaken(t *testing.T) {
	s := startOn(t, &handler{}, websocket.New(nil, websocket.CloseTimeout(50*time.Millisecond)),
		weir.SocketWriteBuffer(32<<10), weir.Linger(50*time.Millisecond))
	c, conn := pair(t, s, nil)
	fail(t, c.NetConn().(*net.TCPConn).SetReadBuffer(32<<10))
	fail(t, conn.WriteBinary(make([]byte, 8<<20)))
	fail(t, conn.Close(1000, ""))
	var unsent *weir.UnsentError
	if e := expectEnd(t, s, 1000, websocket.ErrCloseTimeout); !errors.As(e.err, &unsent) {
		t.Errorf("%+v", e)
	}

	c, conn = pair(t, s, nil)
	fail(t, conn.Close(1000, ""))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c.Write(codec.Text, []byte("still busy")) == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	expectEnd(t, s, 1000, websocket.ErrCloseTimeout)
	receive(t, done)
}

// TestShutdown: every peer is told, and has the time for its answer.
func TestShutdown(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.CloseTimeout(time.Second))
	c, deaf := dial(t, s, nil), upgraded(t, s)
	receive(t, s.opened)
	receive(t, s.opened)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	expectClose(t, c, websocket.GoingAway)
	if got := deaf.frames(t); got != "close:1001" {
		t.Errorf("frames %s", got)
	}
	fail(t, receive(t, done))
	for range 2 {
		if e := receive(t, s.ended); e.code != websocket.GoingAway {
			t.Errorf("%+v", e)
		}
	}
	if n := s.protocol.Stats().CloseTimeouts; n != 1 {
		t.Errorf("%d close frames were not answered", n)
	}
}

// TestCloseNow: no close frame.
func TestCloseNow(t *testing.T) {
	s := start(t, &handler{})
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	fail(t, conn.WriteText([]byte("last")))
	fail(t, conn.CloseNow())
	if got := c.frames(t); got != "text:last" {
		t.Errorf("frames %s", got)
	}
	expectEnd(t, s, websocket.AbnormalClosure, weir.ErrConnectionClosed)
	if err := conn.CloseNow(); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("second: %v", err)
	}
}
