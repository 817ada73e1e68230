package weir_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// slowly reads everything in small steps, which a peer that hurries would not.
func slowly(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var all bytes.Buffer
	for n := 1; ; n++ {
		_, err := io.CopyN(&all, r, 8<<10)
		if errors.Is(err, io.EOF) {
			return all.Bytes()
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", all.Len(), err)
		}
		if n%64 == 0 {
			time.Sleep(100 * time.Microsecond) // what makes it slow
		}
	}
}

// TestCloseAfterLargeOutput: Close sends all that was accepted, however slow
// the peer and whatever it does meanwhile.
func TestCloseAfterLargeOutput(t *testing.T) {
	large := pattern(10 << 20)
	const reads, talks, talksFirst = "only reads", "sends all the time", "sends before it reads"
	for _, tt := range []struct {
		name   string
		peers  []string
		output func(c *weir.Connection) error
	}{
		{"Send", []string{reads, talks, talksFirst}, func(c *weir.Connection) error { return errors.Join(c.Send(large), c.Close()) }},
		{"Write", []string{reads, talksFirst}, func(c *weir.Connection) error {
			return c.Execute(func() { _, err := c.Write(large); fail(t, errors.Join(err, c.Close())) })
		}},
		{"Write in parts", []string{talks}, func(c *weir.Connection) error {
			return c.Execute(func() {
				for rest := large; len(rest) > 0; rest = rest[min(len(rest), 10_000):] {
					_, err := c.Write(rest[:min(len(rest), 10_000)])
					fail(t, err)
				}
				fail(t, c.Close())
			})
		}},
		{"CloseWithError", []string{reads}, func(c *weir.Connection) error {
			err := c.Send(large)
			c.CloseWithError(weir.ErrConnectionClosed)
			return err
		}},
		{"from OnMessage", []string{reads}, (*weir.Connection).Wake},
	} {
		for _, peer := range tt.peers {
			t.Run(tt.name+", the peer "+peer, func(t *testing.T) {
				var late atomic.Int64
				p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
					if data == nil { // Wake
						fail(t, c.Close())
						return large
					}
					if !c.Connected() {
						late.Add(1)
					}
					return nil
				}}, weir.Linger(patience))
				stop := make(chan struct{})
				var talking sync.WaitGroup
				if peer == talks {
					talking.Go(func() { talk(p.peer, stop) })
				}
				if err := tt.output(p.conn); err != nil {
					t.Fatal(err)
				}
				if peer == talksFirst {
					_, _ = p.peer.Write(large) // which may be reset in the end
				}
				if got := slowly(t, p.peer); !bytes.Equal(got, large) {
					t.Errorf("%d of %d bytes arrived, or others", len(got), len(large))
				}
				close(stop)
				talking.Wait()
				p.expectErr(t, weir.ErrConnectionClosed)
				expectNothingLost(t, p.conn)
				if late.Load() != 0 {
					t.Errorf("OnMessage was called %d times after Close", late.Load())
				}
				eventually(t, "nothing is left", func() bool {
					st := p.server.Stats()
					return st.Open == 0 && st.OutputBytes == 0 && st.InputBytes == 0 && st.Closed.Local == 1
				})
			})
		}
	}
}

// talk sends until stop, or until nobody is there.
func talk(c net.Conn, stop <-chan struct{}) {
	for message := pattern(1000); ; {
		select {
		case <-stop:
			return
		default:
		}
		if _, err := c.Write(message); err != nil {
			return
		}
	}
}

// TestCloseDoesNotWaitForThePeer: when its system has everything, a connection
// is closed, whether or not the peer ends its stream.
func TestCloseDoesNotWaitForThePeer(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		fail(t, c.Close())
		return "good bye"
	}}, weir.Linger(time.Hour))
	send(t, p.peer, "x")
	p.expectErr(t, weir.ErrConnectionClosed)
	expect(t, p.peer, "good bye")
	expectEnd(t, p.peer)
	expectNothingLost(t, p.conn)
}

// TestCloseWithinARead: after Close no message is delivered, not even one of
// the same read; what the callback returns is still sent. The second Close
// says so.
func TestCloseWithinARead(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		switch string(data) {
		case "close":
			fail(t, c.Close())
			if err := c.Close(); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("the second Close: %v", err)
			}
			if err := c.WritePacket("late"); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("WritePacket after Close: %v", err)
			}
			return "closed"
		case "after":
			t.Error("OnMessage was called after Close")
		}
		return data
	}}, weir.CustomProtocol(framed{}))
	send(t, p.peer, frame("before")+frame("close")+frame("after")+frame("after"))
	expect(t, p.peer, frame("before")+frame("closed"))
	expectEnd(t, p.peer)
	p.expectErr(t, weir.ErrConnectionClosed)
}

// TestCloseAgainstSends: every Send that returned nil arrives, whenever Close
// is called, and by whom.
func TestCloseAgainstSends(t *testing.T) {
	const senders = 3
	h := &handler{}
	begun, ended := observe(h)
	s := start(t, h, weir.NumLoops(2), weir.CustomProtocol(framed{}), weir.Linger(patience))
	for range 100 {
		peer := dial(t, s)
		c := receive(t, begun)
		var accepted [senders]uint32
		var sending sync.WaitGroup
		first := make(chan struct{}, senders)
		for i := range senders {
			sending.Go(func() {
				for n := uint32(0); c.Send(string([]byte{byte(i), byte(n >> 8), byte(n)})) == nil; n++ {
					accepted[i] = n + 1
					if n == 0 {
						first <- struct{}{}
					}
				}
			})
		}
		receive(t, first)
		fail(t, c.Close())
		all, err := io.ReadAll(peer)
		if err != nil {
			t.Fatal(err)
		}
		sending.Wait()
		var arrived [senders]uint32
		for rest := all; len(rest) > 0; rest = rest[7:] {
			i := rest[4]
			if n := uint32(rest[5])<<8 | uint32(rest[6]); n != arrived[i]&0xffff {
				t.Fatalf("sender %d: message %d came after %d others", i, n, arrived[i])
			}
			arrived[i]++
		}
		if arrived != accepted {
			t.Fatalf("accepted %v, arrived %v", accepted, arrived)
		}
		_ = peer.Close() // all was read
		if receive(t, ended) != c || !errors.Is(c.Err(), weir.ErrConnectionClosed) {
			t.Fatalf("Err is %v", c.Err())
		}
		expectNothingLost(t, c)
	}
}
