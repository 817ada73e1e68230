package weir_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestAnyGoroutine calls all that is for any goroutine from many of them while
// the loops are busy. The race detector is its better half; the other is that
// in the end everything is accounted for.
func TestAnyGoroutine(t *testing.T) {
	const clients, hammers, blows = 24, 6, 20_000
	var connected, closed, accepted, released, executed, mayRun atomic.Int64
	s := start(t, &handler{
		connect: func(*weir.Connection) { connected.Add(1) },
		message: echo,
		close: func(c *weir.Connection) {
			closed.Add(1)
			if c.Err() == nil {
				t.Error("OnClose without a cause")
			}
		},
	}, weir.NumLoops(3))

	stop := make(chan struct{})
	var load, hammering sync.WaitGroup
	for range clients {
		load.Go(func() { keepTalking(t, s, stop) })
	}
	eventually(t, "all clients are there", func() bool { return s.Stats().Open == clients })

	done := weir.SendInLoop(func(any) { released.Add(1) })
	blow := func(c *weir.Connection) {
		id := c.ID()
		if found := s.Connection(id); found != nil && found != c {
			t.Errorf("%v finds another connection", id)
		}
		switch rand.IntN(10) {
		case 0, 1:
			if err := c.Send([]byte("from afar"), done); err == nil {
				accepted.Add(1)
			} else if !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("Send: %v", err)
			}
		case 2:
			if err := c.Send("from afar", done); err == nil {
				accepted.Add(1)
			}
		case 3:
			if c.Execute(func() { executed.Add(1) }) == nil {
				mayRun.Add(1)
			}
		case 4:
			c.PauseRead()
			c.ResumeRead()
		case 5:
			if err := c.Wake(); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("Wake: %v", err)
			}
		case 6:
			if c.LocalAddr().String() != s.Addrs()[0].String() || c.PeerAddr() != c.RemoteAddr().String() {
				t.Errorf("local %v, remote %v and %v", c.LocalAddr(), c.RemoteAddr(), c.PeerAddr())
			}
		case 7:
			if c.ReadBufferLength() < 0 || c.WriteBufferLength() < 0 {
				t.Errorf("%d bytes buffered for reading, %d for writing", c.ReadBufferLength(), c.WriteBufferLength())
			}
		case 8:
			c.Set("key", id)
			_, _ = c.Get("key") // another goroutine may delete it
			c.Delete("key")
		case 9:
			if err := c.Err(); err != nil && c.Connected() {
				t.Errorf("connected after it has ended: %v", err)
			}
			if rand.IntN(50) == 0 {
				_ = c.Close() // another goroutine may have been faster
			}
		}
	}
	for range hammers {
		hammering.Go(func() {
			for n := 0; n < blows; {
				for c := range s.Connections() {
					blow(c)
					if n++; n%40 == 0 {
						_ = s.Stats()
						break
					}
				}
			}
		})
	}
	hammering.Wait()
	eventually(t, "the loops get to it", func() bool { return executed.Load() > 0 }) // before the clients go
	close(stop)
	load.Wait()
	eventually(t, "every OnConnect has its OnClose", func() bool {
		return connected.Load() >= clients && closed.Load() == connected.Load() && s.Stats().Open == 0
	})
	eventually(t, "every Send that was accepted has released its data", func() bool {
		return released.Load() == accepted.Load()
	})
	eventually(t, "everything is counted", func() bool {
		st := s.Stats()
		return addsUp(&st) && st.Opened == uint64(connected.Load()) &&
			st.InputBytes == 0 && st.OutputBytes == 0 && st.Queued == 0 && st.Panics == 0
	})
	t.Logf("%d connections, %d Sends, %d Executes", connected.Load(), accepted.Load(), executed.Load())
	if accepted.Load() == 0 || executed.Load() == 0 || executed.Load() > mayRun.Load() {
		t.Errorf("%d Sends; %d of %d Executes were run", accepted.Load(), executed.Load(), mayRun.Load())
	}
}

// keepTalking is a client that sends, and receives, and connects again when
// the server has closed.
func keepTalking(t *testing.T, s *weir.Server, stop <-chan struct{}) {
	message, got := make([]byte, 64), make([]byte, 4096)
	for {
		c, err := net.Dial("tcp", s.Addrs()[0].String())
		if err == nil {
			err = c.SetDeadline(time.Now().Add(patience))
		}
		if err != nil {
			t.Error(err)
			return
		}
		for err == nil {
			select {
			case <-stop:
				_ = c.Close() // nothing is left to be said
				return
			default:
			}
			if _, err = c.Write(message); err == nil {
				_, err = c.Read(got)
			}
		}
		_ = c.Close() // the server has closed it
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Error("the server neither answers nor closes")
			return
		}
	}
}
