package websocket_test

import (
	"errors"
	"io"
	"testing"
	"time"

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
