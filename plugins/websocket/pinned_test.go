package websocket_test

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// half is the beginning of a message of so many bytes.
func half(bytes, sent int) string {
	head := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, uint64(bytes))
	return string(append(head, make([]byte, 4+sent)...))
}

// TestPinnedShare: however many connections hold half a message, the others are served;
// who holds the most has to go, the first who did so first.
func TestPinnedShare(t *testing.T) {
	const limit, size = 8 << 20, 1 << 20
	s := startOn(t, &handler{message: echo}, websocket.New(nil, websocket.PinnedLimit(limit)), weir.NumLoops(2))
	honest := upgraded(t, s)
	receive(t, s.opened)
	holding := make([]raw, 0, 20)
	for i := range 20 {
		c := upgraded(t, s)
		conn := receive(t, s.opened)
		send(t, c, half(size, size-1)) // so that all take the same, however it is read
		holding = append(holding, c)
		eventually(t, "all of it is held", func() bool { return onLoop(t, conn, conn.Partial) == size-1 })
		if i >= 7 {
			eventually(t, "the oldest has gone", func() bool { return s.protocol.Stats().Limits.Pinned == uint64(i+1-7) })
			if got := holding[i-7].frames(t); got != "close:1013" {
				t.Errorf("%d: frames %s", i-7, got)
			}
		}
		for _, text := range []string{"hello", strings.Repeat("long ", 40_000)} { // in two pieces
			frame := wire(codec.Text, 0, text)
			send(t, honest, frame[:len(frame)-1])
			send(t, honest, frame[len(frame)-1:])
			got := make([]byte, len(codec.AppendFrame(nil, codec.Text, 0, []byte(text))))
			readFull(t, honest, got)
		}
		if n := s.protocol.Stats().Pinned; n > limit {
			t.Fatalf("%d bytes are pinned", n)
		}
		eventually(t, "who has been told to go has gone", func() bool {
			return s.protocol.Leaving() == 0 && s.protocol.Stats().Pinned <= limit-limit/8
		})
	}
	for _, c := range holding[13:] {
		_ = c.Close() // and so the memory is given back
	}
	eventually(t, "nothing is pinned", func() bool { return s.protocol.Stats().Pinned == 0 })
	again := dial(t, s, nil)
	long := strings.Repeat("x", 6<<20)
	fail(t, again.Write(codec.Text, []byte(long)))
	expect(t, again, codec.Text, long)
}

// TestPinnedLargest: a large message goes before older ones that are smaller.
func TestPinnedLargest(t *testing.T) {
	const limit = 1 << 20
	s := start(t, &handler{message: echo}, websocket.PinnedLimit(limit))
	small, large, last := upgraded(t, s), upgraded(t, s), upgraded(t, s)
	send(t, small, half(200<<10, 150<<10)) // takes 256 KiB
	eventually(t, "it is held", func() bool { return s.protocol.Stats().Pinned == 256<<10 })
	send(t, large, half(900<<10, 300<<10)) // 512 KiB
	eventually(t, "it is held", func() bool { return s.protocol.Stats().Pinned == 768<<10 })
	send(t, last, half(200<<10, 150<<10))
	if got := large.frames(t); got != "close:1013" {
		t.Errorf("frames %s", got)
	}
	for _, c := range []raw{small, last} {
		send(t, c, strings.Repeat("\x00", 50<<10))
		got := make([]byte, 10+200<<10)
		readFull(t, c, got)
	}
	if n := s.protocol.Stats().Limits.Pinned; n > 1 {
		t.Errorf("%d connections had to go", n)
	}
}

// TestPinnedNotedAgain: a connection whose message grows when it has been told to go is
// forgotten with its end.
func TestPinnedNotedAgain(t *testing.T) {
	s := start(t, &handler{}, websocket.PinnedLimit(1<<20))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	send(t, c, half(200<<10, 150<<10))
	eventually(t, "it is held", func() bool { return s.protocol.Holders() == 1 })
	onLoop(t, conn, func() int { conn.Dismiss(); return 0 })
	if got := c.frames(t); got != "close:1013" {
		t.Errorf("frames %s", got)
	}
	receive(t, s.ended)
	if n := s.protocol.Holders(); n != 0 {
		t.Errorf("%d connections are known to hold something", n)
	}
}

// TestMessageTimeout: a message that takes too long ends its connection, one that comes
// fast enough or waits for the program does not, and neither do many one after the other.
func TestMessageTimeout(t *testing.T) {
	const limit = time.Minute
	begin := wire(codec.Text, codec.More, "begun")
	for name, tt := range map[string]struct {
		stream string
		bytes  int // of a message that is not complete; -1: there is none
		time   time.Duration
		paused bool
		over   bool
	}{
		"soon":                 {begin, 5, limit - time.Second, false, false},
		"late":                 {begin, 5, limit + time.Second, false, true},
		"late, within a frame": {half(100_000, 10), 10, limit + time.Second, false, true},
		"late, within a ping":  {wire(codec.Ping, 0, "ping")[:8], 0, limit + time.Second, false, true},
		"as fast as it must":   {half(100_000, 50_000), 50_000, limit + 49*time.Second, false, false},
		"too slow":             {half(100_000, 50_000), 50_000, limit + 51*time.Second, false, true},
		"pings within it":      {wire(codec.Ping, 0, "") + begin, 5, limit + time.Second, false, true},
		"paused":               {begin, 5, limit + time.Second, true, false},
		"none":                 {wire(codec.Text, 0, "x"), -1, limit + time.Second, false, false},
		"half a header":        {"\x81", 0, limit + time.Second, false, false},
	} {
		s := start(t, &handler{}, websocket.KeepAlive(time.Hour, time.Hour), websocket.MessageTimeout(limit, 1000))
		c := upgraded(t, s)
		conn := receive(t, s.opened)
		send(t, c, tt.stream)
		eventually(t, "it has come", func() bool {
			return onLoop(t, conn, conn.Partial) == tt.bytes && (tt.bytes >= 0 || s.protocol.Stats().MessagesIn > 0)
		})
		later := func(d time.Duration) { onLoop(t, conn, func() int { conn.Later(d); return 0 }) }
		later(0) // sees that it has begun
		if tt.paused {
			conn.PauseRead()
			later(tt.time)
			conn.ResumeRead()
			tt.time = limit / 2
		}
		later(tt.time)
		if !tt.over {
			fail(t, c.Close())
			if e := receive(t, s.ended); e.code != websocket.AbnormalClosure || !errors.Is(e.err, io.EOF) {
				t.Errorf("%s: %+v", name, e)
			}
			continue
		}
		var broken *codec.Error
		stream := c.frames(t)
		if e := receive(t, s.ended); !strings.HasSuffix(stream, "close:1008") || !errors.As(e.err, &broken) || e.code != websocket.PolicyViolation {
			t.Errorf("%s: %s, %+v", name, stream, e)
		}
		if st := s.protocol.Stats(); st.Pinned != 0 {
			t.Errorf("%s: %d bytes are pinned", name, st.Pinned)
		}
		eventually(t, "the count", func() bool { return s.protocol.Stats().Limits.Time == 1 })
	}
}

// TestMessagesOneAfterTheOther: each message has its own time, even if every look finds
// one that is not complete; and without KeepAlive there are such looks, too.
func TestMessagesOneAfterTheOther(t *testing.T) {
	s := start(t, &handler{}, websocket.KeepAlive(0, time.Hour), websocket.MessageTimeout(time.Minute, 1000))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	frame := wire(codec.Binary, 0, strings.Repeat("x", 1000))
	send(t, c, frame[:500])
	for i := range 10 {
		eventually(t, "the rest, and another one's beginning", func() bool { return onLoop(t, conn, conn.Partial) == 500-8 })
		onLoop(t, conn, func() int { conn.Later(40 * time.Second); return 0 })
		send(t, c, frame[500:]+frame[:500])
		eventually(t, "the message", func() bool { return s.protocol.Stats().MessagesIn == uint64(i+1) })
	}
	fail(t, c.Close())
	receive(t, s.ended)

	s = start(t, &handler{}, websocket.KeepAlive(0, time.Hour), websocket.MessageTimeout(10*time.Millisecond, 1000))
	c = upgraded(t, s)
	send(t, c, frame[:10])
	if got := c.frames(t); got != "close:1008" {
		t.Errorf("frames %s", got)
	}
}
