package weir_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

const (
	incompleteMessage = 80_000
	incompleteLimit   = 400_000
)

// replying is a handler that answers each message with itself.
func replying() *handler {
	return &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		if string(data) == "pause" {
			c.PauseRead()
		}
		return data
	}}
}

func incompleteServer(t *testing.T, h *handler) *weir.Server {
	return start(t, h, weir.CustomProtocol(framed{}), weir.MaxMessageSize(incompleteMessage),
		weir.IncompleteLimit(incompleteLimit), weir.NumLoops(2))
}

// half sends the beginning of a message and waits until the server has all of it, or
// has closed the connection. It returns what is left to be sent.
func half(t *testing.T, s *weir.Server, peer net.Conn, size, n int) (rest string) {
	t.Helper()
	send(t, peer, frame("hello"))
	expect(t, peer, frame("hello")) // so that the server knows it
	message := frame(string(pattern(size - 4)))
	send(t, peer, message[:n])
	eventually(t, "half a message has been read", func() bool {
		for c := range s.Connections() {
			if c.RemoteAddr().String() == peer.LocalAddr().String() {
				return c.ReadBufferLength() == int64(n)
			}
		}
		return true
	})
	return message[n:]
}

// TestIncompleteLimit: however many connections hold half a message, all of them
// together hold no more than the limit, others are served, and large messages are as
// soon as there is room.
func TestIncompleteLimit(t *testing.T) {
	h := replying()
	_, ended := observe(h)
	s := incompleteServer(t, h)
	var peers []net.Conn
	for range 20 {
		peer := dial(t, s)
		half(t, s, peer, incompleteMessage, incompleteMessage-1)
		peers = append(peers, peer)
		if held := s.Stats().InputBytes; held > incompleteLimit {
			t.Fatalf("%d bytes are held", held)
		}
	}
	for range 10 {
		if err := receive(t, ended).Err(); !errors.Is(err, weir.ErrMessageTooLarge) {
			t.Fatalf("closed with %v", err)
		}
	}
	for range 3 {
		peer := dial(t, s)
		rest := half(t, s, peer, 10_000, 9_000)
		send(t, peer, rest)
		expect(t, peer, frame(string(pattern(9_996))))
	}
	for _, peer := range peers {
		peer.Close()
	}
	eventually(t, "all are gone", func() bool { return s.Stats().InputBytes == 0 })
	expectRoom(t, s)
}

// expectRoom fails the test unless as many connections as there is room for can each
// have half a message on its way, and have it answered.
func expectRoom(t *testing.T, s *weir.Server) {
	t.Helper()
	var peers []net.Conn
	var rests []string
	for range 4 {
		peer := dial(t, s)
		peers = append(peers, peer)
		rests = append(rests, half(t, s, peer, incompleteMessage, incompleteMessage-1))
	}
	for i, peer := range peers {
		send(t, peer, rests[i])
		expect(t, peer, frame(string(pattern(incompleteMessage-4))))
		peer.Close()
	}
}

// TestIncompleteGivenBack: what is no incomplete message any more is not counted,
// whatever became of it.
func TestIncompleteGivenBack(t *testing.T) {
	long := frame(string(pattern(incompleteMessage - 4)))
	for _, tt := range []struct{ name, rest, want string }{
		{"answered", "", long},
		{"followed by little", frame("x")[:3], long},
		{"followed by others", frame("a") + frame("b"), long + frame("a") + frame("b")},
		{"paused behind it", frame("pause"), long + frame("pause")},
		{"paused, with messages to come", frame("pause") + frame(string(pattern(5000))), long + frame("pause")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := incompleteServer(t, replying())
			for range 6 {
				peer := dial(t, s)
				rest := half(t, s, peer, incompleteMessage, incompleteMessage/2)
				send(t, peer, rest+tt.rest)
				expect(t, peer, tt.want)
			}
			expectRoom(t, s)
		})
	}
	t.Run("closed", func(t *testing.T) {
		s := incompleteServer(t, replying())
		for range 6 {
			peer := dial(t, s)
			half(t, s, peer, incompleteMessage, incompleteMessage/2)
			for c := range s.Connections() {
				_ = c.Close() // it is open
			}
			expectEnd(t, peer)
		}
		expectRoom(t, s)
	})
}

// TestMessageTimeout: a peer that stops in the middle of a message is closed, one that
// goes on is not.
func TestMessageTimeout(t *testing.T) {
	t.Run("it stops", func(t *testing.T) {
		p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(20*time.Millisecond, 1<<20))
		half(t, p.server, p.peer, 10_000, 9_000)
		expectEnd(t, p.peer)
		p.expectErr(t, os.ErrDeadlineExceeded)
	})
	t.Run("it stops in the third message", func(t *testing.T) {
		p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(50*time.Millisecond, 1<<20))
		for range 2 {
			rest := half(t, p.server, p.peer, 10_000, 9_000)
			send(t, p.peer, rest)
			expect(t, p.peer, frame(string(pattern(9_996))))
		}
		time.Sleep(100 * time.Millisecond) // the timer of the second one passes
		half(t, p.server, p.peer, 10_000, 9_000)
		expectEnd(t, p.peer)
		p.expectErr(t, os.ErrDeadlineExceeded)
	})
	t.Run("it goes on", func(t *testing.T) {
		p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(time.Millisecond, 100))
		rest := half(t, p.server, p.peer, 10_000, 9_000) // which gives it 90 s
		time.Sleep(50 * time.Millisecond)
		send(t, p.peer, rest)
		expect(t, p.peer, frame(string(pattern(9_996))))
	})
	t.Run("no time limit", func(t *testing.T) {
		p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(0, 1))
		rest := half(t, p.server, p.peer, 10_000, 9_000)
		time.Sleep(50 * time.Millisecond)
		send(t, p.peer, rest)
		expect(t, p.peer, frame(string(pattern(9_996))))
	})
}

// TestMessageTimeoutPaused: the time is not counted in which this side does not read.
func TestMessageTimeoutPaused(t *testing.T) {
	const limit = 700 * time.Millisecond
	for _, tt := range []struct {
		name      string
		stop, run func(c *weir.Connection)
	}{
		{"PauseRead", (*weir.Connection).PauseRead, (*weir.Connection).ResumeRead},
		{"Hold", executed((*weir.Connection).Hold, true), executed((*weir.Connection).Hold, false)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(limit, 1<<30))
			rest := half(t, p.server, p.peer, 10_000, 9_000)
			tt.stop(p.conn)
			time.Sleep(2*limit - limit/7) // it has no event that one could wait for
			tt.run(p.conn)
			time.Sleep(limit / 2)
			send(t, p.peer, rest)
			expect(t, p.peer, frame(string(pattern(9_996))))
		})
	}
}

// TestMessageTimeoutEach: each message has its own time, also where the next one comes
// with the end of the one before.
func TestMessageTimeoutEach(t *testing.T) {
	t.Parallel()
	const limit = 700 * time.Millisecond
	p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(limit, 1<<30))
	message := frame(string(pattern(9_996)))
	rest := half(t, p.server, p.peer, len(message), 9_000)
	for begin := time.Now(); time.Since(begin) < 2*limit; time.Sleep(limit / 7) {
		send(t, p.peer, rest+message[:9_000])
		expect(t, p.peer, message)
	}
	send(t, p.peer, rest)
	expect(t, p.peer, message)
}

// TestMessageTimeoutLate: a loop that was busy elsewhere reads first.
func TestMessageTimeoutLate(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	p := startPair(t, replying(), weir.CustomProtocol(framed{}), weir.MessageTimeout(limit, 1<<30), weir.Watchdog(0))
	message := frame(string(pattern(20_000)))
	half(t, p.server, p.peer, 20_004, 5_000)
	if err := p.conn.Execute(func() { time.Sleep(limit + 1500*time.Millisecond) }); err != nil {
		t.Fatal(err)
	}
	send(t, p.peer, message[5_000:10_000])
	eventually(t, "the loop goes on", func() bool { return p.conn.ReadBufferLength() != 5_000 })
	time.Sleep(limit / 5) // during which it looks for what is due
	send(t, p.peer, message[10_000:])
	expect(t, p.peer, message)
}

// executed is a method that is called on the loop.
func executed(f func(*weir.Connection, bool), on bool) func(*weir.Connection) {
	return func(c *weir.Connection) {
		_ = c.Execute(func() { f(c, on) }) // the test would wait in vain
	}
}
