package weir_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestLoop: connections of one loop have equal handles with its index, and those
// of others have others.
func TestLoop(t *testing.T) {
	h := &handler{}
	begun, _ := observe(h)
	s := start(t, h, weir.NumLoops(2))
	seen := make(map[weir.Loop]int)
	for range 4 {
		dial(t, s)
		c := receive(t, begun)
		if i := c.Loop().Index(); i < 0 || i > 1 {
			t.Errorf("index %d of 2 loops", i)
		}
		seen[c.Loop()]++
		if c.Protocol() != s.Options().Protocol {
			t.Errorf("Protocol is %v", c.Protocol())
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d different loops, want 2", len(seen))
	}
}

// TestLoopExecute: what one function writes to several connections is one
// write(2) for each of them, and behind what was sent before.
func TestLoopExecute(t *testing.T) {
	h := &handler{}
	begun, _ := observe(h)
	s := start(t, h)
	a, b := dial(t, s), dial(t, s)
	conns := []*weir.Connection{receive(t, begun), receive(t, begun)}
	fail(t, conns[0].Send("0"))
	fail(t, conns[1].Send("0"))
	expect(t, a, "0")
	expect(t, b, "0")
	before := onLoop(t, conns[0], s.Stats).Writes
	fail(t, conns[0].Loop().Execute(func() {
		for _, p := range []string{"1", "2", "3"} {
			for _, c := range conns {
				if _, err := c.Write([]byte(p)); err != nil {
					t.Error(err)
				}
			}
		}
	}))
	expect(t, a, "123")
	expect(t, b, "123")
	if n := onLoop(t, conns[0], s.Stats).Writes - before; n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

// TestLoopPanic: a function that panics costs nobody anything.
func TestLoopPanic(t *testing.T) {
	p := startPair(t, &handler{message: echo}, quiet())
	loop := p.conn.Loop()
	fail(t, loop.Execute(func() { panic("at once") }))
	fail(t, loop.Execute(func() {
		loop.RunAfter(0, func() { panic("later") })
	}))
	eventually(t, "two panics", func() bool { return p.server.Stats().Panics == 2 })
	expectEcho(t, p.server, "still there")
	send(t, p.peer, "and here")
	expect(t, p.peer, "and here")
}

// TestLoopPanicLines: functions that panic don't fill the log, any more than callbacks
// of connections.
func TestLoopPanicLines(t *testing.T) {
	var out lockedBuffer
	p := startPair(t, &handler{}, weir.Logger(slog.New(slog.NewTextHandler(&out, nil))))
	for range 50 {
		fail(t, p.conn.Loop().Execute(func() { panic("at once") }))
	}
	onLoop(t, p.conn, p.conn.ID)
	if n := out.lines("level=ERROR", "function=Loop.Execute", "panic="); n < 10 || n > 20 { // 10, and one per second
		t.Errorf("%d lines of 50 panics", n)
	}
}

// TestLoopRunAfter: timers of a loop fire in their order, and not when they were
// stopped.
func TestLoopRunAfter(t *testing.T) {
	p := startPair(t, &handler{})
	loop := p.conn.Loop()
	fired := make(chan string, 3)
	fail(t, loop.Execute(func() {
		stopped := loop.RunAfter(15*time.Millisecond, func() { fired <- "stopped" })
		loop.RunAfter(30*time.Millisecond, func() { fired <- "last" })
		loop.RunAfter(time.Millisecond, func() { fired <- "first" })
		if !stopped.Stop() || stopped.Stop() {
			t.Error("Stop reports the wrong thing")
		}
	}))
	if a, b := receive(t, fired), receive(t, fired); a != "first" || b != "last" {
		t.Errorf("fired %s, %s", a, b)
	}
}

// TestLoopEnded: a loop that has ended runs nothing.
func TestLoopEnded(t *testing.T) {
	h := &handler{}
	begun, _ := observe(h)
	s := newServer(t, h)
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	dial(t, s)
	loop := receive(t, begun).Loop()
	fail(t, s.Stop())
	fail(t, receive(t, ended))
	if err := loop.Execute(func() { t.Error("run") }); !errors.Is(err, weir.ErrServerStopped) {
		t.Errorf("Execute: %v", err)
	}
}

// sized is a value to send that says how long it will be, and then isn't.
type sized struct {
	wire    string
	claimed int
}

func (s *sized) Len() int { return s.claimed }

// sizedProtocol sends sized values, and forgets what they claimed.
type sizedProtocol struct{ weir.DefaultProtocol }

func (sizedProtocol) Packet(_ *weir.Connection, data any) []byte {
	s := data.(*sized)
	s.claimed = 0
	return []byte(s.wire)
}

// TestSendLen: a value with a length counts with it from the moment it is
// accepted, whatever becomes of it.
func TestSendLen(t *testing.T) {
	p := startPair(t, &handler{}, weir.CustomProtocol(&sizedProtocol{}),
		weir.WriteBufferMarks(100, 1000), weir.WriteBufferLimit(2000))
	release := occupy(t, p.conn)
	if err := p.conn.Send(&sized{"x", 2001}); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("over the limit: %v", err)
	}
	fail(t, p.conn.Send(&sized{strings.Repeat("x", 5), 1500}))
	if n := p.conn.WriteBufferLength(); n < 1500 || n > 1600 {
		t.Errorf("%d bytes pending, want about 1500", n)
	}
	if err := p.conn.Send(&sized{"x", 501}); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("over the limit together: %v", err)
	}
	fail(t, p.conn.Send(&sized{"y", -7}))
	release()
	expect(t, p.peer, "xxxxxy")
	eventually(t, "nothing pending", func() bool { return p.conn.WriteBufferLength() == 0 })
}

// invalid is a Protocol that can't work.
type invalid struct{ weir.DefaultProtocol }

var errInvalid = errors.New("two left feet")

func (*invalid) Validate() error { return errInvalid }

// TestValidate: the server is not made, and the error says why.
func TestValidate(t *testing.T) {
	s, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"), weir.CustomProtocol(&invalid{}))
	if s != nil || !errors.Is(err, errInvalid) || !strings.Contains(err.Error(), "CustomProtocol") {
		t.Errorf("%v, %v", s, err)
	}
}

// TestLoopsBeforeStart: all loops of a server are there before Start, and do then what they
// were given.
func TestLoopsBeforeStart(t *testing.T) {
	s := newServer(t, &handler{}, weir.NumLoops(3))
	loops := s.Loops()
	ran := make(chan int, len(loops))
	for i, l := range loops {
		if l.Index() != i {
			t.Errorf("loop %d has the index %d", i, l.Index())
		}
		fail(t, l.Execute(func() { ran <- i }))
	}
	select {
	case i := <-ran:
		t.Errorf("loop %d runs before Start", i)
	default:
	}
	serve(t, s)
	seen := make(map[int]bool)
	for range loops {
		seen[receive(t, ran)] = true
	}
	if len(seen) != 3 {
		t.Errorf("run on %v", seen)
	}
}
