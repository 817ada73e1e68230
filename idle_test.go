package weir_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// crowd is what idleChild is told.
type crowd struct {
	Port  int
	Count int // connections
	Talk  int // one in so many talks; the others are silent
	Pause time.Duration
}

// idleChild holds many connections, of which few talk. It says how many it has
// made.
func idleChild(command *json.Decoder, answer *json.Encoder) error {
	var plan crowd
	if err := command.Decode(&plan); err != nil {
		return err
	}
	var mu sync.Mutex
	var all, talking []net.Conn // guarded by mu
	var dialing sync.WaitGroup
	const dialers = 4
	failed := make(chan error, dialers)
	for d := range dialers {
		dialing.Go(func() {
			for i := d; i < plan.Count; i += dialers {
				// Several addresses, each with the whole range of ports.
				c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.%d:%d", 1+d, plan.Port))
				if err != nil {
					failed <- err
					return
				}
				mu.Lock()
				all = append(all, c)
				if i%plan.Talk == 0 {
					talking = append(talking, c)
				}
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	var talk sync.WaitGroup
	talk.Go(func() {
		for tick := time.NewTicker(plan.Pause); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
			mu.Lock()
			now := talking[:len(talking):len(talking)]
			mu.Unlock()
			for _, c := range now {
				_, _ = c.Write([]byte{1}) // the server will say if it has closed one that talks
			}
		}
	})
	dialing.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	if err := answer.Encode(len(all)); err != nil {
		return err
	}
	if err := command.Decode(&plan); !errors.Is(err, io.EOF) {
		return err
	}
	close(stop)
	talk.Wait()
	return nil // and all are closed
}

// TestIdleCrowd: of many connections exactly the idle ones go, each at its
// time.
func TestIdleCrowd(t *testing.T) {
	const (
		count   = 15_000
		talking = count / 3
		idle    = 2 * time.Second
		// A cycle of the loop has one time for all that happens in it, so what
		// the test sees at the end of one is newer than what the loop has noted.
		oneCycle = 200 * time.Millisecond
		late     = time.Second
	)
	type life struct {
		last  time.Time
		talks bool
	}
	var idleGone, talkingGone, early, tooLate, latest atomic.Int64
	var stopping atomic.Bool
	s := start(t, &handler{
		connect: func(c *weir.Connection) { c.SetContext(&life{last: time.Now()}) },
		message: func(c *weir.Connection, _ any, _ []byte) any {
			l := c.Context().(*life)
			l.last, l.talks = time.Now(), true
			return nil
		},
		close: func(c *weir.Connection) {
			if stopping.Load() {
				return
			}
			l := c.Context().(*life)
			if !errors.Is(c.Err(), weir.ErrIdleTimeout) {
				t.Errorf("a connection ended with %v", c.Err())
			}
			if l.talks {
				talkingGone.Add(1) // right only if its client was kept from talking for so long
			} else {
				idleGone.Add(1)
			}
			lateness := time.Since(l.last) - idle
			if lateness < -oneCycle {
				early.Add(1)
			}
			if lateness > late {
				tooLate.Add(1)
			}
			latest.Store(max(latest.Load(), int64(lateness)))
		},
	}, weir.NumLoops(2), weir.Address("0.0.0.0:0"), weir.IdleTime(idle))
	clients := startChild(t, "idle")
	t.Cleanup(func() { stopping.Store(true) })
	clients.tell(crowd{Port: s.Addrs()[0].(*net.TCPAddr).Port, Count: count, Talk: 3, Pause: idle / 8})
	var connected int
	clients.hear(&connected)
	eventually(t, "all have come", func() bool { return s.Stats().Opened == count })
	eventually(t, "all that are idle have gone", func() bool { return idleGone.Load() >= count-talking })
	t.Logf("%d idle ones gone, the latest %v late", idleGone.Load(), time.Duration(latest.Load()))
	if n := talkingGone.Load(); n > 0 {
		t.Logf("%d that talk were kept from it for %v", n, idle)
	}
	if early.Load() != 0 || tooLate.Load() != 0 {
		t.Errorf("%d connections went before their time, %d more than %v after it", early.Load(), tooLate.Load(), late)
	}
	eventually(t, "the others are there", func() bool {
		st := s.Stats()
		gone := idleGone.Load() + talkingGone.Load()
		return st.Open == count-gone && st.Closed.Idle == uint64(gone)
	})
	if n := count - s.Stats().Open - (count - talking); n > talking/2 {
		t.Errorf("%d of %d that talk were closed", n, talking)
	}
}
