package weir_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestLingerExceeded: a peer that does not read keeps a closing connection for
// the linger time and no longer. What never reached the system is counted, and the
// peer learns that what it got is not all there was.
func TestLingerExceeded(t *testing.T) {
	const total = 10 << 20
	for _, tt := range []struct {
		name   string
		linger time.Duration
		write  func(c *weir.Connection)
	}{
		{"Send", 50 * time.Millisecond, func(c *weir.Connection) { fail(t, c.Send(pattern(total))) }},
		{"many Sends", 50 * time.Millisecond, func(c *weir.Connection) {
			for range total / 1024 {
				fail(t, c.Send(pattern(1024)))
			}
		}},
		{"Write", 50 * time.Millisecond, func(c *weir.Connection) {
			_, err := c.Write(pattern(total))
			fail(t, err)
		}},
		{"no linger time", 0, func(c *weir.Connection) {
			_, err := c.Write(pattern(total))
			fail(t, err)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			p := startPair(t, &handler{connect: func(c *weir.Connection) { tt.write(c); fail(t, c.Close()) }},
				weir.Linger(tt.linger))
			p.expectErr(t, weir.ErrConnectionClosed)
			if d := time.Since(began); d < tt.linger {
				t.Errorf("closed after %v, before the linger time was up", d)
			}
			got, err := io.ReadAll(p.peer)
			if !wasReset(err) {
				t.Errorf("the stream of the peer ends with %v, want a reset", err)
			}
			if !bytes.HasPrefix(pattern(total), got[:min(len(got), 1024)]) {
				t.Errorf("the peer got %q", clip(got))
			}
			var lost *weir.UnsentError
			if !errors.As(p.conn.Err(), &lost) {
				t.Fatalf("Err is %v, want an *UnsentError", p.conn.Err())
			}
			if lost.Bytes <= 0 || lost.Bytes+int64(len(got)) > total {
				t.Errorf("%d bytes are said to be unsent, %d arrived, of %d in all", lost.Bytes, len(got), total)
			}
			if !errors.Is(lost.Cause, weir.ErrConnectionClosed) || lost.Err != nil {
				t.Errorf("UnsentError %#v", lost)
			}
			eventually(t, "it is counted", func() bool {
				st := p.server.Stats()
				return st.Closed.Local == 1 && st.Open == 0 && st.OutputBytes == 0
			})
			if n := p.conn.WriteBufferLength(); n != 0 {
				t.Errorf("WriteBufferLength is %d after the end", n)
			}
		})
	}
}

// TestNoLinger: what the system takes at once is sent even then.
func TestNoLinger(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(c *weir.Connection) error
	}{
		{"Write", func(c *weir.Connection) error { return c.WritePacket("good bye") }},
		{"Send", func(c *weir.Connection) error { return c.Send("good bye") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{
				connect: func(c *weir.Connection) { fail(t, errors.Join(tt.write(c), c.Close())) },
			}, weir.Linger(0))
			expect(t, p.peer, "good bye")
			expectEnd(t, p.peer)
			p.expectErr(t, weir.ErrConnectionClosed)
			expectNothingLost(t, p.conn)
		})
	}
}

// TestDrainingCostsNothing: a closing connection waits for its peer without a
// spin, whatever the peer has done, and then sends the rest.
func TestDrainingCostsNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(peer *net.TCPConn) error
	}{
		{"the peer is silent", func(*net.TCPConn) error { return nil }},
		{"the peer has sent something", func(peer *net.TCPConn) error {
			_, err := peer.Write(pattern(1 << 20))
			return err
		}},
		{"the peer has ended its stream", (*net.TCPConn).CloseWrite},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{connect: func(c *weir.Connection) {
				_, err := c.Write(pattern(10 << 20))
				fail(t, errors.Join(err, c.Close()))
			}}, weir.Linger(time.Hour))
			fail(t, tt.act(p.peer))
			expectIdle(t, p.server)
			expect(t, p.peer, string(pattern(10<<20)))
			expectEnd(t, p.peer)
			p.expectErr(t, weir.ErrConnectionClosed)
			expectNothingLost(t, p.conn)
		})
	}
}

// TestResetWhileDraining: the cause stays, and what ended the sending is told.
func TestResetWhileDraining(t *testing.T) {
	p := startPair(t, &handler{connect: func(c *weir.Connection) {
		_, err := c.Write(pattern(10 << 20))
		fail(t, errors.Join(err, c.Close()))
	}}, weir.Linger(time.Hour))
	eventually(t, "the peer has stalled", func() bool { return p.server.Stats().OutputBytes > 0 })
	reset(t, p.peer)
	p.expectErr(t, weir.ErrConnectionClosed)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || lost.Bytes <= 0 || !wasReset(lost.Err) || !wasReset(p.conn.Err()) {
		t.Errorf("Err is %v", p.conn.Err())
	}
}

// TestUnsentOnFailure: an open connection that fails tells what was lost, and
// calls neither it nor the linger time the cause.
func TestUnsentOnFailure(t *testing.T) {
	p := startPair(t, &handler{connect: func(c *weir.Connection) {
		_, err := c.Write(pattern(10 << 20))
		fail(t, err)
	}})
	eventually(t, "the peer has stalled", func() bool { return p.server.Stats().OutputBytes > 0 })
	if err := p.server.Stop(); err != nil {
		t.Fatal(err)
	}
	p.expectErr(t, weir.ErrServerStopped)
	var lost *weir.UnsentError
	if !errors.As(p.conn.Err(), &lost) || lost.Bytes <= 0 || !errors.Is(lost.Cause, weir.ErrServerStopped) {
		t.Fatalf("Err is %v", p.conn.Err())
	}
	if text := lost.Error(); strings.Contains(text, "linger") {
		t.Errorf("%q, but there was no lingering", text)
	}
}

// TestAwaitPeer: what the peer goes on to send after the last words, although its system
// has acknowledged them, is taken and not answered with a reset.
func TestAwaitPeer(t *testing.T) {
	lastWords := func(c *weir.Connection) {
		_, err := c.Write([]byte("last words"))
		c.AwaitPeer()
		fail(t, errors.Join(err, c.Close()))
	}
	t.Run("the peer ends", func(t *testing.T) {
		p := startPair(t, &handler{connect: lastWords}, weir.Linger(time.Hour))
		for sent := uint64(0); sent < 100; sent++ {
			_, err := p.peer.Write([]byte{'x'})
			fail(t, err)
			eventually(t, "it is taken", func() bool { return p.server.Stats().BytesIn == sent+1 })
		}
		expect(t, p.peer, "last words")
		expectEnd(t, p.peer)
		expectIdle(t, p.server)
		fail(t, p.peer.CloseWrite())
		p.expectErr(t, weir.ErrConnectionClosed)
		expectNothingLost(t, p.conn)
	})
	t.Run("the peer does not end", func(t *testing.T) {
		const linger = 50 * time.Millisecond
		began := time.Now()
		p := startPair(t, &handler{connect: lastWords}, weir.Linger(linger))
		expect(t, p.peer, "last words")
		expectEnd(t, p.peer)
		p.expectErr(t, weir.ErrConnectionClosed)
		if d := time.Since(began); d < linger {
			t.Errorf("closed after %v, before the linger time was up", d)
		}
		expectNothingLost(t, p.conn)
	})
}

// TestReset: what was accepted arrives, and then the stream of the peer ends with a reset,
// also if it has ended its own, or Close came first.
func TestReset(t *testing.T) {
	cause := errors.New("no more")
	for _, tt := range []struct {
		name string
		size int
		act  func(p *pair)
		want error
	}{
		{"little", 10, func(p *pair) { p.conn.Reset(cause) }, cause},
		{"nothing", 0, func(p *pair) { p.conn.Reset(nil) }, weir.ErrConnectionClosed},
		{"much", 8 << 20, func(p *pair) { p.conn.Reset(cause) }, cause},
		{"behind Close", 8 << 20, func(p *pair) { fail(t, p.conn.Close()); p.conn.Reset(cause) }, weir.ErrConnectionClosed},
		{"of a half-closed peer", 8 << 20, func(p *pair) { p.conn.Reset(cause); fail(t, p.peer.CloseWrite()) }, cause},
		{"of a peer that sends", 1 << 20, func(p *pair) {
			p.conn.Reset(cause)
			_, err := p.peer.Write(pattern(1000))
			fail(t, err)
		}, cause},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{connect: func(c *weir.Connection) {
				_, err := c.Write(pattern(tt.size))
				fail(t, err)
			}}, weir.Linger(time.Hour)) // what it waits for is the acknowledgement
			tt.act(p)
			got, err := io.ReadAll(p.peer)
			if !wasReset(err) || !bytes.Equal(got, pattern(tt.size)) {
				t.Errorf("the peer got %d of %d bytes, then %v", len(got), tt.size, err)
			}
			p.expectErr(t, tt.want)
			expectNothingLost(t, p.conn)
			p.conn.Reset(nil) // changes nothing
		})
	}
}
