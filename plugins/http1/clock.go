package http1

import (
	"time"

	"github.com/go-weir/weir"
)

// clock keeps the times of a connection with one timer, which is armed lazily: it
// fires, finds nothing due, and is armed again.
type clock struct {
	state    clockState
	used     bool          // idleClock: there was a request since the timer fired
	watched  bool          // the client's progress is watched
	timer    *weir.Timer   // nil: not armed
	at       time.Duration // when it fires, since the origin
	deadline time.Duration // since the origin
	origin   time.Time
	fire     func()
}

type clockState uint8

const (
	idleClock clockState = iota // no request has begun
	headClock                   // a head has
	bodyClock                   // a body is being read
	noClock                     // nothing is awaited from the client
)

// idle is the state between requests.
func (k *clock) idle() {
	k.state, k.used = idleClock, true
}

// watchIdle starts the first idle time.
func (s *conn) watchIdle() {
	if d := s.protocol.options.idleTime; d > 0 {
		s.clock.arm(s, d)
	}
}

// start starts the time of a head or a body, unless it runs.
func (k *clock) start(s *conn, state clockState) {
	if k.state == state {
		return
	}
	k.state = state
	d := s.protocol.options.headTime
	switch {
	case state == bodyClock && s.x.state == late:
		d = s.protocol.options.lateTime
	case state == bodyClock:
		d = s.protocol.options.bodyTime
	}
	if k.deadline = 0; d > 0 {
		k.deadline = k.now() + d
		k.arm(s, d)
	}
}

// extend gives the body more time for what has come of it since the last call, and
// returns how much time is left.
func (k *clock) extend(s *conn) time.Duration {
	o, x := &s.protocol.options, s.x
	now := k.now()
	if x.state != late {
		bought := float64(x.came) / float64(o.bodyRate) * float64(time.Second)
		k.deadline += time.Duration(min(bought, float64(o.bodyTime)))
		k.deadline = min(k.deadline, now+o.bodyTime) // what came at once is no reason to wait long for the rest
	}
	x.came = 0
	return k.deadline - now
}

func (k *clock) now() time.Duration {
	if k.origin.IsZero() {
		k.origin = time.Now()
	}
	return time.Since(k.origin)
}

// arm has the timer fire after d, or earlier.
func (k *clock) arm(s *conn, d time.Duration) {
	at := k.now() + d
	if k.timer != nil {
		if k.at <= at {
			return
		}
		k.timer.Stop()
	}
	if k.fire == nil {
		k.fire = s.tick
	}
	k.at = at
	k.timer = s.c.RunAfter(d, k.fire)
}

func (k *clock) stop() {
	k.state = noClock
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

// tick is the timer.
func (s *conn) tick() {
	k := &s.clock
	k.timer = nil
	idle := s.protocol.options.idleTime
	switch {
	case s.phase == over:
		return
	case k.state == idleClock && idle > 0 && !k.used:
		if left := s.stillReading(idle); left > 0 {
			k.arm(s, left)
			return
		}
		s.phase = over
		s.c.CloseWithError(weir.ErrIdleTimeout)
		return
	case k.state == headClock && k.deadline > 0:
		if left := k.deadline - k.now(); left > 0 {
			k.arm(s, left)
			return
		}
		s.x.req.Reset() // it may have moved since
		s.refuse(errHeadTime)
		return
	case k.state == bodyClock && k.deadline > 0:
		if s.paused { // that time does not count
			s.paused = s.x.call.isPaused()
			k.deadline = k.now() + s.protocol.options.bodyTime
		}
		if left := k.extend(s); left > 0 {
			k.arm(s, left)
			return
		}
		s.bodyFailed(errBodyTime)
		return
	}
	k.used = false
	if idle > 0 {
		if k.state == idleClock {
			s.stillReading(idle) // if it is, it is watched from now on
		}
		k.arm(s, idle)
	}
}

// stillReading returns for how long a client, on whose connection no request has begun for
// the idle time, may go on with reading the last reply, and with thinking when it has all
// of it; 0 if it has made no progress for the idle time. Only connections that have come
// to this are watched.
func (s *conn) stillReading(idle time.Duration) time.Duration {
	reads := s.c.WriteBufferLength() > 0 || s.c.Unacknowledged() > 0
	if !reads && !s.clock.watched {
		return 0
	}
	since := s.c.SinceProgress()
	if !s.clock.watched {
		s.clock.watched = true
		return idle
	}
	return max(idle-since, 0)
}
