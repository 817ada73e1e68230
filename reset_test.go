package weir_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// TestResetStorm: many clients that reset their connections in the middle of
// things are noticed at once and leave nothing behind.
func TestResetStorm(t *testing.T) {
	const clients = 60
	const low, high = 16 << 10, 64 << 10
	plenty := pattern(1 << 20) // more than the systems of both sides take
	for _, tt := range []struct {
		name    string
		connect func(c *weir.Connection)
		message func(c *weir.Connection, ctx any, data []byte) any
		waits   bool // for the peer, which must cost nothing
		// reach brings the connection to where it is to be reset.
		reach func(t *testing.T, s *weir.Server, c *weir.Connection, peer *net.TCPConn)
	}{
		{
			name:    "idle",
			message: func(_ *weir.Connection, _ any, data []byte) any { return data },
			reach: func(t *testing.T, _ *weir.Server, _ *weir.Connection, peer *net.TCPConn) {
				send(t, peer, frame("x"))
				expect(t, peer, frame("x"))
			},
		},
		{
			name: "in the middle of a message",
			reach: func(t *testing.T, _ *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				send(t, peer, frame("hello")[:7])
				eventually(t, "it has been read", func() bool { return c.ReadBufferLength() == 7 })
			},
		},
		{
			name: "while input comes",
			reach: func(t *testing.T, _ *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				send(t, peer, string(pattern(200_000)))
			},
		},
		{
			name:    "with output pending",
			connect: func(c *weir.Connection) { _, _ = c.Write(plenty) }, // it is open
			reach: func(t *testing.T, _ *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				eventually(t, "output waits", func() bool { return c.WriteBufferLength() > 0 })
			},
		},
		{
			name:    "paused",
			waits:   true,
			connect: (*weir.Connection).PauseRead,
			reach: func(t *testing.T, s *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				send(t, peer, frame("never looked at"))
			},
		},
		{
			name:  "paused over a message",
			waits: true,
			message: func(c *weir.Connection, _ any, _ []byte) any {
				c.PauseRead()
				return nil
			},
			reach: func(t *testing.T, s *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				send(t, peer, frame("one")+frame("two"))
				eventually(t, "the second message waits", func() bool { return c.ReadBufferLength() == int64(len(frame("two"))) })
			},
		},
		{
			name:  "paused by back-pressure",
			waits: true,
			message: func(c *weir.Connection, _ any, data []byte) any {
				_, _ = c.Write(plenty) // an error means that the connection is ending
				return nil
			},
			reach: func(t *testing.T, s *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				for range 10 {
					send(t, peer, frame("x"))
				}
				eventually(t, "it is under pressure", func() bool { return c.WriteBufferLength() > high })
			},
		},
		{
			name:    "while it drains",
			connect: func(c *weir.Connection) { _, _ = c.Write(plenty); _ = c.Close() }, // it is open
			reach: func(t *testing.T, s *weir.Server, c *weir.Connection, peer *net.TCPConn) {
				eventually(t, "output waits", func() bool { return c.WriteBufferLength() > 0 && !c.Connected() })
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &handler{connect: tt.connect, message: tt.message}
			begun, ended := observe(h)
			s := start(t, h, weir.NumLoops(2), weir.CustomProtocol(framed{}), weir.WriteBufferMarks(low, high),
				weir.SocketWriteBuffer(4<<10), weir.SocketReadBuffer(64<<10))
			var peers []*net.TCPConn
			for range clients {
				peer := dial(t, s)
				if err := peer.SetReadBuffer(4 << 10); err != nil {
					t.Fatal(err)
				}
				tt.reach(t, s, receive(t, begun), peer)
				peers = append(peers, peer)
			}
			if tt.waits {
				expectIdle(t, s)
			}
			var wait sync.WaitGroup
			for _, peer := range peers {
				wait.Go(func() { reset(t, peer) })
			}
			wait.Wait()
			seen := make(map[*weir.Connection]bool)
			for range clients {
				c := receive(t, ended)
				if seen[c] {
					t.Errorf("OnClose was called twice for %v", c.ID())
				}
				seen[c] = true
				if !wasReset(c.Err()) {
					t.Errorf("Err is %v", c.Err())
				}
			}
			eventually(t, "nothing is left", func() bool {
				st := s.Stats()
				return st.Open == 0 && st.InputBytes == 0 && st.OutputBytes == 0 && addsUp(&st)
			})
		})
	}
}

// TestHalfClose: what a client sent before it ended its stream is delivered
// and answered, whatever holds it up; then the connection ends with io.EOF.
func TestHalfClose(t *testing.T) {
	const messages = 2000
	reply := func(_ *weir.Connection, _ any, data []byte) any { return data }
	wire := strings.Repeat(frame(string(pattern(1000))), messages)
	stream := func(t *testing.T, p *pair) {
		go func() {
			_, err := io.WriteString(p.peer, wire)
			if err = errors.Join(err, p.peer.CloseWrite()); err != nil {
				t.Error(err)
			}
		}()
	}
	t.Run("at once", func(t *testing.T) {
		p := startPair(t, &handler{message: reply}, weir.CustomProtocol(framed{}))
		stream(t, p)
		expect(t, p.peer, wire)
		expectEnd(t, p.peer)
		p.expectErr(t, io.EOF)
	})
	t.Run("under back-pressure", func(t *testing.T) {
		p := startPair(t, &handler{message: reply}, weir.CustomProtocol(framed{}),
			weir.WriteBufferMarks(16<<10, 64<<10), weir.SocketWriteBuffer(32<<10))
		stream(t, p)
		eventually(t, "the peer has stalled", func() bool { return p.server.Stats().Pauses > 0 })
		expect(t, p.peer, wire)
		expectEnd(t, p.peer)
		p.expectErr(t, io.EOF)
	})
	t.Run("while paused", func(t *testing.T) {
		paused := make(chan struct{}, 1)
		p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
			if string(data) == "pause" {
				c.PauseRead()
				paused <- struct{}{}
			}
			return data
		}}, weir.CustomProtocol(framed{}))
		send(t, p.peer, frame("pause")+frame("in the same read"))
		receive(t, paused)
		send(t, p.peer, frame("in another read"))
		if err := p.peer.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect(t, p.peer, frame("pause"))
		expectIdle(t, p.server)
		if !p.conn.Connected() {
			t.Fatalf("the connection has ended before all was delivered: %v", p.conn.Err())
		}
		p.conn.ResumeRead()
		expect(t, p.peer, frame("in the same read")+frame("in another read"))
		expectEnd(t, p.peer)
		p.expectErr(t, io.EOF)
	})
	t.Run("within a message", func(t *testing.T) {
		p := startPair(t, &handler{message: reply}, weir.CustomProtocol(framed{}))
		send(t, p.peer, frame("whole")+frame("not whole")[:6])
		if err := p.peer.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect(t, p.peer, frame("whole"))
		expectEnd(t, p.peer)
		p.expectErr(t, io.EOF)
	})
}

// TestHalfCloseAfterSend: what Send has accepted before the peer ended its
// stream is sent, even if the loop gets to the end of the stream first.
func TestHalfCloseAfterSend(t *testing.T) {
	const sends = 5000
	p := startPair(t, &handler{}, weir.CustomProtocol(framed{}))
	release := occupy(t, p.conn) // from now on tasks wait for the next cycle, which begins with events
	for range sends {
		if err := p.conn.Send("sent"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	release()
	for range sends {
		expect(t, p.peer, frame("sent"))
	}
	expectEnd(t, p.peer)
	p.expectErr(t, io.EOF)
	var lost *weir.UnsentError
	if errors.As(p.conn.Err(), &lost) {
		t.Errorf("Err is %v", lost)
	}
}

// TestPausedInTheSameCycle: a peer whose connection is paused by another
// connection's callback is not heard, not even if its event came with the same
// poll.
func TestPausedInTheSameCycle(t *testing.T) {
	var other atomic.Pointer[weir.Connection]
	got := make(chan string, 1)
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		switch {
		case c == other.Load():
			got <- string(data)
		case string(data) == "pause the other one":
			other.Load().PauseRead()
		}
		return data
	}})
	peer := dial(t, p.server)
	c := receive(t, p.begun)
	other.Store(c)
	for _, tt := range []struct {
		name string
		act  func() error
		want string
	}{
		{"data", func() error { _, err := io.WriteString(peer, "x"); return err }, "x"},
		{"end", peer.CloseWrite, ""},
	} {
		expectEcho(t, p.server, "the poller has forgotten the last events")
		release := occupy(t, p.conn)
		send(t, p.peer, "pause the other one") // so this event is the first one
		if err := tt.act(); err != nil {
			t.Fatal(err)
		}
		release()
		expect(t, p.peer, "pause the other one")
		expectEcho(t, p.server, "another cycle")
		if !c.Connected() || len(got) != 0 {
			t.Fatalf("%s: Connected %v (%v), %d messages while it is paused", tt.name, c.Connected(), c.Err(), len(got))
		}
		c.ResumeRead()
		if tt.want != "" {
			expect(t, peer, tt.want)
			receive(t, got)
		}
	}
	expectEnd(t, peer)
}
