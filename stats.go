package weir

import (
	"errors"
	"io"
	"iter"
	"os"

	"github.com/go-weir/weir/metrics"
)

// What Server.Stats returns is declared in package metrics, which shows it to
// Prometheus.
type (
	// Stats is what a server has done and holds: the sum of all loops, and in
	// Loops each of them.
	Stats = metrics.Stats
	// LoopStats are what one loop has done and holds.
	LoopStats = metrics.LoopStats
	// RefusedStats counts connections that were accepted and closed unheard of.
	RefusedStats = metrics.RefusedStats
	// ClosedStats counts ended connections by cause.
	ClosedStats = metrics.ClosedStats
)

var _ metrics.ConnectionSource = (*Server)(nil)

// countClosed counts the end of a connection by its cause.
func countClosed(s *ClosedStats, cause error) {
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
	st := Stats{Name: s.name(), State: s.state(), Open: s.open.Load()}
	st.Loop = -1
	st.Panics = s.panics.Load()
	for _, l := range s.allLoops() {
		ls := l.snapshot()
		st.Loops = append(st.Loops, ls)
		st.Add(&ls)
	}
	return st
}

// snapshot is what l has published, and what can be asked of it any time.
func (l *loop) snapshot() LoopStats {
	var ls LoopStats
	l.mu.Lock()
	ls.LoopCounters = l.published
	l.mu.Unlock()
	ls.Connections = l.ConnectionCount()
	ls.RefusedSends = l.refusedSends.Load()
	return ls
}

// name is what metrics call the server.
func (s *Server) name() string { return s.Addrs()[0].String() }

// state is how far the server is in its life.
func (s *Server) state() metrics.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return metrics.Stopped
	case s.drained:
		return metrics.Draining
	case s.started:
		return metrics.Serving
	}
	return metrics.Bound
}

// ConnectionStats yields what each open connection holds now. Connections that
// come or go meanwhile may be missed or still be seen.
func (s *Server) ConnectionStats() iter.Seq[metrics.ConnectionStats] {
	return func(yield func(metrics.ConnectionStats) bool) {
		for c := range s.Connections() {
			if !yield(metrics.ConnectionStats{
				ID: uint64(c.id), Peer: c.remote, Loop: c.loop.Index(),
				Input: c.received.Load(), Output: c.pending.Load(),
			}) {
				return
			}
		}
	}
}
