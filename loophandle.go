package weir

import (
	"log/slog"
	"runtime/debug"
	"time"

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
	if !l.loop.Post(eventloop.Task{Target: (*loopTasks)(l.loop), Arg: f}) {
		return ErrServerStopped
	}
	return nil
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

// loopTasks is a loop as the target of its Execute.
type loopTasks loop

// Perform implements eventloop.Target.
func (l *loopTasks) Perform(t *eventloop.Task) { (*loop)(l).call("Loop.Execute", t.Arg.(func())) }

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

// call runs a function that may panic and belongs to no connection.
func (l *loop) call(name string, f func()) {
	returned := false
	defer func() {
		if v := recover(); !returned {
			v = thrown(v)
			l.stats.Panics++
			s := l.server
			s.seldom(&s.lines.panics, slog.LevelError, "weir: panic in a loop's function", func() []any {
				return []any{"function", name, "panic", v, "stack", string(debug.Stack())}
			})
		}
	}()
	l.Progress()
	f()
	returned = true
}
