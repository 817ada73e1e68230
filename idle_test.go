package weir_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
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
	runtime.KeepAlive(all) // the collector would close those that nobody talks on
	return nil             // and all are closed
}

// TestIdleCrowd: of many connections exactly the idle ones go, each at its
// time.
func TestIdleCrowd(t *testing.T) {
	const (
		count   = 6_000
		talking = count / 3
		idle    = 2 * time.Second
		// A cycle of the loop has one time for all that happens in it, so what
		// the test sees at the end of one is newer than what the loop has noted.
		oneCycle = 100 * time.Millisecond
		late     = 5 * time.Second
		loops    = 2
	)
	type life struct {
		last  time.Time
		talks bool
	}
	var arrived, idleGone, talkingGone, earliest, latest atomic.Int64
	var stopping atomic.Bool
	pulses := make(chan *weir.Connection, loops)
	s := start(t, &handler{
		connect: func(c *weir.Connection) {
			c.SetContext(&life{last: time.Now()})
			if arrived.Add(1) <= loops { // the test's own, one on each loop
				c.SetIdleTime(0)
				pulses <- c
			}
		},
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
			raise(&earliest, int64(-lateness))
			raise(&latest, int64(lateness))
		},
	}, weir.NumLoops(loops), weir.Address("0.0.0.0:0"), weir.IdleTime(idle))
	for range loops {
		dial(t, s)
	}
	eventually(t, "each loop has a pulse", func() bool { return len(pulses) == loops })
	slowest := new(atomic.Int64)
	defer takePulse(t, pulses, slowest)()
	clients := startChild(t, "idle")
	t.Cleanup(func() { stopping.Store(true) })
	clients.tell(crowd{Port: s.Addrs()[0].(*net.TCPAddr).Port, Count: count, Talk: 3, Pause: idle / 8})
	var connected int
	clients.hear(&connected)
	eventually(t, "all have come", func() bool { return s.Stats().Opened == loops+count })
	eventually(t, "all that are idle have gone", func() bool { return idleGone.Load() >= count-talking })
	busy := time.Duration(slowest.Load())
	t.Logf("%d idle ones gone, the latest %v late; a loop took %v to run a function", idleGone.Load(), time.Duration(latest.Load()), busy)
	if n := talkingGone.Load(); n > 0 {
		t.Logf("%d that talk were kept from it for %v", n, idle)
	}
	if e := time.Duration(earliest.Load()); e > oneCycle+busy {
		t.Errorf("a connection went %v before its time", e)
	}
	// Timers wait for data that has arrived, and not for ever.
	if l := time.Duration(latest.Load()); l > late+4*busy {
		t.Errorf("a connection went %v after its time", l)
	}
	eventually(t, "the others are there", func() bool {
		st := s.Stats()
		gone := idleGone.Load() + talkingGone.Load()
		return st.Open == loops+count-gone && st.Closed.Idle == uint64(gone)
	})
}

// takePulse measures how long loops take to get to a function, on a machine
// that may be busy with other things, until the function that it returns is
// called.
func takePulse(t *testing.T, of <-chan *weir.Connection, slowest *atomic.Int64) (stop func()) {
	done := make(chan struct{})
	var beating sync.WaitGroup
	for range len(of) {
		c := <-of
		beating.Go(func() {
			beat := make(chan struct{}, 1)
			for {
				began := time.Now()
				if err := c.Execute(func() { beat <- struct{}{} }); err != nil {
					t.Error(err)
					return
				}
				<-beat
				raise(slowest, int64(time.Since(began)))
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	return func() {
		close(done)
		beating.Wait()
	}
}
