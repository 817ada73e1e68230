package weir

import (
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
)

// Timer is what RunAfter and RunEvery return. It need not be stopped.
type Timer struct{ s stopper }

type stopper interface{ stop() bool }

// Stop keeps the timer's function from being started again, and reports
// whether it would have been. It does not wait for a run that has begun. Any
// goroutine, for timers of a Server; loop only for those of a Connection or a Loop.
func (t *Timer) Stop() bool { return t.s.stop() }

// RunAfter runs f on a goroutine of its own after d, unless the timer or the
// server is stopped before. It does so before Start, too. A panic in f is logged.
func (s *Server) RunAfter(d time.Duration, f func()) *Timer { return s.runTimer(d, 0, f) }

// RunEvery runs f every d, first after d, on a goroutine of its own. One run
// ends before the next begins: times that pass during a run are skipped. It
// ends when the timer or the server is stopped. d must be positive. A panic in f, or
// runtime.Goexit, is logged, and the next run comes at its time.
func (s *Server) RunEvery(d time.Duration, f func()) *Timer {
	if d <= 0 {
		panic("weir: RunEvery needs a positive duration")
	}
	return s.runTimer(d, d, f)
}

// serverTimer is one RunAfter or RunEvery. It is the runtime's timer: kept by
// the monotonic clock, and not late when a loop is.
type serverTimer struct {
	// set once
	server *Server
	every  time.Duration // 0: once
	f      func()

	// guarded by mu
	mu      sync.Mutex
	timer   *time.Timer
	next    time.Time
	stopped bool // no run may start any more
}

func (s *Server) runTimer(d, every time.Duration, f func()) *Timer {
	t := &serverTimer{server: s, every: every, f: f, next: time.Now().Add(d)}
	if !s.timers.add(t) {
		t.stopped = true
		return &Timer{t}
	}
	t.mu.Lock()
	t.timer = time.AfterFunc(d, t.run)
	t.mu.Unlock()
	return &Timer{t}
}

// run is one run. The next one is armed only after it, so that runs never
// overlap.
func (t *serverTimer) run() {
	t.mu.Lock()
	if t.stopped {
		t.mu.Unlock()
		return
	}
	t.stopped = t.every == 0
	t.mu.Unlock()

	defer t.again() // also if the function ends its goroutine
	t.call()
}

// again arms the next run, if there is one.
func (t *serverTimer) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		t.server.timers.remove(t)
		return
	}
	t.next = t.next.Add(t.every)
	if late := time.Since(t.next); late > 0 {
		t.next = t.next.Add((late/t.every + 1) * t.every)
	}
	t.timer.Reset(time.Until(t.next))
}

func (t *serverTimer) call() {
	returned := false
	defer func() {
		if v := recover(); !returned {
			t.server.panics.Add(1)
			t.server.log.Error("weir: panic in a timer's function", "panic", thrown(v), "stack", string(debug.Stack()))
		}
	}()
	t.f()
	returned = true
}

func (t *serverTimer) stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := !t.stopped
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.server.timers.remove(t)
	return was
}

// timerSet is a server's timers that may run again.
type timerSet struct {
	// guarded by mu
	mu      sync.Mutex
	timers  map[*serverTimer]struct{}
	stopped bool
}

func (s *timerSet) add(t *serverTimer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	if s.timers == nil {
		s.timers = make(map[*serverTimer]struct{})
	}
	s.timers[t] = struct{}{}
	return true
}

func (s *timerSet) remove(t *serverTimer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.timers, t)
}

// len is the number of timers that may run again.
func (s *timerSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.timers)
}

// stop stops all timers, for good. It waits for none.
func (s *timerSet) stop() {
	s.mu.Lock()
	s.stopped = true
	timers := s.timers
	s.timers = nil
	s.mu.Unlock()
	for t := range timers {
		t.stop()
	}
}

// connTimer is a function that waits for its time on the connection's loop.
type connTimer struct {
	timer      eventloop.Timer
	next, prev *connTimer // of the same connection; those armed first are last
	conn       *Connection
	f          func()
}

// RunAfter runs f on the connection's loop after d, unless the timer is stopped first
// or the connection is ending by then, be it only by a Close that has yet to send
// something: the rule is that of Execute. If f panics, the connection is closed, as with
// any callback. Loop only, and so is Stop of what it returns.
func (c *Connection) RunAfter(d time.Duration, f func()) *Timer {
	t := &connTimer{conn: c, f: f}
	if c.state.Load() == open {
		x := c.coldState()
		if t.next = x.timers; t.next != nil {
			t.next.prev = t
		}
		x.timers = t
		t.timer.Init(t)
		c.loop.Arm(&t.timer, later(c.loop.Clock(), max(d, 0)))
	}
	return &Timer{t}
}

// OnExpire runs the function, as if for an event of the connection.
func (t *connTimer) OnExpire() {
	c := t.conn
	t.unlink()
	if c.state.Load() != open {
		return // Close was called, and its task has not run yet
	}
	c.loop.current = c
	c.call("RunAfter", t.f)
	c.settle()
}

// stop implements stopper.
func (t *connTimer) stop() bool {
	if !t.timer.Armed() {
		return false
	}
	t.conn.loop.Disarm(&t.timer)
	t.unlink()
	return true
}

func (t *connTimer) unlink() {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		t.conn.cold.timers = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.next, t.prev = nil, nil
	t.conn.trimCold()
}

func (c *Connection) dropTimers() {
	if c.cold == nil {
		return
	}
	for t := c.cold.timers; t != nil; {
		c.loop.Disarm(&t.timer)
		next := t.next
		t.next, t.prev = nil, nil // one that the program keeps must not keep the others
		t = next
	}
	c.cold.timers = nil
	c.trimCold()
}

// RunAfter runs f on the loop after d, unless the timer is stopped first or the
// loop ends. A panic is dealt with as by Execute. Loop only, and so is Stop of what
// it returns.
func (l Loop) RunAfter(d time.Duration, f func()) *Timer {
	t := &loopTimer{loop: l.loop, f: f}
	t.timer.Init(t)
	l.loop.Arm(&t.timer, later(l.loop.Clock(), max(d, 0)))
	return &Timer{t}
}

// loopTimer is a function that waits for its time on a loop.
type loopTimer struct {
	timer eventloop.Timer
	loop  *loop
	f     func()
}

// OnExpire runs the function.
func (t *loopTimer) OnExpire() { t.loop.call("Loop.RunAfter", t.f) }

// stop implements stopper.
func (t *loopTimer) stop() bool {
	was := t.timer.Armed()
	t.loop.Disarm(&t.timer)
	return was
}
