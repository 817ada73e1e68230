package weir

import (
	"errors"
	"io"
	"os"
)

// Stats is what a server has done and holds: the sum of all loops, and in Loops
// each of them. If a loop only accepts for the others, it is the last.
type Stats struct {
	Open  int64 // connections now
	Loops []LoopStats
	LoopStats
}

// LoopStats are the counts of one loop, as of the end of its last cycle.
type LoopStats struct {
	Loop        int    // its index; -1 in a sum
	Connections int64  // those it has or was chosen for
	Accepted    uint64 // connections accepted by this loop, for itself or another
	Refused     RefusedStats
	Opened      uint64 // connections that OnConnect was called for
	Closed      ClosedStats

	BytesIn       uint64 // bytes read
	BytesOut      uint64 // bytes that the system has taken
	MessagesIn    uint64 // calls of OnMessage with a message
	MessagesOut   uint64 // calls of Packet or AppendPacket
	Reads         uint64 // read(2)
	Writes        uint64 // write(2) and writev(2)
	InputBytes    int64  // received and not yet part of a message
	OutputBytes   int64  // waiting for the system to take them
	Pauses        uint64 // times that reading paused because of the high-water mark
	SlowConsumers uint64 // connections closed at the WriteBufferLimit
	RefusedSends  uint64 // Sends refused at the WriteBufferLimit
	Panics        uint64 // panics in callbacks; a sum also has those in a Server's timers

	Polls  uint64 // calls that asked for events
	Waits  uint64 // those of them that could block
	Events uint64 // reports of readiness
	Tasks  uint64 // tasks run
	Queued int    // tasks waiting
}

// RefusedStats counts connections that were accepted and closed unheard of.
type RefusedStats struct {
	MaxConnections uint64 // over MaxConnections
	Descriptors    uint64 // the process or the system had no descriptor left
	Other          uint64 // the loop could not take them: it has stopped, or registering failed
}

// ClosedStats counts ended connections by cause.
type ClosedStats struct {
	Peer    uint64 // the peer ended its stream
	Local   uint64 // Close
	Idle    uint64 // ErrIdleTimeout
	Expired uint64 // a read or write deadline
	Slow    uint64 // ErrSlowConsumer
	Size    uint64 // ErrMessageTooLarge
	Panic   uint64 // *PanicError
	Stopped uint64 // ErrServerStopped
	System  uint64 // an error of a system call, a reset by the peer among them
	Other   uint64 // whatever else CloseWithError was given
}

// Total is the number of ended connections.
func (s *ClosedStats) Total() uint64 {
	return s.Peer + s.Local + s.Idle + s.Expired + s.Slow + s.Size + s.Panic + s.Stopped + s.System + s.Other
}

func (s *ClosedStats) count(cause error) {
	var panicked *PanicError
	var system *os.SyscallError
	var unsent *UnsentError
	if errors.As(cause, &unsent) {
		cause = unsent.Cause
	}
	switch {
	case errors.As(cause, &panicked):
		s.Panic++
	case errors.Is(cause, io.EOF):
		s.Peer++
	case errors.Is(cause, ErrConnectionClosed):
		s.Local++
	case errors.Is(cause, ErrIdleTimeout):
		s.Idle++
	case errors.Is(cause, os.ErrDeadlineExceeded):
		s.Expired++
	case errors.Is(cause, ErrSlowConsumer):
		s.Slow++
	case errors.Is(cause, ErrMessageTooLarge):
		s.Size++
	case errors.Is(cause, ErrServerStopped):
		s.Stopped++
	case errors.As(cause, &system):
		s.System++
	default:
		s.Other++
	}
}

// publish makes the counts of this cycle visible to other goroutines: the loop
// counts in plain fields, and shares them once per cycle.
func (l *loop) publish() {
	n := l.Counters()
	l.stats.Polls, l.stats.Waits, l.stats.Events = n.Polls, n.Waits, n.Events
	l.stats.Tasks, l.stats.Queued = n.Tasks, n.Pending
	l.mu.Lock()
	l.published = l.stats
	l.mu.Unlock()
}

// Stats returns the counts of all loops. Each loop's are consistent, and a
// cycle old at most.
func (s *Server) Stats() Stats {
	st := Stats{Open: s.open.Load()}
	st.Loop = -1
	st.Panics = s.panics.Load()
	for _, l := range s.allLoops() {
		l.mu.Lock()
		ls := l.published
		l.mu.Unlock()
		ls.Connections = l.ConnectionCount()
		ls.RefusedSends = l.refusedSends.Load()
		st.Loops = append(st.Loops, ls)
		st.add(&ls)
	}
	return st
}

func (s *LoopStats) add(o *LoopStats) {
	s.Connections += o.Connections
	s.Accepted += o.Accepted
	s.Refused.add(&o.Refused)
	s.Opened += o.Opened
	s.Closed.add(&o.Closed)
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.MessagesIn += o.MessagesIn
	s.MessagesOut += o.MessagesOut
	s.Reads += o.Reads
	s.Writes += o.Writes
	s.InputBytes += o.InputBytes
	s.OutputBytes += o.OutputBytes
	s.Pauses += o.Pauses
	s.SlowConsumers += o.SlowConsumers
	s.RefusedSends += o.RefusedSends
	s.Panics += o.Panics
	s.Polls += o.Polls
	s.Waits += o.Waits
	s.Events += o.Events
	s.Tasks += o.Tasks
	s.Queued += o.Queued
}

func (s *RefusedStats) add(o *RefusedStats) {
	s.MaxConnections += o.MaxConnections
	s.Descriptors += o.Descriptors
	s.Other += o.Other
}

func (s *ClosedStats) add(o *ClosedStats) {
	s.Peer += o.Peer
	s.Local += o.Local
	s.Idle += o.Idle
	s.Expired += o.Expired
	s.Slow += o.Slow
	s.Size += o.Size
	s.Panic += o.Panic
	s.Stopped += o.Stopped
	s.System += o.System
	s.Other += o.Other
}
