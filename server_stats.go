package weir

import (
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
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
	// RefusedStats counts connections that were accepted and closed before OnConnect.
	RefusedStats = metrics.RefusedStats
	// ClosedStats counts ended connections by cause.
	ClosedStats = metrics.ClosedStats
)

var _ metrics.ConnectionSource = (*Server)(nil)

// countClosed counts the end of c by its cause. The cause may be the program's own
// error, whose methods may panic as any callback may; then it counts as Other.
func (c *Connection) countClosed(cause error) {
	s := &c.loop.stats.Closed
	count := &s.Other
	defer func() { *count++ }()
	c.call("the error given to CloseWithError", func() { count = closedBy(s, cause) })
}

// closedBy is the counter in s for the end by that cause.
func closedBy(s *ClosedStats, cause error) *uint64 {
	if unsent, ok := cause.(*UnsentError); ok { //nolint:errorlint // the library's own is the outermost
		cause = unsent.Cause
	}
	var panicked *PanicError
	var system *os.SyscallError
	switch {
	case errors.As(cause, &panicked):
		return &s.Panic
	case errors.Is(cause, io.EOF):
		return &s.Peer
	case errors.Is(cause, ErrConnectionClosed):
		return &s.Local
	case errors.Is(cause, ErrIdleTimeout):
		return &s.Idle
	case errors.Is(cause, os.ErrDeadlineExceeded):
		return &s.Expired
	case errors.Is(cause, ErrSlowConsumer), errors.Is(cause, ErrStalled):
		return &s.Slow
	case errors.Is(cause, ErrMessageTooLarge):
		return &s.Size
	case errors.Is(cause, ErrServerStopped):
		return &s.Stopped
	case errors.As(cause, &system):
		return &s.System
	}
	return &s.Other
}

// published is what a loop has told of itself, for other goroutines.
type published struct {
	stats       metrics.LoopCounters
	loop        eventloop.Counters
	callbacks   eventloop.Durations
	taskWaits   eventloop.Durations
	timerDelays eventloop.Durations
}

// publish makes the counts of this cycle visible to other goroutines: the loop
// counts in plain fields, and shares them once per cycle. What is measured only
// now and then is copied only when there is something new.
func (l *loop) publish() {
	n := l.Counters()
	p := &l.published
	l.mu.Lock()
	p.stats = l.stats
	p.loop = n
	renew(&p.callbacks, &l.callbacks)
	renew(&p.taskWaits, l.TaskWaits())
	renew(&p.timerDelays, l.TimerDelays())
	l.mu.Unlock()
}

func renew(to, from *eventloop.Durations) {
	if to.N != from.N {
		*to = *from
	}
}

// Stats returns the counts of all loops. Each loop's are consistent, and a
// cycle old at most. It stops no loop.
func (s *Server) Stats() Stats {
	st := Stats{Name: s.name, State: s.state(), Open: s.open.Load()}
	st.Loop = -1
	st.Panics = s.panics.Load()
	st.Timers = s.timers.len()
	for _, l := range s.allLoops() {
		ls := l.snapshot()
		st.Loops = append(st.Loops, ls)
		st.Add(&ls)
	}
	return st
}

// snapshot is what l has published, and what can be asked of it any time.
func (l *loop) snapshot() LoopStats {
	l.mu.Lock()
	p := l.published
	l.mu.Unlock()
	ls := LoopStats{
		LoopCounters: p.stats,
		Batches:      batches(&p.loop),
		Callbacks:    seconds(&p.callbacks),
		TaskWaits:    seconds(&p.taskWaits),
		TimerDelays:  seconds(&p.timerDelays),
	}
	ls.Polls, ls.Waits, ls.Events = p.loop.Polls, p.loop.Waits, p.loop.Events
	ls.Tasks, ls.Queued, ls.Timers = p.loop.Tasks, p.loop.Pending, p.loop.Timers
	ls.Connections = l.ConnectionCount()
	ls.RefusedSends = l.refusedSends.Load()
	ls.Stalls = l.stalls.Load()
	ls.ListenersLost = l.listenersLost.Load()
	ls.Busy, ls.Waited = l.Time()
	return ls
}

// The bounds of the histograms, as Stats shows them.
var (
	batchBounds  = boundsOf(eventloop.BatchBounds(), 1)
	secondBounds = boundsOf(eventloop.DurationBounds(), time.Second)
)

func boundsOf[T int | time.Duration](bounds []T, unit T) []float64 {
	f := make([]float64, len(bounds))
	for i, b := range bounds {
		f[i] = float64(b) / float64(unit)
	}
	return f
}

func batches(n *eventloop.Counters) metrics.Histogram {
	counts := make([]uint64, len(batchBounds)+1) // none is above the last bound
	copy(counts, n.Batches[:])
	return metrics.Histogram{Bounds: batchBounds, Counts: counts, Sum: float64(n.Events)}
}

func seconds(d *eventloop.Durations) metrics.Histogram {
	return metrics.Histogram{Bounds: secondBounds, Counts: slices.Clone(d.Counts[:]), Sum: d.Sum.Seconds()}
}

// state is how far the server is in its life.
func (s *Server) state() metrics.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done: // also when a loop has failed
		return metrics.Stopped
	default:
	}
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
				ID: uint64(c.id), Peer: c.remote(), Loop: c.loop.Index(),
				Input: c.received.Load(), Output: c.pending.Load(),
				SlowestCallback: time.Duration(c.slowest.Load()) * time.Microsecond,
			}) {
				return
			}
		}
	}
}
