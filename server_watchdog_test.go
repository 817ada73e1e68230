package weir_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// stalls are the records of callbacks of this package that blocked their loop. On a
// machine that is busy with other things there may be others: of loops that got no
// processor.
func (j *journal) stalls() (found []map[string]slog.Value) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if r.Level != slog.LevelError || !strings.Contains(r.Message, "blocks its loop") {
			continue
		}
		attrs := make(map[string]slog.Value)
		r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value; return true })
		if strings.Contains(attrs["stack"].String(), "_test.go") {
			found = append(found, attrs)
		}
	}
	return found
}

// TestWatchdog has callbacks of each kind block their loop.
func TestWatchdog(t *testing.T) {
	release := make(chan struct{})
	block := func() { <-release }
	for _, tt := range []struct {
		name  string
		begin func(t *testing.T, p *pair)
	}{
		{"OnMessage", func(t *testing.T, p *pair) { send(t, p.peer, "block") }},
		{"Execute", func(t *testing.T, p *pair) { fail(t, p.conn.Execute(block)) }},
		{"RunAfter", func(t *testing.T, p *pair) {
			fail(t, p.conn.Execute(func() { p.conn.RunAfter(0, block) }))
		}},
		{"OnClose", func(t *testing.T, p *pair) {
			fail(t, p.conn.Execute(func() { p.conn.SetContext("block"); fail(t, p.conn.Close()) }))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log journal
			h := &handler{message: func(c *weir.Connection, ctx any, data []byte) any {
				if string(data) == "block" {
					block()
				}
				return echo(c, ctx, data)
			}}
			h.close = func(c *weir.Connection) {
				if c.Context() == "block" {
					block()
				}
			}
			p := startPair(t, h, weir.NumLoops(2), weir.Watchdog(20*time.Millisecond), weir.Logger(slog.New(&log)))
			tt.begin(t, p)
			eventually(t, "it is noticed", func() bool { return len(log.stalls()) > 0 })
			expectEcho(t, p.server, "the other loop goes on") // it gets every second connection
			release <- struct{}{}
			expectEcho(t, p.server, "both go on")
			expectEcho(t, p.server, "both go on")
			found := log.stalls()
			if n := p.server.Stats().Stalls; len(found) != 1 || n < 1 {
				t.Fatalf("%d stalls logged, %d counted, want 1", len(found), n)
			}
			stall := found[0]
			if !strings.Contains(stall["stack"].String(), "watchdog_test.go") {
				t.Errorf("the stack is not that of the callback:\n%s", stall["stack"])
			}
			if id := stall["conn"].Any(); id != p.conn.ID() {
				t.Errorf("the connection is %v, want %v:\n%s", id, p.conn.ID(), stall["stack"])
			}
			if peer := stall["peer"]; peer.String() != p.conn.PeerAddr() {
				t.Errorf("the peer is %v, want %v", peer, p.conn.PeerAddr())
			}
		})
	}
}

// TestWatchdogAgain: one callback that blocks is one stall, however long, and the
// next one is another.
func TestWatchdogAgain(t *testing.T) {
	const limit = 20 * time.Millisecond
	var log journal
	p := startPair(t, &handler{message: echo}, weir.Watchdog(limit), weir.Logger(slog.New(&log)))
	for i := range 3 {
		release := occupy(t, p.conn)
		eventually(t, "it is noticed", func() bool { return len(log.stalls()) == i+1 })
		<-time.After(5 * limit) // in which it could be noticed again
		release()
		onLoop(t, p.conn, func() bool { return true })
	}
	if n := len(log.stalls()); n != 3 || p.server.Stats().Stalls < 3 {
		t.Errorf("%d stalls logged, %d counted, want 3", n, p.server.Stats().Stalls)
	}
}

// TestWatchdogIdle: a loop that sleeps is not one that stands still.
func TestWatchdogIdle(t *testing.T) {
	var log journal
	s := start(t, &handler{message: echo}, weir.Watchdog(60*time.Millisecond), weir.Logger(slog.New(&log)))
	expectEcho(t, s, "hello")
	eventually(t, "the loop sleeps", func() bool { return s.Stats().Waits > 0 })
	before := s.Stats().Stalls
	expectIdle(t, s)
	if n := s.Stats().Stalls - before; n != 0 {
		t.Errorf("%d stalls of an idle loop", n)
	}
}

// TestWatchdogManyCallbacks: that a cycle takes long is nobody's fault if each of its
// callbacks is short.
func TestWatchdogManyCallbacks(t *testing.T) {
	const limit, short, n = 400 * time.Millisecond, 20 * time.Millisecond, 50
	for _, tt := range []struct {
		name  string
		begin func(t *testing.T, p *pair, work func())
	}{
		{"tasks", func(t *testing.T, p *pair, work func()) {
			release := occupy(t, p.conn) // so that they are in one cycle
			for range n {
				fail(t, p.conn.Execute(work))
			}
			release()
		}},
		{"messages of one read", func(t *testing.T, p *pair, _ func()) {
			send(t, p.peer, strings.Repeat(frame("work"), n))
		}},
		{"timers", func(t *testing.T, p *pair, work func()) {
			fail(t, p.conn.Execute(func() {
				for range n {
					p.conn.RunAfter(0, work)
				}
			}))
		}},
		{"SendInLoop", func(t *testing.T, p *pair, work func()) {
			release := occupy(t, p.conn)
			for range n {
				fail(t, p.conn.Send([]byte("x"), weir.SendInLoop(func(any) { work() })))
			}
			release()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log journal
			worked := make(chan struct{}, n)
			work := func() { time.Sleep(short); worked <- struct{}{} }
			p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any { work(); return nil }},
				weir.CustomProtocol(framed{}), weir.Watchdog(limit), weir.Logger(slog.New(&log)))
			tt.begin(t, p, work)
			for range n {
				receive(t, worked)
			}
			if found := log.stalls(); len(found) != 0 {
				t.Errorf("%d callbacks are said to block the loop:\n%s", len(found), found[0]["stack"])
			}
		})
	}
}
