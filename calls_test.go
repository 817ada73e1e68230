package weir_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

// withCalls lets change put something in front of the server's system calls.
func withCalls(change func(calls *sock.Calls, system sock.Calls)) weir.Option {
	return weir.WithCalls(func(c *sock.Calls) { change(c, *c) })
}

// cycles counts the polls of a server, so that a test can tell which calls are made in
// one cycle of its loop.
type cycles struct{ polls atomic.Int64 }

func (y *cycles) option() weir.Option {
	return weir.WithPoller(func() (poller.Poller, error) {
		p, err := poller.New()
		return &countedPoller{p, y}, err
	})
}

type countedPoller struct {
	poller.Poller
	cycles *cycles
}

func (p *countedPoller) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	p.cycles.polls.Add(1)
	return p.Poller.Wait(events, timeout)
}

// row is the most calls that were made in one cycle. Loop only.
type row struct{ cycle, calls, most int64 }

func (r *row) count(y *cycles) {
	if at := y.polls.Load(); at != r.cycle {
		r.cycle, r.calls = at, 0
	}
	r.calls++
	r.most = max(r.most, r.calls)
}

// expectFewTimers fails the test if a timer fires at every tick of the wheel. Whatever
// does that does it all the time, so one window without it is enough.
func expectFewTimers(t *testing.T, s *weir.Server) {
	t.Helper()
	const window, most = 300 * time.Millisecond, 15 // a tick is 8.4 ms
	var polls uint64
	for range 8 {
		before := s.Stats().Polls
		<-time.After(window) // the time over which polls are counted
		if polls = s.Stats().Polls - before; polls <= most {
			return
		}
	}
	t.Errorf("%d polls in %v, while nothing happens", polls, window)
}

// stallPeer has c owe its peer, which does not read, more than the system takes.
func stallPeer(t *testing.T, c *weir.Connection) {
	t.Helper()
	fail(t, onLoop(t, c, func() error {
		_, err := c.Write(make([]byte, stuffing))
		return err
	}))
	eventually(t, "the peer has stalled", func() bool { return c.WriteBufferLength() > stuffing/4 })
}

const stuffing = 16 << 20
