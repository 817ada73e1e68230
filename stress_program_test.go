package weir_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir"
)

var errStress = errors.New("stress")

// OnConnect implements weir.Handler.
func (s *stress) OnConnect(c *weir.Connection) {
	state := &stressed{random: s.random(uint64(1000 + s.connects.Add(1)))}
	c.SetContext(state)
	s.mu.Lock()
	s.all = append(s.all, c)
	s.state[c] = state
	s.mu.Unlock()
	s.act(c, state, 0)
}

// OnMessage implements weir.Handler.
func (s *stress) OnMessage(c *weir.Connection, ctx any, data []byte) any {
	state := c.Context().(*stressed)
	if state.ended {
		s.failf("OnMessage after OnClose")
	}
	if ctx == nil && data == nil { // Wake
		s.act(c, state, 0)
		return nil
	}
	s.messages.Add(1)
	if !s.right(data, state.next) && (state.next > 0 || len(data) != 12) {
		s.failf("message %d is not what was sent: %d bytes", state.next, len(data))
	}
	if state.next == 0 {
		state.client.Store(binary.BigEndian.Uint64(data[4:]))
	}
	state.next++
	if state.random.IntN(2) == 0 {
		s.act(c, state, 0)
		return nil
	}
	state.reply++
	return s.message(byReply, state.reply-1, size(state.random))
}

// OnWritable implements weir.WritableHandler.
func (s *stress) OnWritable(c *weir.Connection) { s.act(c, c.Context().(*stressed), 0) }

// OnHalfClose implements weir.HalfCloseHandler.
func (s *stress) OnHalfClose(c *weir.Connection) { s.act(c, c.Context().(*stressed), 0) }

// OnShutdown implements weir.ShutdownHandler.
func (s *stress) OnShutdown(c *weir.Connection) { s.act(c, c.Context().(*stressed), 0) }

// OnClose implements weir.Handler.
func (s *stress) OnClose(c *weir.Connection) {
	state := c.Context().(*stressed)
	if state.ended || c.Err() == nil {
		s.failf("OnClose, twice: %v; the cause is %v", state.ended, c.Err())
	}
	state.ended = true
	s.closes.Add(1)
	_ = c.Execute(func() { s.failf("a function is run after OnClose") }) // is refused
	c.RunAfter(0, func() { s.failf("a timer fires after OnClose") })
}

var (
	_ weir.WritableHandler  = (*stress)(nil)
	_ weir.HalfCloseHandler = (*stress)(nil)
	_ weir.ShutdownHandler  = (*stress)(nil)
)

// act does something on the loop, and deeper things in what that calls.
func (s *stress) act(c *weir.Connection, state *stressed, depth int) {
	r := state.random
	again := func() {
		if depth < 3 {
			s.act(c, state, depth+1)
		}
	}
	for range 1 + r.IntN(3) {
		switch r.IntN(48) {
		case 0:
			_ = c.Close() // as with all of these: an error is not wrong
		case 1:
			c.CloseWithError(errStress)
		case 2:
			_ = c.ShutdownWrite()
		case 3:
			c.AwaitPeer()
		case 4, 5:
			c.Hold(true)
			c.RunAfter(soonly(r), func() { c.Hold(false); again() })
		case 6, 7:
			c.PauseRead()
			c.RunAfter(soonly(r), func() { c.ResumeRead(); again() })
		case 8:
			_ = c.SetReadDeadline(time.Now().Add(soonly(r) * 10))
		case 9:
			_ = c.SetWriteDeadline(time.Now().Add(soonly(r) * 10))
		case 10:
			_ = errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
		case 11:
			c.SetIdleTime(soonly(r) * 10)
		case 12:
			c.RunAfter(soonly(r), again).Stop()
		case 13, 14:
			c.RunAfter(soonly(r), again)
		case 15, 16:
			_ = c.Execute(again)
		case 17:
			_ = c.Wake()
		case 18:
			switch r.IntN(20) {
			case 0:
				panic(errStress)
			case 1:
				runtime.Goexit()
			}
		case 19, 20, 21, 22, 23:
			s.send(c, state, byLoopSend, r)
		case 24, 25, 26, 27:
			if n := state.accepted[byLoop].Load(); c.WritePacket(s.message(byLoop, n, size(r))) == nil {
				state.accepted[byLoop].Store(n + 1)
			}
		case 28, 29:
			if n := state.accepted[byLoop].Load(); c.WriteShared(s.message(byLoop, n, size(r))) == nil {
				state.accepted[byLoop].Store(n + 1)
			}
		case 30, 31:
			n := state.accepted[byLoop].Load()
			if m := s.message(byLoop, n, size(r)); c.WriteFrame(m[:9], m[9:]) == nil {
				state.accepted[byLoop].Store(n + 1)
			}
		case 32:
			c.Reset(errStress)
		case 33:
			c.SetStallTimeout(soonly(r) * 10)
		case 34:
			_, _, _ = c.SinceProgress(), c.Unacknowledged(), c.WriteBlocked()
		case 35:
			_ = c.Loop().Execute(again)
		case 36:
			c.Loop().RunAfter(soonly(r), again)
		default:
			n := state.accepted[byLoop].Load()
			if _, err := c.Write(s.message(byLoop, n, size(r))); err == nil {
				state.accepted[byLoop].Store(n + 1)
			}
		}
	}
}

// protocol is one of those that there are.
func (s *stress) protocol(r *rand.Rand) weir.Protocol {
	return []weir.Protocol{plainReplies{}, stressSplitter{}, stressAppender{s: s}}[r.IntN(3)]
}

// stressSplitter is plainReplies, by Split.
type stressSplitter struct{ framedSplitter }

func (stressSplitter) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// stressAppender is plainReplies, and encodes in place. Now and then it writes, too, or
// does not come to its end.
type stressAppender struct {
	plainReplies
	s *stress
}

// AppendPacket implements weir.PacketAppender.
func (a stressAppender) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	state := c.Context().(*stressed)
	r, source := state.random, data.([]byte)[4]
	switch n := state.accepted[byLoop].Load(); {
	case r.IntN(20) > 0:
	case source != byLoop: // whose number would be that of what it writes
		if _, err := c.Write(a.s.message(byLoop, n, size(r))); err == nil {
			state.accepted[byLoop].Store(n + 1)
		}
	case r.IntN(20) > 0:
	case r.IntN(2) == 0:
		panic(errStress)
	default:
		runtime.Goexit()
	}
	return append(dst, data.([]byte)...)
}

func soonly(r *rand.Rand) time.Duration { return time.Duration(r.IntN(20)) * time.Millisecond }

// send is a Send that counts. Each source has one goroutine.
func (s *stress) send(c *weir.Connection, state *stressed, source int, r *rand.Rand) {
	n := state.accepted[source].Load()
	var options []weir.ConnectionOption
	tell := r.IntN(2) == 0
	if tell {
		var calls atomic.Int64
		options = append(options, weir.SendInLoop(func(any) {
			if calls.Add(1) > 1 {
				s.failf("a SendInLoop is called twice")
			}
			s.told.Add(1)
		}))
	}
	if c.Send(s.message(source, n, size(r)), options...) == nil {
		state.accepted[source].Store(n + 1)
		if tell {
			s.accepted.Add(1)
		}
	}
}

// program is a goroutine of the program that does things to connections.
func (s *stress) program(i int, stop <-chan struct{}) {
	r := s.random(uint64(10 + i))
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(300)) * time.Microsecond):
		}
		s.mu.Lock()
		n := len(s.all)
		if n == 0 {
			s.mu.Unlock()
			continue
		}
		c := s.all[n-1-r.IntN(min(n, 2*stressClients))]
		state := s.state[c]
		s.mu.Unlock()
		switch r.IntN(40) {
		case 0:
			_ = c.Close()
		case 1:
			_ = c.ShutdownWrite()
		case 2, 3:
			_ = c.Wake()
		case 4, 5:
			_ = c.Execute(func() { s.act(c, state, 0) })
		case 6:
			c.PauseRead()
			s.server.RunAfter(soonly(r), c.ResumeRead)
		case 7:
			_, _, _, _ = c.LocalAddr(), c.Err(), c.Connected(), c.WriteBufferLength()
		case 8:
			if found := s.server.Connection(c.ID()); found != nil && found != c {
				s.failf("%v is found as %v", c.ID(), found.ID())
			}
		default:
			s.send(c, state, byProgram+i, r)
		}
	}
}
