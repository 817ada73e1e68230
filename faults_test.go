package weir_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
)

// The first byte of a request says what its reply, which is the request
// itself, comes by.
const (
	byReturn      = 'r'
	byWrite       = 'w'
	byWritePacket = 'p'
	bySend        = 's' // from another goroutine
	byExecute     = 'x' // the same
	thenClose     = 'c' // Write and Close
	thenShutdown  = 'h' // Write and ShutdownWrite
	thenPause     = 'z' // Write and PauseRead
)

// plainReplies cuts frames, and sends what it is given as it is.
type plainReplies struct{ framed }

func (plainReplies) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

var _ weir.Protocol = plainReplies{}

// obey is the Handler of a fault session.
type obey struct {
	t      *testing.T
	begun  chan *weir.Connection
	ended  chan *weir.Connection
	others sync.WaitGroup // the other goroutines

	connects, closes atomic.Int64
	messages         atomic.Int64
	accepted, done   atomic.Int64 // of Send with a SendInLoop
}

func newObey(t *testing.T) *obey {
	return &obey{t: t, begun: make(chan *weir.Connection, 16), ended: make(chan *weir.Connection, 16)}
}

func (h *obey) OnConnect(c *weir.Connection) {
	h.connects.Add(1)
	_, _ = c.Write([]byte(greeting)) // an error would show at the peer
	h.begun <- c
}

func (h *obey) OnClose(c *weir.Connection) {
	if c.Context() != nil {
		h.t.Error("OnClose runs twice")
	}
	c.SetContext("closed")
	h.closes.Add(1)
	h.ended <- c
}

func (h *obey) OnMessage(c *weir.Connection, _ any, data []byte) any {
	if c.Context() != nil || len(data) == 0 {
		h.t.Errorf("OnMessage with %q in context %v", clip(data), c.Context())
		return nil
	}
	defer h.messages.Add(1)
	reply := appendFrame(nil, data)
	switch data[0] {
	case byReturn:
		return reply
	case byWritePacket:
		_ = c.WritePacket(reply) // an error would show at the peer, as would that of all that follow
	case bySend:
		h.others.Go(func() {
			if c.Send(reply, weir.SendInLoop(func(any) { h.done.Add(1) })) == nil {
				h.accepted.Add(1)
			}
		})
	case byExecute:
		h.others.Go(func() { _ = c.Execute(func() { _, _ = c.Write(reply) }) })
	default:
		_, _ = c.Write(reply)
	}
	switch data[0] {
	case thenClose:
		_ = c.Close()
	case thenShutdown:
		_ = c.ShutdownWrite()
	case thenPause:
		c.PauseRead()
	}
	_ = c.LocalAddr()
	return nil
}

const greeting = "hello\n"

// scriptedPeer is the peer of the connection that meets the fault. Its first
// error ends its script.
type scriptedPeer struct {
	*faultSession
	conn *net.TCPConn
	want bytes.Buffer // what the server has to send until now
	got  bytes.Buffer
	eof  bool // the server has ended its stream in good order
	err  error
}

// asking is a request of n bytes.
func asking(op byte, n int) []byte {
	p := pattern(n)
	p[0] = op
	return p
}

// ask sends requests, together, and does not wait for the replies.
func (p *scriptedPeer) ask(requests ...[]byte) {
	var wire []byte
	for _, r := range requests {
		wire = appendFrame(wire, r)
	}
	p.want.Write(wire)
	p.write(wire)
}

func (p *scriptedPeer) write(b []byte) {
	if p.err == nil {
		_, p.err = p.conn.Write(b)
	}
}

// hear waits for everything that the server has to send until now.
func (p *scriptedPeer) hear() {
	buf := make([]byte, 32<<10)
	for p.err == nil && p.got.Len() < p.want.Len() {
		n, err := p.conn.Read(buf)
		p.got.Write(buf[:n])
		p.err = err
	}
}

// hearEnd waits for the end of the server's stream.
func (p *scriptedPeer) hearEnd() {
	if p.hear(); p.err != nil {
		return
	}
	var rest []byte
	rest, p.err = io.ReadAll(p.conn)
	p.got.Write(rest)
	p.eof = p.err == nil
}

// delivered waits until OnMessage has run for n messages.
func (p *scriptedPeer) delivered(n int64) {
	if p.victim != nil {
		eventually(p.t, "the message is delivered", func() bool {
			return p.handler.messages.Load() >= n || p.victim.Err() != nil
		})
	}
}

// stuffed waits until the server has more to send than the system takes.
func (p *scriptedPeer) stuffed() {
	for deadline := time.Now().Add(20 * time.Millisecond); p.err == nil && p.server.Stats().OutputBytes == 0; {
		if p.faults.hasFired() || time.Now().After(deadline) {
			return // it matters for where faults hit, not for whether things go right
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (p *scriptedPeer) do(f func() error) {
	if p.err == nil {
		p.err = f()
	}
}

// faultScript is what the peer of the connection under faults does, and the
// cause of the connection's end.
type faultScript struct {
	name   string
	loops  int
	stride int // one in so many faults is tried; more than 1 for long scripts
	play   func(p *scriptedPeer)
	cause  error
}

var faultScripts = []faultScript{
	{"conversation", 1, 2, func(p *scriptedPeer) { converse(p); halfClose(p) }, io.EOF},
	{"conversation on two loops", 2, 4, func(p *scriptedPeer) { converse(p); halfClose(p) }, io.EOF},
	{"close", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(byReturn, 10), asking(byReturn, 100_000), asking(byReturn, 200_000), asking(thenClose, 400_000))
		p.write(appendFrame(nil, asking(byReturn, 50_000))) // comes after Close: no reply
		p.hear()
		p.write(make([]byte, 50_000)) // while the server lingers
		p.hearEnd()
	}, weir.ErrConnectionClosed},
	{"close of one who waits", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(thenClose, 20))
		p.hearEnd()
	}, weir.ErrConnectionClosed},
	{"half-close by the server", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(byReturn, 100_000), asking(thenShutdown, 400_000))
		p.hearEnd()
		p.do(func() error { _, err := p.conn.Write(appendFrame(nil, asking(byReturn, 10))); return err })
		p.do(p.conn.CloseWrite)
	}, io.EOF},
	{"reset", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(byReturn, 10))
		p.hear()
		p.reset()
	}, nil},
	{"reset while paused", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(thenPause, 10))
		p.hear()
		p.reset()
		if p.victim != nil {
			p.stale()
			p.victim.ResumeRead() // if SO_ERROR has not told, the read does
		}
	}, nil},
	{"both ends while paused", 1, 1, func(p *scriptedPeer) {
		p.ask(asking(thenPause, 10))
		p.hear()
		if p.victim == nil {
			return
		}
		_ = p.victim.ShutdownWrite() // an error shows in what comes of it
		p.hearEnd()
		p.write(appendFrame(nil, asking(byReturn, 10))) // is delivered; the reply is not sent
		p.do(p.conn.CloseWrite)
		p.stale()
		p.victim.ResumeRead()
	}, io.EOF},
	{"shutdown of the server", 2, 1, func(p *scriptedPeer) {
		p.ask(asking(byReturn, 200_000))
		p.delivered(1)
		stopped := make(chan error, 1)
		go func() { stopped <- p.server.Shutdown(p.t.Context()) }()
		p.hearEnd()
		_ = p.conn.Close() // either it was read to its end, or it has failed
		_ = p.bystander.Close()
		if err := await(p.faultSession, "Shutdown", stopped); err != nil {
			p.failf("Shutdown: %v", err)
		}
	}, weir.ErrServerStopped},
}

// converse makes use of all there is.
func converse(p *scriptedPeer) {
	p.ask(asking(byReturn, 1), asking(byWrite, 2), asking(byWritePacket, 3), asking(byReturn, 1000))
	p.hear()
	for _, r := range [][]byte{asking(bySend, 10), asking(bySend, 10_000), asking(byExecute, 30)} {
		p.ask(r)
		p.hear()
	}
	p.want.Write(appendFrame(nil, asking(byReturn, 60_000)))
	wire := appendFrame(nil, asking(byReturn, 60_000)) // in pieces, of which the server keeps the first
	for _, n := range []int{3, 7, 20_000, len(wire)} {
		n = min(n, len(wire))
		p.write(wire[:n])
		if wire = wire[n:]; len(wire) > 0 {
			p.settled()
		}
	}
	p.hear()
	// More than the system takes, so that reading from this peer pauses.
	p.ask(asking(byWrite, 400_000), asking(byReturn, 100_000), asking(byWrite, 10), asking(byReturn, 100_000))
	p.stuffed()
	p.hear()
	p.ask(asking(bySend, 400_000))
	p.stuffed()
	p.hear()
}

func halfClose(p *scriptedPeer) {
	p.ask(asking(byReturn, 400_000))
	p.do(p.conn.CloseWrite)
	p.stuffed()
	p.hearEnd()
}

func (p *scriptedPeer) reset() {
	if p.err == nil {
		p.eof = true // there will be none
		_ = p.conn.SetLinger(0)
		_ = p.conn.Close()
	}
}

// settled waits until the server has taken note of what was sent.
func (p *scriptedPeer) settled() {
	for deadline := time.Now().Add(5 * time.Millisecond); p.err == nil && p.server.Stats().InputBytes == 0; {
		if time.Now().After(deadline) {
			return // as for stuffed
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// stale waits until the server has nothing more to do.
func (p *scriptedPeer) stale() {
	for before, tries := -1, 0; before != p.faults.made(); time.Sleep(2 * time.Millisecond) {
		before = p.faults.made()
		if tries++; tries == 1000 {
			p.failf("the server comes to no rest")
			return
		}
	}
}

// faultSession is one run of a script under faults.
type faultSession struct {
	t         *testing.T
	name      string
	script    *faultScript
	faults    *faults
	handler   *obey
	server    *weir.Server
	started   chan error
	bystander *net.TCPConn
	victim    *weir.Connection // nil: nobody has heard of it
	failed    bool
}

// await is receive, and says what was waited for.
func await[T any](s *faultSession, what string, ch <-chan T) T {
	s.t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		s.t.Fatalf("%s: waited in vain for %s", s.name, what)
		panic("unreachable")
	}
}

func (s *faultSession) failf(format string, args ...any) {
	s.t.Helper()
	s.failed = true
	s.t.Errorf("%s: %s", s.name, fmt.Sprintf(format, args...))
}

// runFaults runs script under f, and checks all that has to hold.
func runFaults(t *testing.T, name string, script *faultScript, f *faults) *faultSession {
	t.Helper()
	s := &faultSession{t: t, name: name, script: script, faults: f, handler: newObey(t), started: make(chan error, 1)}
	s.server = newServer(t, s.handler, append(f.options(), quiet(), weir.Address("0.0.0.0:0"), weir.NumLoops(script.loops),
		weir.CustomProtocol(plainReplies{}), weir.WriteBufferMarks(8<<10, 32<<10), weir.SocketWriteBuffer(64<<10))...)
	go func() { s.started <- s.server.Start() }()
	s.bystander = s.dial()
	defer s.bystander.Close()
	expect(t, s.bystander, greeting)
	await(s, "OnConnect", s.handler.begun)

	if strings.HasPrefix(f.site, "wake") {
		// A wake-up that fails is made up for by the next one.
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for ticker := time.NewTicker(5 * time.Millisecond); ; {
				select {
				case <-ticker.C:
					for c := range s.server.Connections() {
						_ = c.Execute(func() {}) // an error: it has ended
					}
					for _, l := range s.server.Loops() {
						_ = l.Execute(func() {}) // an error: it has ended
					}
				case <-stop:
					ticker.Stop()
					return
				}
			}
		}()
	}
	f.arm()
	p := &scriptedPeer{faultSession: s}
	p.conn, p.err = s.tryDial()
	if errors.Is(p.err, syscall.ECONNRESET) { // it has ended before connect(2) returned
		select {
		case s.victim = <-s.handler.begun:
		default:
		}
	} else if p.err == nil {
		p.want.WriteString(greeting)
		p.hear()
		select {
		case s.victim = <-s.handler.begun: // before the peer heard of anything
		default:
		}
		script.play(p)
		_ = p.conn.Close() // the script may have
	}
	s.settle()
	fired := f.disarm()

	loopFailed := fired && f.effect.fatal && strings.HasPrefix(f.site, "wait")
	s.checkVictim(p, fired, loopFailed)
	if !loopFailed && script.cause != weir.ErrServerStopped { //nolint:errorlint // of a table
		s.checkOthers()
	}
	s.checkEnd(loopFailed)
	return s
}

func (s *faultSession) tryDial() (*net.TCPConn, error) {
	c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: s.server.Addrs()[0].(*net.TCPAddr).Port})
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(patience))
}

func (s *faultSession) dial() *net.TCPConn {
	s.t.Helper()
	c, err := s.tryDial()
	if err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
	return c
}

// settle waits for the end of the victim, if it was heard of.
func (s *faultSession) settle() {
	s.t.Helper()
	for s.victim != nil {
		if c := await(s, "OnClose", s.handler.ended); c == s.victim {
			return
		}
	}
}

// checkVictim checks that what was lost is lost for that cause, and that what
// wasn't is complete.
func (s *faultSession) checkVictim(p *scriptedPeer, fired, loopFailed bool) {
	s.t.Helper()
	f := s.faults
	complete := p.eof && bytes.Equal(p.got.Bytes(), p.want.Bytes())
	if !bytes.HasPrefix(p.want.Bytes(), p.got.Bytes()) {
		s.failf("the peer got %d bytes that are not what was sent", p.got.Len())
	}
	if s.victim == nil {
		refuses := strings.HasPrefix(f.site, "accept@") || strings.HasPrefix(f.site, "add@") || loopFailed
		if !fired || !f.effect.fatal || !refuses || p.got.Len() > 0 {
			s.failf("the connection was refused: %v", p.err)
		}
		return
	}
	err := s.victim.Err()
	// Once everything is with the system, there is nothing to blame on who fails then.
	late := fired && f.effect.fatal && slices.ContainsFunc([]string{"read@discard", "modify@watch", "shutdown@"},
		func(site string) bool { return strings.HasPrefix(f.site, site) })
	fatal := f.effect.fatal || strings.HasPrefix(f.site, "remove@hangup")
	blamed := fired && f.effect.errno != 0 && errors.Is(err, f.effect.errno) || loopFailed && errors.Is(err, weir.ErrServerStopped)
	expected := errors.Is(err, s.script.cause) || s.script.cause == nil && err != nil
	switch {
	case blamed && fatal:
	case !expected:
		s.failf("the connection ended with %v, want %v", err, s.script.cause)
	case !complete && !late:
		s.failf("the peer got %d bytes of %d, end %v, error %v; the cause is %v", p.got.Len(), p.want.Len(), p.eof, p.err, err)
	}
}

// checkOthers checks that the other connection, and new ones, are served.
func (s *faultSession) checkOthers() {
	s.t.Helper()
	message := appendFrame(nil, asking(byReturn, 100))
	another := s.dial()
	defer another.Close()
	expect(s.t, another, greeting)
	for _, c := range []*net.TCPConn{s.bystander, another} {
		send(s.t, c, string(message))
		expect(s.t, c, string(message))
	}
}

func (s *faultSession) checkEnd(loopFailed bool) {
	s.t.Helper()
	if err := s.server.Stop(); err != nil {
		s.failf("Stop: %v", err)
	}
	err := await(s, "Start", s.started)
	if loopFailed != (err != nil) || loopFailed && !errors.Is(err, s.faults.effect.errno) {
		s.failf("Start returns %v", err)
	}
	s.handler.others.Wait()
	h, f := s.handler, s.faults
	if h.connects.Load() != h.closes.Load() {
		s.failf("%d times OnConnect, %d times OnClose", h.connects.Load(), h.closes.Load())
	}
	if h.accepted.Load() != h.done.Load() {
		s.failf("%d Sends were accepted, %d told done", h.accepted.Load(), h.done.Load())
	}
	if st := s.server.Stats(); st.Open != 0 || st.Connections != 0 || st.InputBytes != 0 || st.OutputBytes != 0 || st.Queued != 0 {
		s.failf("something is left: %+v", st)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open) > 0 {
		s.failf("%d descriptors are left open", len(f.open))
	}
	for _, b := range f.broken {
		s.failf("%s", b)
	}
}

// TestFaults plays each script once to find out which calls it makes where,
// and then once for each call and each thing that can become of it.
func TestFaults(t *testing.T) {
	before := leaktest.Descriptors()
	n, played := 0, 0
	reached := map[string]bool{}
	for i := range faultScripts {
		script := &faultScripts[i]
		t.Run(script.name, func(t *testing.T) {
			played++
			stride := script.stride
			if testing.Short() || raceEnabled {
				stride *= 7
			}
			dry := runFaults(t, "no fault", script, newFaults()).faults
			if dry.total > 1000 {
				t.Errorf("%d calls", dry.total)
			}
			sites := slices.Sorted(maps.Keys(dry.counts))
			for _, site := range sites {
				kind, _, _ := strings.Cut(site, "@")
				kind, _, _ = strings.Cut(kind, " ")
				reached[kind] = true
				if strings.HasPrefix(site, "wake@onAcceptors") || strings.HasPrefix(site, "wake@stopLoops") {
					continue // nothing more is posted to the acceptor: nobody makes up for it
				}
				count := dry.counts[site]
				for _, nth := range slices.Compact([]int{1, min(2, count), (count + 2) / 2, count}) {
					for _, e := range effects[kind] {
						if n++; n%stride != 0 {
							continue
						}
						f := newFaults()
						f.site, f.nth, f.effect = site, nth, e
						s := runFaults(t, fmt.Sprintf("%s, call %d: %v", site, nth, e), script, f)
						if limit := 4*dry.total + 500; f.total > limit {
							s.failf("%d calls instead of %d", f.total, dry.total)
						}
					}
				}
			}
			t.Logf("%d sessions, %d sites, %d calls: %v", n, len(sites), dry.total, dry.counts)
		})
	}
	for kind := range effects {
		if played == len(faultScripts) && !reached[kind] {
			t.Errorf("no script makes the call %q", kind)
		}
	}
	if after := leaktest.Descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestFaultsByChance: whatever goes wrong for the moment, any number of times,
// nothing is lost.
func TestFaultsByChance(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() || raceEnabled {
		seeds = 3
	}
	for i := range faultScripts {
		script := &faultScripts[i]
		t.Run(script.name, func(t *testing.T) {
			for seed := range seeds {
				f := newFaults()
				f.random, f.one = rand.New(rand.NewPCG(seed, 1)), 2+int(seed%5)*2
				runFaults(t, fmt.Sprintf("seed %d", seed), script, f)
			}
		})
	}
}
