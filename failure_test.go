package weir_test

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/poller"
)

// brokenPoller fails from the moment that it is told to.
type brokenPoller struct {
	poller.Poller
	broken *atomic.Bool
}

func (p brokenPoller) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	if p.broken.Load() {
		return 0, syscall.EIO
	}
	return p.Poller.Wait(events, timeout)
}

// TestLoopFails: if a loop can't go on, the server ends in good order, and says
// why.
func TestLoopFails(t *testing.T) {
	for i, name := range []string{"first", "second", "acceptor"} {
		t.Run(name, func(t *testing.T) {
			var broken [3]atomic.Bool
			made := 0
			pollers := weir.WithPoller(func() (poller.Poller, error) {
				p, err := poller.New()
				made++
				return brokenPoller{p, &broken[made-1]}, err
			})
			var closed atomic.Int64
			var s *weir.Server
			s = newServer(t, &handler{
				message: echo,
				close: func(c *weir.Connection) {
					closed.Add(1)
					if !errors.Is(c.Err(), weir.ErrServerStopped) {
						t.Errorf("ended with %v", c.Err())
					}
					if err := s.Stop(); err != nil { // must not wait for itself
						t.Error(err)
					}
				},
			}, weir.NumLoops(2), quiet(), pollers)
			ended := begin(s)
			const count = 6
			for range count {
				c := dial(t, s)
				send(t, c, "hello")
				expect(t, c, "hello")
			}
			broken[i].Store(true)
			for c := range s.Connections() { // wakes both loops
				_ = c.Send("x") // one of them may have failed already
			}
			if c, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil { // wakes the acceptor
				defer func() { _ = c.Close() }() // only for its effect
			}
			if err := receive(t, ended); !errors.Is(err, syscall.EIO) {
				t.Errorf("Start returns %v", err)
			}
			if closed.Load() < count {
				t.Errorf("%d of %d connections have their OnClose", closed.Load(), count)
			}
			st := s.Stats()
			if st.Open != 0 || st.Connections != 0 || !addsUp(&st) {
				t.Errorf("counts are %+v", st)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			isFree(t, s)
		})
	}
}

// TestPollerFails: a server that can't have its pollers leaves nothing behind.
func TestPollerFails(t *testing.T) {
	for last := range 3 {
		before := leaktest.Descriptors()
		made := 0
		_, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"), weir.NumLoops(2),
			weir.WithPoller(func() (poller.Poller, error) {
				if made++; made > last {
					return nil, syscall.EMFILE
				}
				return poller.New()
			}))
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("without poller %d NewServer returns %v", last, err)
		}
		if after := leaktest.Descriptors(); after > before {
			t.Errorf("without poller %d: %d descriptors before, %d after", last, before, after)
		}
	}
}
