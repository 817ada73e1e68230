package weir_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/ringbuffer"
)

var errBoom = errors.New("boom")

// journal is a slog.Handler that remembers what was logged.
type journal struct {
	mu      sync.Mutex
	records []slog.Record
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

func (j *journal) WithGroup(string) slog.Handler { return j }

// crash is how a callback fails to return.
type crash struct {
	name  string
	now   func()
	value string // of the PanicError, as text
}

// crashes are all ways. A test that calls FailNow in a callback takes the second.
var crashes = []crash{
	{"panic", func() { panic(errBoom) }, "boom"},
	{"Goexit", func() { runtime.Goexit() }, "runtime.Goexit was called"},
}

// eachCrash runs the test for all of them.
func eachCrash(t *testing.T, f func(t *testing.T, crash crash)) {
	for _, crash := range crashes {
		t.Run(crash.name, func(t *testing.T) { f(t, crash) })
	}
}

// panics is how many records report that crash and its stack.
func (j *journal) panics(crash crash) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, r := range j.records {
		var value any
		var stack string
		r.Attrs(func(a slog.Attr) bool {
			switch a.Key {
			case "panic":
				value = a.Value.Any()
			case "stack":
				stack = a.Value.String()
			}
			return true
		})
		if r.Level == slog.LevelError && fmt.Sprint(value) == crash.value && strings.Contains(stack, "panic_test.go") {
			n++
		}
	}
	return n
}

// bomb is data that can't be encoded.
type bomb struct{}

// fragile is framed, and crashes over a message "bomb" and over a bomb to send.
type fragile struct {
	framed
	crash crash
}

func (f fragile) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	ctx, payload = f.framed.UnPacket(c, b)
	if string(payload) == "bomb" {
		f.crash.now()
	}
	return ctx, payload
}

func (f fragile) Packet(c *weir.Connection, data any) []byte {
	if data == (bomb{}) {
		f.crash.now()
	}
	return f.framed.Packet(c, data)
}

// fragileAppender is fragile, and encodes in place.
type fragileAppender struct{ fragile }

func (f fragileAppender) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	if data == (bomb{}) {
		_ = append(dst, "half a message"...) // what is lost with the crash
		f.crash.now()
	}
	return appendFrame(dst, data)
}

// TestPanic: a panic in a callback, or a runtime.Goexit, costs that connection and nothing
// else. The connection ends with a PanicError, after what was answered before was sent.
func TestPanic(t *testing.T) { eachCrash(t, testPanic) }

func testPanic(t *testing.T, crash crash) {
	plain := fragile{crash: crash}
	appender := fragileAppender{plain}
	reply := func(data any) func(*weir.Connection) any { return func(*weir.Connection) any { return data } }
	do := func(f func(c *weir.Connection) error) func(*weir.Connection) any {
		return func(c *weir.Connection) any {
			if err := f(c); err != nil {
				t.Error(err)
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name     string
		protocol weir.Protocol
		callback string                       // as PanicError names it
		trigger  func(c *weir.Connection) any // on the loop, after the answer "before"
		after    string                       // what the peer gets after that
	}{
		{"OnMessage", plain, "OnMessage", func(*weir.Connection) any { crash.now(); return nil }, ""},
		{"UnPacket", plain, "UnPacket", nil, ""}, // over the message after this one
		{"Packet of a reply", plain, "Packet", reply(bomb{}), ""},
		{"AppendPacket of a reply", appender, "AppendPacket", reply(bomb{}), ""},
		{"Packet of a WritePacket", plain, "OnMessage", do(func(c *weir.Connection) error {
			return c.WritePacket(bomb{})
		}), ""},
		{"AppendPacket of a WritePacket", appender, "OnMessage", do(func(c *weir.Connection) error {
			return c.WritePacket(bomb{})
		}), ""},
		{"Packet of a Send", plain, "Packet", do(func(c *weir.Connection) error {
			return errors.Join(c.Send("sent"), c.Send(bomb{}))
		}), frame("sent")},
		{"AppendPacket of a Send", appender, "AppendPacket", do(func(c *weir.Connection) error {
			return errors.Join(c.Send("sent"), c.Send(bomb{}))
		}), frame("sent")},
		{"SendInLoop", plain, "SendInLoop", do(func(c *weir.Connection) error {
			return c.Send("sent", weir.SendInLoop(func(any) { crash.now() }))
		}), frame("sent")},
		{"SendInLoop of a large one", &weir.DefaultProtocol{}, "SendInLoop", do(func(c *weir.Connection) error {
			return c.Send(pattern(100_000), weir.SendInLoop(func(any) { crash.now() }))
		}), string(pattern(100_000))},
		{"Execute", plain, "Execute", do(func(c *weir.Connection) error { return c.Execute(crash.now) }), ""},
		{"RunAfter", plain, "RunAfter", do(func(c *weir.Connection) error {
			c.RunAfter(time.Millisecond, crash.now)
			return nil
		}), ""},
		{"OnMessage of a Wake", plain, "OnMessage", do((*weir.Connection).Wake), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log journal
			var closed atomic.Int64
			p := startPair(t, &handler{
				message: func(c *weir.Connection, _ any, data []byte) any {
					switch {
					case data == nil:
						crash.now() // Wake
					case !strings.HasSuffix(string(data), "trigger"):
						return data
					}
					_, _ = c.Write([]byte("before")) // an error would show as silence
					if tt.trigger == nil {
						return nil
					}
					return tt.trigger(c)
				},
				close: func(c *weir.Connection) {
					var err *weir.PanicError
					if errors.As(c.Err(), &err) {
						closed.Add(1)
					}
				},
			}, weir.CustomProtocol(tt.protocol), weir.Logger(slog.New(&log)))
			bystander := dial(t, p.server)
			send(t, bystander, frame("hello"))
			expect(t, bystander, frame("hello"))

			send(t, p.peer, frame("trigger"))
			if tt.trigger == nil {
				send(t, p.peer, frame("bomb"))
			}
			expect(t, p.peer, "before"+tt.after)
			expectEnd(t, p.peer)
			for receive(t, p.ended) != p.conn {
			}
			checkPanic(t, p.conn.Err(), tt.callback, crash)

			send(t, bystander, frame("still here"))
			expect(t, bystander, frame("still here"))
			expectEcho(t, p.server, frame("and new ones"))
			eventually(t, "it is counted", func() bool {
				st := p.server.Stats()
				return st.Panics == 1 && st.Closed.Panic == 1 && st.OutputBytes == 0
			})
			if n := log.panics(crash); n != 1 {
				t.Errorf("%d log records of the panic", n)
			}
			if n := closed.Load(); n != 1 {
				t.Errorf("OnClose was called %d times", n)
			}
		})
	}
}

// checkPanic checks what a PanicError tells.
func checkPanic(t testing.TB, err error, callback string, crash crash) {
	t.Helper()
	var p *weir.PanicError
	if !errors.As(err, &p) {
		t.Fatalf("Err is %v, want a *PanicError", err)
	}
	if p.Callback != callback || fmt.Sprint(p.Value) != crash.value || !strings.Contains(string(p.Stack), "panic_test.go") {
		t.Errorf("panic in %q with %v, want %q with %v; stack:\n%s", p.Callback, p.Value, callback, crash.value, p.Stack)
	}
	if value, ok := p.Value.(error); !ok || !errors.Is(err, value) {
		t.Errorf("%v is not the error that was panicked with", err)
	}
}

// TestPanicAtBothEnds: OnConnect and OnClose.
func TestPanicAtBothEnds(t *testing.T) { eachCrash(t, testPanicAtBothEnds) }

func testPanicAtBothEnds(t *testing.T, crash crash) {
	for _, at := range []string{"OnConnect", "OnClose"} {
		t.Run(at, func(t *testing.T) {
			var log journal
			var armed atomic.Bool
			var closed atomic.Int64
			victim := make(chan *weir.Connection, 1)
			h := &handler{
				connect: func(c *weir.Connection) {
					if armed.CompareAndSwap(true, false) {
						_, _ = c.Write([]byte("hello")) // an error would show as silence
						c.SetContext(at)
						victim <- c
						if at == "OnConnect" {
							crash.now()
						}
					}
				},
				message: echo,
				close: func(c *weir.Connection) {
					if c.Context() == at {
						closed.Add(1)
						if at == "OnClose" {
							crash.now()
						}
					}
				},
			}
			s := start(t, h, weir.Logger(slog.New(&log)))
			bystander := dial(t, s)
			send(t, bystander, "hello")
			expect(t, bystander, "hello")

			armed.Store(true)
			peer := dial(t, s)
			expect(t, peer, "hello")
			if at == "OnClose" {
				if err := peer.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			expectEnd(t, peer)
			c := receive(t, victim)
			eventually(t, "it is counted", func() bool {
				st := s.Stats()
				return st.Panics == 1 && st.Closed.Total() == 1
			})
			if at == "OnConnect" {
				checkPanic(t, c.Err(), at, crash)
			} else if !errors.Is(c.Err(), io.EOF) {
				t.Errorf("Err is %v", c.Err())
			}
			send(t, bystander, "still here")
			expect(t, bystander, "still here")
			expectEcho(t, s, "and new ones")
			if n := closed.Load(); n != 1 || log.panics(crash) != 1 {
				t.Errorf("OnClose was called %d times, %d log records of the panic", n, log.panics(crash))
			}
		})
	}
}

// TestPanicInOnWritable: what was accepted before is still sent.
func TestPanicInOnWritable(t *testing.T) { eachCrash(t, testPanicInOnWritable) }

func testPanicInOnWritable(t *testing.T, crash crash) {
	const size = 8 << 20
	var log journal
	p := startPair(t, &handler{
		message:  func(*weir.Connection, any, []byte) any { return pattern(size) },
		writable: func(c *weir.Connection) { _, _ = c.Write([]byte("last")); crash.now() },
	}, weir.WriteBufferMarks(64<<10, 256<<10), weir.Logger(slog.New(&log)))
	send(t, p.peer, "x")
	eventually(t, "the peer has stalled", func() bool { return p.server.Stats().Pauses == 1 })
	expect(t, p.peer, string(pattern(size))+"last")
	expectEnd(t, p.peer)
	for receive(t, p.ended) != p.conn {
	}
	checkPanic(t, p.conn.Err(), "OnWritable", crash)
	eventually(t, "it is counted", func() bool { return p.server.Stats().Panics == 1 })
	if n := log.panics(crash); n != 1 {
		t.Errorf("%d log records of the panic", n)
	}
}

// TestPanicInStrategy: the connection is refused, the next one is not.
func TestPanicInStrategy(t *testing.T) { eachCrash(t, testPanicInStrategy) }

func testPanicInStrategy(t *testing.T, crash crash) {
	for _, loops := range []int{2, 3} {
		var log journal
		var armed atomic.Bool
		s := start(t, &handler{message: echo}, weir.NumLoops(loops), weir.Logger(slog.New(&log)),
			weir.LoadBalance(func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
				if armed.Load() {
					crash.now()
				}
				return loops[0]
			}))
		bystander := dial(t, s)
		send(t, bystander, "hello")
		expect(t, bystander, "hello")
		armed.Store(true)
		expectEnd(t, dial(t, s))
		armed.Store(false)
		send(t, bystander, "still here")
		expect(t, bystander, "still here")
		expectEcho(t, s, "and new ones")
		eventually(t, "it is counted", func() bool {
			st := s.Stats()
			return st.Panics == 1 && st.Refused.Other == 1
		})
		if n := log.panics(crash); n != 1 {
			t.Errorf("%d log records of the panic", n)
		}
	}
}

// TestPanicInTimer: a function of the server's timers that panics is logged and
// counted. One that runs again and again goes on.
func TestPanicInTimer(t *testing.T) { eachCrash(t, testPanicInTimer) }

func testPanicInTimer(t *testing.T, crash crash) {
	var log journal
	s := start(t, &handler{message: echo}, weir.Logger(slog.New(&log)))
	s.RunAfter(time.Millisecond, crash.now)
	eventually(t, "RunAfter has panicked", func() bool { return s.Stats().Panics == 1 && log.panics(crash) == 1 })
	timer := s.RunEvery(time.Millisecond, crash.now)
	eventually(t, "RunEvery goes on", func() bool { return s.Stats().Panics >= 4 && log.panics(crash) >= 4 })
	timer.Stop()
	expectEcho(t, s, "the server goes on")
}
