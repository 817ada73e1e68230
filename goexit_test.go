package weir_test

import (
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestGoexitOfALoopsFunction: one that belongs to no connection.
func TestGoexitOfALoopsFunction(t *testing.T) { eachCrash(t, testLoopsFunction) }

func testLoopsFunction(t *testing.T, crash crash) {
	var log journal
	p := startPair(t, &handler{message: echo}, weir.Logger(slog.New(&log)))
	fail(t, p.conn.Loop().Execute(crash.now))
	fail(t, p.conn.Execute(func() { p.conn.Loop().RunAfter(0, crash.now) }))
	eventually(t, "both are counted", func() bool { return p.server.Stats().Panics == 2 })
	send(t, p.peer, "still here")
	expect(t, p.peer, "still here")
	if n := log.panics(crash); n != 2 {
		t.Errorf("%d log records of the crashes, want 2", n)
	}
}

// TestGoexitInEveryOnClose: Stop closes each connection, and returns.
func TestGoexitInEveryOnClose(t *testing.T) {
	const n = 20
	var closed atomic.Int64
	h := &handler{message: echo, close: func(*weir.Connection) { closed.Add(1); runtime.Goexit() }}
	s := start(t, h, weir.NumLoops(2), quiet())
	for range n {
		c := dial(t, s)
		send(t, c, "hello")
		expect(t, c, "hello")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if closed.Load() != n || st.Open != 0 || st.Panics != n || st.Closed.Stopped != n {
		t.Errorf("%d calls of OnClose of %d; %d connections open, %d panics, %d stopped", closed.Load(), n, st.Open, st.Panics, st.Closed.Stopped)
	}
}

// TestGoexitInOnShutdown: every connection is told, and Shutdown ends.
func TestGoexitInOnShutdown(t *testing.T) {
	const n = 20
	var told atomic.Int64
	h := &goodbye{handler{message: echo}, func(*weir.Connection) { told.Add(1); runtime.Goexit() }}
	s := start(t, h, weir.NumLoops(2), quiet())
	for range n {
		c := dial(t, s)
		send(t, c, "hello")
		expect(t, c, "hello")
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told.Load() != n || s.Stats().Closed.Panic != n {
		t.Errorf("%d calls of OnShutdown, %d connections closed for that, of %d", told.Load(), s.Stats().Closed.Panic, n)
	}
}

// TestGoexitInSendInLoop: each function is called, and the peer gets each byte once,
// though some functions are called when only a part of the queue was written.
func TestGoexitInSendInLoop(t *testing.T) {
	const n = 40
	message := pattern(300_000)
	var told atomic.Int64
	p := startPair(t, &handler{message: echo}, quiet(), weir.SocketWriteBuffer(64<<10))
	release := occupy(t, p.conn) // so that all are in one queue
	for range n {
		fail(t, p.conn.Send(message, weir.SendInLoop(func(any) { told.Add(1); runtime.Goexit() })))
	}
	release()
	expect(t, p.peer, strings.Repeat(string(message), n))
	expectEnd(t, p.peer)
	for receive(t, p.ended) != p.conn {
	}
	expectNothingLost(t, p.conn)
	if told.Load() != n {
		t.Errorf("%d calls of %d", told.Load(), n)
	}
	eventually(t, "nothing is accounted for any more", func() bool {
		return p.conn.WriteBufferLength() == 0 && p.server.Stats().OutputBytes == 0
	})
	expectEcho(t, p.server, "the loop goes on")
}

// TestGoexitInSendInLoopAtTheEnd: functions for what can't be sent any more.
func TestGoexitInSendInLoopAtTheEnd(t *testing.T) {
	const n = 10
	var told, closed atomic.Int64
	p := startPair(t, &handler{message: echo, close: func(c *weir.Connection) {
		if c.Err() != nil {
			closed.Add(1)
		}
	}}, quiet(), weir.SocketWriteBuffer(64<<10))
	fail(t, p.conn.Send(make([]byte, 16<<20))) // which the peer doesn't read
	for range n {
		fail(t, p.conn.Send(pattern(100_000), weir.SendInLoop(func(any) { told.Add(1); runtime.Goexit() })))
	}
	onLoop(t, p.conn, func() bool { return true })
	reset(t, p.peer)
	for receive(t, p.ended) != p.conn {
	}
	eventually(t, "all are told", func() bool { return told.Load() == n })
	if closed.Load() != 1 {
		t.Errorf("OnClose was called %d times", closed.Load())
	}
	eventually(t, "nothing is left", func() bool {
		st := p.server.Stats()
		return st.Open == 0 && st.OutputBytes == 0 && p.conn.WriteBufferLength() == 0
	})
	expectEcho(t, p.server, "the loop goes on")
}

// TestGoexitBetweenTwo: what a connection has written before its callback ended the
// goroutine goes to nobody else, although the loop has one buffer for all, and what it
// had received is not taken for somebody else's.
func TestGoexitBetweenTwo(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		switch string(data) {
		case "exit":
			_, _ = c.Write([]byte("mine")) // an error would show as silence
			runtime.Goexit()
		}
		return data
	}}, weir.CustomProtocol(framed{}), quiet())
	other := dial(t, p.server)
	send(t, other, frame("hello"))
	expect(t, other, frame("hello"))
	release := occupy(t, p.conn) // so that both are in one batch
	send(t, p.peer, frame("exit")+"half of somet")
	send(t, other, frame("after"))
	release()
	expect(t, other, frame("after"))
	expect(t, p.peer, "mine")
	expectEnd(t, p.peer)
	send(t, other, frame("again"))
	expect(t, other, frame("again"))
	eventually(t, "nothing is held", func() bool { st := p.server.Stats(); return st.InputBytes == 0 && st.OutputBytes == 0 })
}

// TestLoopAfterGoexit: the loop is on another goroutine then. Stop finds out that it is
// called by a callback, and the watchdog shows the right stack.
func TestLoopAfterGoexit(t *testing.T) {
	var log journal
	var s *weir.Server
	release := make(chan struct{})
	s = newServer(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		switch string(data) {
		case "exit":
			runtime.Goexit()
		case "block":
			<-release
			fail(t, s.Stop())
		}
		return data
	}}, weir.Watchdog(20*time.Millisecond), weir.Logger(slog.New(&log)))
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	for range 3 {
		c := dial(t, s)
		send(t, c, "exit")
		expectEnd(t, c)
	}
	send(t, dial(t, s), "block")
	eventually(t, "it is noticed", func() bool { return len(log.stalls()) > 0 })
	if stack := log.stalls()[0]["stack"].String(); !strings.Contains(stack, "goexit_test.go") {
		t.Errorf("the stack is not that of the callback:\n%s", stack)
	}
	close(release)
	if err := receive(t, ended); err != nil {
		t.Errorf("Start: %v", err)
	}
}
