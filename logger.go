package weir

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// What the levels mean:
//
//	Error  something is wrong with the program, or with the server as a whole
//	Warn   peers or the system were refused something, and somebody may want to
//	       know: limits that were met, descriptors that ran out
//	Info   the server's own life: it serves, drains, has stopped
//	Debug  the lives of connections

// warnings passes on what is a warning or worse.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// debug logs what happens to c.
func (c *Connection) debug(message string, more ...any) {
	ctx, log := context.Background(), c.loop.server.log
	if log.Enabled(ctx, slog.LevelDebug) {
		log.Debug(message, c.attrs(more...)...)
	}
}

// throttle bounds the lines of one kind, so that peers can't fill a disk with
// them: a few in a row, and then one for each period. The next line says how many
// were left out.
type throttle struct {
	// set once
	burst int
	every time.Duration

	// guarded by mu
	mu      sync.Mutex
	used    int       // of the burst
	since   time.Time // from when on the used ones come back
	dropped int
}

// lines are the kinds of lines that peers can cause.
type lines struct{ panics, refused, slow throttle }

func (l *lines) init() {
	l.panics.burst, l.panics.every = 10, time.Second
	l.refused.burst, l.refused.every = 1, warnEvery
	l.slow.burst, l.slow.every = 1, warnEvery
}

// allow reports whether a line may be logged, and how many could not since the
// last.
func (t *throttle) allow(now time.Time) (dropped int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used == 0 {
		t.since = now
	}
	if back := int(now.Sub(t.since) / t.every); back > 0 {
		t.used = max(t.used-back, 0)
		t.since = t.since.Add(time.Duration(back) * t.every)
	}
	if t.used == t.burst {
		t.dropped++
		return 0, false
	}
	t.used++
	dropped, t.dropped = t.dropped, 0
	return dropped, true
}

// logLimited logs a line of a kind that peers can cause, unless there were too many.
func (s *Server) logLimited(t *throttle, level slog.Level, message string, args func() []any) {
	if !s.log.Enabled(context.Background(), level) {
		return
	}
	dropped, ok := t.allow(time.Now())
	if !ok {
		return
	}
	a := args()
	if dropped > 0 {
		a = append(a, "left_out", dropped)
	}
	s.log.Log(context.Background(), level, message, a...)
}
