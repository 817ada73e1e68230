package websocket_test

import (
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

// TestKeepAlive: a silent client is pinged; one that answers stays, one that doesn't
// goes.
func TestKeepAlive(t *testing.T) {
	const hour = time.Hour
	s := start(t, &handler{}, websocket.KeepAlive(hour, hour/2), websocket.MessageTimeout(0, 1))
	polite, conn := pair(t, s, nil)
	reading := make(chan error, 1)
	go func() {
		_, _, err := polite.Read() // which answers pings
		reading <- err
	}()
	for i := range uint64(3) {
		later(t, conn, hour)
		if n := onLoop(t, conn, conn.PingsOut); n != i {
			t.Fatalf("%d pings before the time", n)
		}
		later(t, conn, hour/10)
		eventually(t, "the pong", func() bool { return s.protocol.Stats().PongsIn == i+1 })
	}

	rude := upgraded(t, s)
	conn = receive(t, s.opened)
	later(t, conn, hour+hour/10)
	expectPing(t, rude)
	later(t, conn, hour/2-hour/100)
	onLoop(t, conn, func() int { return 0 }) // it is still there
	later(t, conn, hour/100)
	if rest, err := io.ReadAll(rude); len(rest) > 0 || err != nil {
		t.Errorf("behind the ping: %q, %v", rest, err)
	}
	fail(t, rude.Close()) // which the server waits for
	expectEnd(t, s, websocket.AbnormalClosure, websocket.ErrPongTimeout)
	eventually(t, "the counts", func() bool {
		st := s.protocol.Stats()
		return st.PongTimeouts == 1 && st.Open == 1 && st.PingsOut == 4
	})
	fail(t, polite.Close(1000, ""))
	var closed *websocket.CloseError
	if err := receive(t, reading); !errors.As(err, &closed) {
		t.Error(err)
	}
}

// later lets time pass for the keeper, when all that was written is with the peer.
func later(t *testing.T, c *websocket.Conn, d time.Duration) {
	t.Helper()
	eventually(t, "everything is with the peer", func() bool {
		return onLoop(t, c, func() int { return c.Connection().Unacknowledged() + int(c.Buffered()) }) == 0
	})
	onLoop(t, c, func() int { c.Later(d); return 0 })
}

func expectPing(t *testing.T, c raw) {
	t.Helper()
	p := make([]byte, 2)
	if readFull(t, c, p); string(p) != "\x89\x00" {
		t.Fatalf("%q is no ping", p)
	}
}

// TestSignsOfLife: whatever a peer sends is one, before and after a ping.
func TestSignsOfLife(t *testing.T) {
	const hour = time.Hour
	s := start(t, &handler{}, websocket.KeepAlive(hour, hour), websocket.MessageTimeout(0, 1))
	for name, sign := range map[string]string{
		"message": wire(codec.Text, 0, "x"), "ping": wire(codec.Ping, 0, ""), "pong": wire(codec.Pong, 0, ""), "half a header": "\x81",
	} {
		c := upgraded(t, s)
		conn := receive(t, s.opened)
		pings := onLoop(t, conn, conn.PingsOut)
		live := func() {
			send(t, c, sign)
			eventually(t, "it has come", func() bool { return onLoop(t, conn, conn.Silent) == 0 })
		}
		later(t, conn, hour)
		live()
		later(t, conn, hour)
		if n := onLoop(t, conn, conn.PingsOut) - pings; n != 0 {
			t.Errorf("%s: %d pings before the time", name, n)
		}
		_ = c.Close()
		receive(t, s.ended)
	}
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	for range 3 { // what is no pong is one as well
		later(t, conn, hour+hour/4)
		expectPing(t, c)
		later(t, conn, hour-hour/100)
		send(t, c, wire(codec.Text, 0, "x"))
		eventually(t, "it has come", func() bool { return onLoop(t, conn, conn.Silent) == 0 })
		later(t, conn, hour-hour/100)
	}
}

// TestKeepAlivePaused: a connection that is not read is not pinged, nor ended; its time
// begins when it is read again.
func TestKeepAlivePaused(t *testing.T) {
	const hour = time.Hour
	s := start(t, &handler{}, websocket.KeepAlive(hour, hour), websocket.MessageTimeout(0, 1))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	conn.PauseRead()
	for range 5 {
		later(t, conn, 2*hour)
	}
	conn.ResumeRead()
	later(t, conn, hour)
	if n := onLoop(t, conn, conn.PingsOut); n != 0 {
		t.Errorf("%d pings", n)
	}
	later(t, conn, hour/4)
	expectPing(t, c)
}

// TestPongBehindBacklog: the time for a pong begins when the peer has all that was written.
func TestPongBehindBacklog(t *testing.T) {
	const hour, size = time.Hour, 8 << 20 // more than the system takes
	s := start(t, &handler{}, websocket.KeepAlive(hour, hour), websocket.MessageTimeout(0, 1))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	later(t, conn, hour+hour/4)
	expectPing(t, c)
	fail(t, conn.WriteBinary(make([]byte, size)))
	for range 3 {
		onLoop(t, conn, func() int { conn.Later(hour); return 0 })
	}
	if conn.Buffered() == 0 {
		t.Fatal("the system has taken everything")
	}
	readFull(t, c, make([]byte, 10+size))
	later(t, conn, hour)   // its time begins
	later(t, conn, hour/2) // and is not over
	fail(t, conn.WriteText(nil))
	readFull(t, c, make([]byte, 2))
	later(t, conn, hour/2)
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	fail(t, c.Close()) // which the server waits for
	expectEnd(t, s, websocket.AbnormalClosure, websocket.ErrPongTimeout)
}

// TestPongBehindSystem: neither does it while the system has something that the peer has
// yet to take.
func TestPongBehindSystem(t *testing.T) {
	needsAcks(t)
	const hour = time.Hour
	s := start(t, &handler{}, websocket.KeepAlive(hour, hour), websocket.MessageTimeout(0, 1))
	c := upgraded(t, s)
	fail(t, c.Conn.(*net.TCPConn).SetReadBuffer(32<<10))
	conn := receive(t, s.opened)
	later(t, conn, hour+hour/4)
	expectPing(t, c)
	taken := func() bool { return onLoop(t, conn, conn.Connection().Unacknowledged) == 0 }
	for full := false; !full; { // the peer's window
		fail(t, conn.WriteBinary(make([]byte, 16<<10)))
		full = true
		for began := time.Now(); full && time.Since(began) < 300*time.Millisecond; time.Sleep(time.Millisecond) {
			full = !taken()
		}
	}
	if n := conn.Buffered(); n != 0 {
		t.Fatalf("%d bytes are unsent", n)
	}
	for range 3 {
		onLoop(t, conn, func() int { conn.Later(hour); return 0 })
	}
	fail(t, conn.WriteText(nil))
}

// TestStuck: a peer whose system takes nothing of what is sent goes, whether the program
// goes on writing or not, or does not read it either until it does.
func TestStuck(t *testing.T) {
	for _, does := range []string{"nothing", "writes", "pauses"} {
		s := startOn(t, &handler{open: func(c *websocket.Conn) {
			_ = c.WriteBinary(make([]byte, 8<<20)) // more than the system takes
		}}, websocket.New(nil, websocket.KeepAlive(50*time.Millisecond, 50*time.Millisecond)),
			weir.Linger(time.Millisecond), weir.SocketWriteBuffer(32<<10))
		c := connect(t, s)
		send(t, c, good()+"\r\n") // and that is all it does
		conn := receive(t, s.opened)
		switch does {
		case "pauses":
			conn.PauseRead()
		case "writes":
			done := make(chan struct{})
			go func() {
				defer close(done)
				for conn.WriteText([]byte("more")) == nil {
					time.Sleep(time.Millisecond)
				}
			}()
			defer func() { <-done }()
		}
		expectEnd(t, s, websocket.AbnormalClosure, websocket.ErrPongTimeout)
	}
}

// TestSlowReader: a peer that takes a little at a time stays, whether that is with us or
// with the system.
func TestSlowReader(t *testing.T) {
	needsAcks(t)
	const idle, pieces = 500 * time.Millisecond, 40
	for _, tt := range []struct{ buffer, size int }{{32 << 10, 4 << 20}, {1 << 20, 200 << 10}} {
		t.Run(fmt.Sprint(tt.buffer), func(t *testing.T) {
			t.Parallel()
			s := startOn(t, &handler{}, websocket.New(nil, websocket.KeepAlive(idle, idle)), weir.SocketWriteBuffer(tt.buffer))
			c := upgraded(t, s)
			conn := receive(t, s.opened)
			fail(t, c.Conn.(*net.TCPConn).SetReadBuffer(32<<10))
			fail(t, conn.WriteBinary(make([]byte, tt.size)))
			piece := make([]byte, tt.size/pieces)
			for i := range pieces {
				readFull(t, c, piece)
				if len(s.ended) > 0 {
					t.Fatalf("%+v after %d of %d pieces", <-s.ended, i, pieces)
				}
				time.Sleep(4 * idle / pieces) // it is slow
			}
			if err := conn.WriteText(nil); err != nil {
				t.Errorf("when all was read: %v", err)
			}
		})
	}
}

// TestPingFlood: who sends pings and takes no pongs is not read on, and gets them all
// when it does.
func TestPingFlood(t *testing.T) {
	const high, n = 64 << 10, 20_000
	s := startOn(t, &handler{}, websocket.New(nil), weir.WriteBufferMarks(high/2, high), weir.SocketWriteBuffer(32<<10))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	payload := strings.Repeat("p", 125)
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c.Conn, strings.Repeat(wire(codec.Ping, 0, payload), n))
		sent <- err
	}()
	eventually(t, "that it is not read", func() bool { return conn.Buffered() > high })
	worst, pong := int64(0), make([]byte, 2+len(payload))
	for i := range n {
		worst = max(worst, conn.Buffered())
		if _, err := io.ReadFull(c, pong); err != nil || string(pong) != "\x8a\x7d"+payload {
			t.Fatalf("pong %d: %.10q, %v", i, pong, err)
		}
	}
	fail(t, receive(t, sent))
	if worst > 4*high { // and what was read at once
		t.Errorf("%d bytes of pongs were held", worst)
	}
}

// TestKeepAliveMany: each of more connections than are looked at in one go is pinged.
func TestKeepAliveMany(t *testing.T) {
	const n = 1500
	s := start(t, &handler{}, websocket.KeepAlive(100*time.Millisecond, time.Hour))
	var conns []raw
	for range n {
		conns = append(conns, upgraded(t, s))
		receive(t, s.opened)
	}
	for i, c := range conns {
		p := make([]byte, 2)
		if _, err := io.ReadFull(c, p); err != nil || string(p) != "\x89\x00" {
			t.Fatalf("%d: %q, %v", i, p, err)
		}
		if i%3 == 0 {
			_ = c.Close() // others take their places
		}
	}
}

// TestShards: what a Protocol keeps for a loop goes with its last connection, but not
// the counts.
func TestShards(t *testing.T) {
	s := start(t, &handler{message: echo})
	for i := range 3 {
		c := dial(t, s, nil)
		fail(t, c.Write(codec.Text, []byte("x")))
		expect(t, c, codec.Text, "x")
		fail(t, c.Close(1000, ""))
		expectClose(t, c, 1000)
		eventually(t, "counts", func() bool {
			st := s.protocol.Stats()
			return st.Upgraded == uint64(i+1) && st.MessagesIn == uint64(i+1) && st.MessagesOut == uint64(i+1) && st.Closed[1000] == uint64(i+1) && st.Open == 0
		})
	}
}
