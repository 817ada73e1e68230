package weir

import (
	"log/slog"
	"runtime/debug"

	"github.com/go-weir/weir/internal/eventloop"
)

// Loop is one of a server's event loops, as a handle: for work that concerns many
// connections, which is done once for all of those on a loop instead of once for
// each. Two handles are equal if they are of the same loop.
type Loop struct{ loop *loop }

// Loop is the event loop that serves the connection, always the same one. Any
// goroutine.
func (c *Connection) Loop() Loop { return Loop{c.loop} }

// Index is the loop's place among its server's loops, from 0. Any goroutine.
func (l Loop) Index() int { return l.loop.Index() }

// Execute runs f on the loop, in the order of this goroutine's other calls of
// Execute and Send. What it writes to connections of the loop leaves in one
// write(2) for each of them. If f panics, that is logged and counted. Once the loop
// has ended, Execute returns ErrServerStopped, and f is not run. Any goroutine.
func (l Loop) Execute(f func()) error {
	if !l.loop.Post(eventloop.Task{Target: (*loopTarget)(l.loop), Arg: f}) {
		return ErrServerStopped
	}
	return nil
}

// loopTarget is a loop as the target of its Execute.
type loopTarget loop

// Perform implements eventloop.Target.
func (l *loopTarget) Perform(t *eventloop.Task) { (*loop)(l).call("Loop.Execute", t.Arg.(func())) }

// call runs a function that may panic and belongs to no connection.
func (l *loop) call(name string, f func()) {
	returned := false
	defer func() {
		if v := recover(); !returned {
			v = thrown(v)
			l.stats.Panics++
			s := l.server
			s.logLimited(&s.lines.panics, slog.LevelError, "weir: panic in a loop's function", func() []any {
				return []any{"function", name, "panic", v, "stack", string(debug.Stack())}
			})
		}
	}()
	l.Progress()
	f()
	returned = true
}
