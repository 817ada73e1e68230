package weir_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

var (
	stressFor  = flag.Duration("stress", time.Second, "how long TestStress goes on")
	stressSeed = flag.Uint64("stressseed", 0, "what its choices begin with (0: another one each time)")
)

// TestStress has clients, the program and the system do at random all that they can do to
// a server, and checks what has to hold whatever they do. A round is one server of random
// options. By hand, for as long as you like:
//
//	go test -race -run TestStress -stress 10m -timeout 0 .
//
// A seed makes the same choices again, though not at the same moments.
func TestStress(t *testing.T) {
	seed := *stressSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	end := time.Now().Add(*stressFor)
	for round := uint64(0); round == 0 || time.Now().Before(end); round++ {
		s := newStress(t, seed, round)
		if s.run(min(max(time.Until(end), 100*time.Millisecond), 2*time.Second)); t.Failed() {
			t.Fatalf("round %d; again with -stressseed %d", round, seed)
		}
	}
	t.Logf("seed %d", seed)
}

// The sources of what the server sends. Each numbers its messages, and they come in that
// order.
const (
	byLoop     = iota // Write and WritePacket in callbacks
	byLoopSend        // Send in callbacks
	byReply           // what OnMessage returns; nobody is told whether it was accepted
	byProgram         // the first goroutine of the program
	sources    = byProgram + stressSenders
)

const (
	stressSenders = 3
	stressClients = 12
	stressLargest = 100_000
)

// stress is one round.
type stress struct {
	t      *testing.T
	seed   uint64
	round  uint64
	faults *faults
	server *weir.Server
	filler []byte

	connects, closes   atomic.Int64
	messages           atomic.Int64 // OnMessage, but for Wake
	accepted, told     atomic.Int64 // of Send with a SendInLoop
	dialed, ends, full atomic.Int64 // of clients: connections, ends in good order, those of which all was compared

	mu    sync.Mutex // guards:
	all   []*weir.Connection
	state map[*weir.Connection]*stressed
	heard map[uint64]*heard // what clients have heard, by their number
}

// stressed is what the program knows of a connection.
type stressed struct {
	// loop only
	random *rand.Rand
	next   uint32 // the number of the client's next message
	reply  uint32 // of the next one of byReply
	ended  bool

	// any goroutine
	client   atomic.Uint64 // the number of the client; 0: it has not said
	accepted [sources]atomic.Uint32
}

// heard is what a client has received of a connection.
type heard struct {
	counts [sources]uint32
	eof    bool // to the end in good order
	cut    bool // to an end that is the same, in the middle of a message
}

func newStress(t *testing.T, seed, round uint64) *stress {
	s := &stress{
		t: t, seed: seed, round: round, faults: newFaults(), filler: pattern(stressLargest + 4096),
		state: make(map[*weir.Connection]*stressed), heard: make(map[uint64]*heard),
	}
	r := s.random(0)
	s.faults.random, s.faults.one, s.faults.lethal = s.random(1), 2+r.IntN(60), r.IntN(2) == 0
	pick := func(of ...time.Duration) time.Duration { return of[r.IntN(len(of))] }
	low := r.IntN(32 << 10)
	high := low + 1 + r.IntN(64<<10)
	s.server = newServer(t, s, append(s.faults.options(), quiet(),
		weir.NumLoops(1+r.IntN(3)), weir.ListenerPerLoop(r.IntN(3) == 0), weir.CustomProtocol(s.protocol(r)),
		weir.WriteBufferMarks(low, high), weir.WriteBufferLimit(high+1+r.IntN(1<<20)), weir.SlowConsumer(weir.SlowPolicy(r.IntN(2))),
		weir.SocketWriteBuffer(r.IntN(2)*(4<<10+r.IntN(64<<10))), weir.SocketReadBuffer(r.IntN(2)*(4<<10+r.IntN(64<<10))),
		weir.Linger(pick(0, 5*time.Millisecond, 200*time.Millisecond)), weir.IdleTime(pick(0, 0, 20*time.Millisecond, time.Second)),
		weir.StallTimeout(pick(0, 0, 30*time.Millisecond)), weir.BusyPoll(pick(0, 20*time.Microsecond)), weir.MaxMessageSize(2*stressLargest), weir.IncompleteLimit(4*stressLargest),
		weir.MessageTimeout(pick(0, 20*time.Millisecond, time.Second), 1<<20))...)
	return s
}

// random is a source of chance of its own for each use.
func (s *stress) random(use uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed+s.round, use))
}

func (s *stress) failf(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("round %d: %s", s.round, fmt.Sprintf(format, args...))
}

// run plays the round and checks its end.
func (s *stress) run(d time.Duration) {
	ended := begin(s.server)
	eventually(s.t, "all listeners accept", func() bool { // one that can't ends Start, and rightly so
		st, n := s.server.Stats(), 1
		if s.server.Options().ListenerPerLoop {
			n = len(st.Loops)
		}
		return st.Tasks >= uint64(n)
	})
	s.faults.arm()
	stop := make(chan struct{})
	var program, clients sync.WaitGroup
	for i := range stressSenders {
		program.Go(func() { s.program(i, stop) })
	}
	for i := range stressClients {
		clients.Go(func() { s.client(uint64(i), stop) })
	}
	<-time.After(d) // the length of the round
	if s.random(2).IntN(2) == 0 {
		close(stop) // clients that go before the server does
		clients.Wait()
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(s.random(3).IntN(3))*100*time.Millisecond)
	defer cancel()
	_ = s.server.Shutdown(ctx) // its context may well end
	if err := s.server.Stop(); err != nil {
		s.failf("Stop: %v", err)
	}
	select {
	case <-stop:
	default:
		close(stop)
		clients.Wait()
	}
	program.Wait()
	if err := receive(s.t, ended); err != nil {
		s.failf("Start: %v", err)
	}
	s.faults.disarm()
	s.check()
}

// check looks at what is left, which is to be nothing, and at what has arrived.
func (s *stress) check() {
	st := s.server.Stats()
	if a, b := s.connects.Load(), s.closes.Load(); a != b || uint64(a) != st.Opened {
		s.failf("%d times OnConnect, %d times OnClose, %d are counted", a, b, st.Opened)
	}
	if a, b := s.accepted.Load(), s.told.Load(); a != b {
		s.failf("%d Sends were accepted, %d told done", a, b)
	}
	if !addsUp(&st) || st.Open != 0 || st.InputBytes != 0 || st.OutputBytes != 0 || st.Queued != 0 || st.Paused != 0 {
		s.failf("counts at the end: %+v", st)
	}
	if n := s.messages.Load(); uint64(n) != st.MessagesIn {
		s.failf("%d messages were delivered, %d are counted", n, st.MessagesIn)
	}
	if n := weir.Incomplete(s.server); n != 0 {
		s.failf("%d bytes of incomplete messages are counted at the end", n)
	}
	for _, c := range s.all {
		if c.WriteBufferLength() != 0 || c.ReadBufferLength() != 0 {
			s.failf("%v holds %d and %d bytes at the end", c.ID(), c.ReadBufferLength(), c.WriteBufferLength())
		}
		s.compare(c, s.state[c])
	}
	f := s.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open) > 0 {
		s.failf("%d descriptors are left open", len(f.open))
	}
	for _, b := range f.broken {
		s.failf("%s", b)
	}
	if testing.Verbose() {
		s.t.Logf("%d clients, %d of them to the end, %d connections compared, %d messages in, %d out, %d calls", s.dialed.Load(), s.ends.Load(), s.full.Load(), st.MessagesIn, st.MessagesOut, f.total)
	}
}

// compare checks that a client who has read a stream to its end has all that was
// accepted for it: one that breaks off must not look whole.
func (s *stress) compare(c *weir.Connection, state *stressed) {
	h := s.heard[state.client.Load()]
	if h != nil && h.cut {
		s.failf("the client's stream ends in the middle of a message; it ended with %v", c.Err())
	}
	if h == nil || !h.eof {
		return
	}
	var unsent *weir.UnsentError
	if errors.As(c.Err(), &unsent) {
		s.failf("the client has read to the end, and yet the connection ended with %v", c.Err())
		return
	}
	s.full.Add(1)
	for source := range sources {
		if n := state.accepted[source].Load(); source != byReply && n != h.counts[source] {
			s.failf("of source %d the client has %d messages, %d were accepted; it ended with %v", source, h.counts[source], n, c.Err())
		}
	}
}

// message is number n of a source, framed, with as many bytes as size says.
func (s *stress) message(source int, n uint32, size int) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(5+size))
	p = binary.BigEndian.AppendUint32(append(p, byte(source)), n)
	return append(p, s.payload(n, size)...)
}

// payload is what message n has behind its number.
func (s *stress) payload(n uint32, size int) []byte {
	at := int(n*7) % 4096
	return s.filler[at : at+size]
}

// size is of a message: most are small.
func size(r *rand.Rand) int {
	switch r.IntN(20) {
	case 0:
		return r.IntN(stressLargest)
	case 1, 2:
		return r.IntN(8 << 10)
	}
	return r.IntN(100)
}

// right reports whether data is message n of whoever numbers it so.
func (s *stress) right(data []byte, n uint32) bool {
	return len(data) >= 4 && binary.BigEndian.Uint32(data) == n && bytes.Equal(data[4:], s.payload(n, len(data)-4))
}
