package websocket_test

import (
	"errors"
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
	s := start(t, &handler{}, websocket.KeepAlive(40*time.Millisecond, 40*time.Millisecond))
	polite := dial(t, s, nil)
	reading := make(chan error, 1)
	go func() {
		_, _, err := polite.Read() // which answers pings
		reading <- err
	}()
	receive(t, s.opened)
	rude := upgraded(t, s)
	if got := rude.frames(t); got != "ping:" {
		t.Errorf("frames %q", got)
	}
	expectEnd(t, s, websocket.AbnormalClosure, websocket.ErrPongTimeout)
	eventually(t, "pongs", func() bool { st := s.protocol.Stats(); return st.PongsIn >= 4 && st.PingsOut > st.PongsIn-1 })
	if st := s.protocol.Stats(); st.PongTimeouts != 1 || st.Open != 1 {
		t.Errorf("%+v", st)
	}
	fail(t, polite.Close(1000, ""))
	var closed *websocket.CloseError
	if err := receive(t, reading); !errors.As(err, &closed) {
		t.Error(err)
	}
}

// TestStuck: a peer that is there but takes nothing of what is sent goes, one that takes
// it a little at a time stays.
func TestStuck(t *testing.T) {
	s := startOn(t, &handler{}, websocket.New(nil, websocket.KeepAlive(200*time.Millisecond, 200*time.Millisecond)),
		weir.Linger(time.Millisecond), weir.SocketWriteBuffer(32<<10))
	const most = 4 << 20 // more than the system takes
	stuck, conn := pair(t, s, nil)
	fail(t, stuck.NetConn().(*net.TCPConn).SetReadBuffer(32<<10))
	fail(t, conn.WriteBinary(make([]byte, most)))
	expectEnd(t, s, websocket.AbnormalClosure, websocket.ErrPongTimeout)

	slow, conn := pair(t, s, nil)
	fail(t, slow.NetConn().(*net.TCPConn).SetReadBuffer(32<<10))
	fail(t, conn.WriteBinary(make([]byte, most)))
	began := time.Now()
	for piece := make([]byte, 256<<10); conn.Buffered() > 0; {
		if _, err := io.ReadFull(slow.NetConn(), piece); err != nil {
			t.Fatalf("after %v, %d bytes unsent: %v", time.Since(began), conn.Buffered(), err)
		}
		time.Sleep(35 * time.Millisecond) // it is slow
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("that took %v only", took)
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
