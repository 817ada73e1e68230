package websocket_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestWriteBeforeEnd: what OnMessage has written, and what other goroutines have before
// that was read, goes out before the close frame, whatever is the reason for that and
// whether the peer's stream ends behind it or not.
func TestWriteBeforeEnd(t *testing.T) {
	prepared := websocket.Prepare(codec.Text, []byte("hi"))
	writes := map[string]func(*websocket.Conn) error{
		"Reply":         func(c *websocket.Conn) error { return c.Reply(codec.Text, []byte("hi")) },
		"Write":         func(c *websocket.Conn) error { return c.Write(codec.Text, []byte("hi")) },
		"WritePlain":    func(c *websocket.Conn) error { return c.WritePlain(codec.Text, []byte("hi")) },
		"WritePrepared": func(c *websocket.Conn) error { return c.WritePrepared(prepared) },
		"ReplyPrepared": func(c *websocket.Conn) error { return c.ReplyPrepared(prepared) },
		"Publish": func(c *websocket.Conn) error {
			return errors.Join(c.Subscribe("t"), c.Hub().PublishPrepared("t", prepared))
		},
		"long": func(c *websocket.Conn) error {
			if err := c.WriteText([]byte("hi")); err != nil {
				return err
			}
			return c.WriteText(bytes.Repeat([]byte("x"), 20_000))
		},
	}
	ends := map[string]struct {
		stream string
		code   codec.Code
	}{
		"close frame":                {wireClose(1000, ""), 1000},
		"protocol error":             {wire(codec.Continuation, 0, ""), 1002},
		"protocol error, and others": {wire(codec.Continuation, 0, "") + wire(codec.Text, 0, "late"), 1002},
		"message too big":            {wire(codec.Text, 0, strings.Repeat("x", 1001)), 1009},
		"corrupt message":            {wire(codec.Text, codec.Deflated, "\xff\xff"), 1007},
	}
	const deflate = "Sec-WebSocket-Extensions: permessage-deflate"
	for _, takeover := range []bool{false, true} {
		for name, write := range writes {
			errs := make(chan error, 2)
			s := start(t, &handler{message: func(c *websocket.Conn, _ websocket.Kind, _ []byte) { errs <- write(c) }},
				websocket.MessageLimit(1000), websocket.Compression(codec.Deflate{Takeover: takeover}))
			for end, tt := range ends {
				for _, halfClose := range []bool{false, true} {
					c := upgraded(t, s, deflate)
					send(t, c, wire(codec.Text, 0, "question")+tt.stream)
					if halfClose {
						fail(t, c.Conn.(*net.TCPConn).CloseWrite())
					}
					stream, err := io.ReadAll(c)
					fail(t, err)
					fail(t, c.Close())
					fail(t, receive(t, errs))
					first, last := "\x81\x02hi", string(codec.AppendFrame(nil, codec.Close, 0, codec.AppendClose(nil, tt.code, "")))
					if !strings.HasPrefix(string(stream), first) || !strings.Contains(string(stream), last[2:4]) ||
						name == "long" && len(stream) < 40 || name != "long" && !strings.HasPrefix(string(stream[4:]), "\x88") {
						t.Errorf("%s, %s, half closed %v: %.60q", name, end, halfClose, stream)
					}
					if e := receive(t, s.ended); e.code != tt.code {
						t.Errorf("%s, %s, half closed %v: OnClose(%v) because of %v", name, end, halfClose, e.code, e.err)
					}
				}
			}
			if n := len(errs); n != 0 {
				t.Errorf("%s: %d messages behind the end were delivered", name, n)
			}
		}
	}
}

// TestEndBehindFullRead: the end of the peer's stream, found by the same wake-up because
// the read before has filled the buffer, does not come before the answer.
func TestEndBehindFullRead(t *testing.T) {
	const buffer = 64 << 10 // of a loop
	s := start(t, &handler{})
	for end, want := range map[string]string{wireClose(1000, ""): "close:1000", wire(codec.Continuation, 0, "x\x00"): "close:1002"} {
		c := upgraded(t, s)
		conn := receive(t, s.opened)
		release := occupy(t, conn)
		send(t, c, wire(codec.Binary, 0, strings.Repeat("x", buffer-8-len(end)))+end)
		fail(t, c.Conn.(*net.TCPConn).CloseWrite())
		release()
		if got := c.frames(t); got != want {
			t.Errorf("frames %q, not %s", got, want)
		}
		receive(t, s.ended)
	}
}

// TestWriteBehindEnd: what could not go out before the close frame any more is refused.
func TestWriteBehindEnd(t *testing.T) {
	errs := make(chan error, 1)
	s := start(t, &handler{message: func(c *websocket.Conn, _ websocket.Kind, _ []byte) {
		_ = c.Execute(func() { errs <- c.WriteText([]byte("late")) }) // runs before the close frame is sent
	}})
	for _, end := range []string{wireClose(1000, ""), wire(codec.Continuation, 0, "")} {
		c := upgraded(t, s)
		send(t, c, wire(codec.Text, 0, "x")+end)
		if err := receive(t, errs); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("%v", err)
		}
		if got := c.frames(t); !strings.HasPrefix(got, "close:") {
			t.Errorf("frames %s", got)
		}
	}
}

// TestWriteBeforeShutdown: so do those that were queued when the server begins to drain.
func TestWriteBeforeShutdown(t *testing.T) {
	s := start(t, &handler{})
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	release := occupy(t, conn)
	fail(t, conn.WriteText([]byte("queued")))
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	release()
	m := make([]byte, len("\x81\x06queued\x88"))
	if _, err := io.ReadFull(c, m); err != nil || string(m) != "\x81\x06queued\x88" {
		t.Errorf("%q, %v", m, err)
	}
	send(t, c, wireClose(1001, ""))
	fail(t, receive(t, done))
}

// TestEndAwaitsPeer: a peer that is in the middle of sending when it is told why the
// connection ends is not answered with a reset, which would cost it the reason.
func TestEndAwaitsPeer(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *server, raw, *websocket.Conn){
		"protocol error": func(t *testing.T, _ *server, c raw, _ *websocket.Conn) {
			send(t, c, wire(codec.Continuation, 0, ""))
		},
		"no answer to a close frame": func(t *testing.T, _ *server, _ raw, conn *websocket.Conn) {
			fail(t, conn.Close(codec.ProtocolError, ""))
		},
		"no pong": func(t *testing.T, s *server, _ raw, conn *websocket.Conn) {
			onLoop(t, conn, func() int { conn.EndSilent(); return 0 })
		},
	} {
		s := start(t, &handler{}, websocket.CloseTimeout(10*time.Millisecond))
		c := upgraded(t, s)
		conn := receive(t, s.opened)
		end(t, s, c, conn)
		select {
		case e := <-s.ended:
			t.Errorf("%s: ended while the peer is sending: %+v", name, e)
			continue
		case <-time.After(200 * time.Millisecond): // in which its system has acknowledged everything
		}
		send(t, c, strings.Repeat("x", 100_000))
		stream, err := io.ReadAll(c)
		if err != nil || name != "no pong" && !strings.HasPrefix(string(stream), "\x88") {
			t.Errorf("%s: %q, %v", name, stream, err)
		}
		fail(t, c.Close())
		receive(t, s.ended)
	}
}

// TestCloseFull: a connection so full that not even a close frame fits is ended without.
func TestCloseFull(t *testing.T) {
	s := startOn(t, &handler{}, websocket.New(nil), weir.WriteBufferLimit(1<<20), weir.WriteBufferMarks(1, 1<<20-1), weir.Linger(0))
	c, conn := pair(t, s, nil)
	for _, n := range []int{100_000, 100, 1} {
		for full := false; !full; {
			full = onLoop(t, conn, func() error { return conn.Reply(codec.Binary, make([]byte, n)) }) != nil
		}
	}
	if err := conn.Close(1000, ""); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("Close: %v", err)
	}
	_ = c.CloseNow() // it need not take all that
	if e := receive(t, s.ended); !errors.Is(e.err, weir.ErrSlowConsumer) || e.code != websocket.AbnormalClosure {
		t.Errorf("%+v", e)
	}
}

// TestRefusedWithContext: a compressed message that is refused is missing in the peer's
// context, so those that follow don't refer to it.
func TestRefusedWithContext(t *testing.T) {
	noise := make([]byte, 200_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	again := noise[len(noise)-20_000:]
	prepared := websocket.Prepare(codec.Binary, noise)
	for name, reply := range map[string]func(*websocket.Conn) error{
		"Reply":         func(c *websocket.Conn) error { return c.Reply(codec.Binary, noise) },
		"ReplyPrepared": func(c *websocket.Conn) error { return c.ReplyPrepared(prepared) },
	} {
		for _, takeover := range []bool{false, true} {
			s := startOn(t, &handler{}, websocket.New(nil, websocket.Compression(codec.Deflate{Takeover: takeover})),
				weir.WriteBufferLimit(100_000), weir.WriteBufferMarks(1, 50_000))
			c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
			fail(t, onLoop(t, conn, func() error { return conn.Reply(codec.Text, []byte(strings.Repeat("before ", 100))) }))
			expect(t, c, codec.Text, strings.Repeat("before ", 100))
			if err := onLoop(t, conn, func() error { return reply(conn) }); !errors.Is(err, weir.ErrWriteBufferFull) {
				t.Errorf("%s, takeover %v: %v", name, takeover, err)
			}
			fail(t, conn.WriteBinary(again))
			expect(t, c, codec.Binary, string(again))
			fail(t, conn.WriteText([]byte(strings.Repeat("before ", 100))))
			expect(t, c, codec.Text, strings.Repeat("before ", 100))
		}
	}
}
