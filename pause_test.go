package weir_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// TestPauseWithinARead: PauseRead in OnMessage holds back the messages of the
// same read, in order, until ResumeRead; from the loop or from anywhere.
func TestPauseWithinARead(t *testing.T) {
	resumes := map[string]func(c *weir.Connection){
		"from another goroutine": (*weir.Connection).ResumeRead,
		"from the loop":          func(c *weir.Connection) { fail(t, c.Execute(c.ResumeRead)) },
		"paused twice":           func(c *weir.Connection) { c.PauseRead(); c.PauseRead(); c.ResumeRead() },
	}
	for name, resume := range resumes {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
				if string(data) == "pause" {
					c.PauseRead()
				}
				return data
			}}, weir.CustomProtocol(framed{}))
			first, rest := frame("zero")+frame("pause"), frame("one")+frame("")+frame("pause")+frame("two")
			send(t, p.peer, first+rest)
			expect(t, p.peer, first)
			eventually(t, "the rest waits", func() bool { return p.conn.ReadBufferLength() == int64(len(rest)) })
			send(t, p.peer, frame("three"))
			expectIdle(t, p.server)
			if n := p.conn.ReadBufferLength(); n != int64(len(rest)) {
				t.Errorf("%d bytes wait while reading is paused, want %d", n, len(rest))
			}
			resume(p.conn)
			expect(t, p.peer, frame("one")+frame("")+frame("pause"))
			eventually(t, "the rest waits again", func() bool { return p.conn.ReadBufferLength() >= int64(len(frame("two"))) })
			onLoop(t, p.conn, p.conn.ID)
			if st := p.server.Stats(); st.MessagesIn > 5 {
				t.Errorf("%d messages were delivered, and the 5th one has paused reading", st.MessagesIn)
			}
			resume(p.conn)
			expect(t, p.peer, frame("two")+frame("three"))
			eventually(t, "nothing waits", func() bool { return p.conn.ReadBufferLength() == 0 })
		})
	}
}

// TestPauseFromOutside: once PauseRead has reached the loop, nothing is read,
// and the peer can't send for ever.
func TestPauseFromOutside(t *testing.T) {
	const total = 8 << 20
	var received atomic.Int64
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		received.Add(int64(len(data)))
		return nil
	}}, weir.SocketReadBuffer(64<<10))
	p.conn.PauseRead()
	onLoop(t, p.conn, p.conn.ID) // so the loop has seen it
	sent := make(chan error, 1)
	go func() { _, err := p.peer.Write(pattern(total)); sent <- err }()
	expectIdle(t, p.server)
	if n := received.Load(); n != 0 {
		t.Errorf("%d bytes were delivered while reading is paused", n)
	}
	select {
	case err := <-sent:
		t.Errorf("the peer could send everything: %v", err)
	default:
	}
	p.conn.ResumeRead()
	if err := receive(t, sent); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is delivered", func() bool { return received.Load() == total })
}

// TestPauseStorm: however often reading is paused and resumed, and from
// wherever, everything is delivered in the end, once and in order.
func TestPauseStorm(t *testing.T) {
	const messages = 3000
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		if len(data) == 0 {
			c.PauseRead()
			go c.ResumeRead()
		}
		return data
	}}, weir.CustomProtocol(framed{}), weir.WriteBufferMarks(16<<10, 64<<10))
	var wire strings.Builder
	for i := range messages {
		wire.WriteString(frame(string(pattern(i % 500))))
	}
	stop := make(chan struct{})
	var storm sync.WaitGroup
	for range 2 {
		storm.Go(func() {
			for {
				select {
				case <-stop:
					p.conn.ResumeRead()
					return
				default:
					p.conn.PauseRead()
					runtime.Gosched()
					p.conn.ResumeRead()
					runtime.Gosched()
				}
			}
		})
	}
	sent := make(chan error, 1)
	go func() { _, err := io.WriteString(p.peer, wire.String()); sent <- err }()
	expect(t, p.peer, wire.String())
	close(stop)
	storm.Wait()
	if err := receive(t, sent); err != nil {
		t.Fatal(err)
	}
	fail(t, p.peer.CloseWrite())
	expectEnd(t, p.peer)
	p.expectErr(t, io.EOF)
}

// TestPausedFromTheStart: OnConnect may pause reading.
func TestPausedFromTheStart(t *testing.T) {
	p := startPair(t, &handler{connect: (*weir.Connection).PauseRead, message: echo})
	send(t, p.peer, "hello")
	expectIdle(t, p.server)
	if st := p.server.Stats(); st.BytesIn != 0 {
		t.Errorf("%d bytes were read", st.BytesIn)
	}
	p.conn.ResumeRead()
	expect(t, p.peer, "hello")
}

// occupy keeps c's loop from doing anything until release is called.
func occupy(t *testing.T, c *weir.Connection) (release func()) {
	t.Helper()
	occupied, free := make(chan struct{}), make(chan struct{})
	if err := c.Execute(func() { close(occupied); <-free }); err != nil {
		t.Fatal(err)
	}
	receive(t, occupied)
	return sync.OnceFunc(func() { close(free) })
}

// TestWake: any number of calls before the loop gets to it are one OnMessage,
// without ctx and data, whose answer is sent; a later one is another.
func TestWake(t *testing.T) {
	var calls atomic.Int64
	p := startPair(t, &handler{message: func(c *weir.Connection, ctx any, data []byte) any {
		if ctx != nil || data != nil {
			t.Errorf("OnMessage got %v and %q", ctx, data)
		}
		return fmt.Sprint("woken ", calls.Add(1))
	}})
	for round := range 3 {
		release := occupy(t, p.conn)
		var waking sync.WaitGroup
		for range 4 {
			waking.Go(func() {
				for range 100 {
					fail(t, p.conn.Wake())
				}
			})
		}
		waking.Wait()
		release()
		expect(t, p.peer, fmt.Sprint("woken ", round+1))
		onLoop(t, p.conn, p.conn.ID) // behind any other Wake
	}
	if n := calls.Load(); n != 3 {
		t.Errorf("OnMessage was called %d times, want 3", n)
	}
	fail(t, p.conn.Close())
	if err := p.conn.Wake(); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("Wake after Close: %v", err)
	}
	p.expectErr(t, weir.ErrConnectionClosed)
	if n := calls.Load(); n != 3 {
		t.Errorf("OnMessage was called %d times, want 3", n)
	}
}

// TestWakeThenClose: a Wake that the loop gets to after Close is forgotten.
func TestWakeThenClose(t *testing.T) {
	p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any {
		t.Error("OnMessage was called after Close")
		return nil
	}})
	release := occupy(t, p.conn)
	fail(t, errors.Join(p.conn.Wake(), p.conn.Close()))
	release()
	p.expectErr(t, weir.ErrConnectionClosed)
}

// TestExecute: functions run on the loop, in the order of the same goroutine's
// Sends, and what they write goes out in that order.
func TestExecute(t *testing.T) {
	const rounds = 500
	p := startPair(t, &handler{})
	var order, want []string // order is the loop's, until the connection has ended
	var wire strings.Builder
	release := occupy(t, p.conn)
	for i := range rounds {
		note := func(s string) { order = append(order, s) }
		a, b, c := fmt.Sprintf("[%d", i), fmt.Sprintf("|%d|", i), fmt.Sprintf("%d]", i)
		fail(t, p.conn.Send(a, weir.SendInLoop(func(any) { note(a) })))
		fail(t, p.conn.Execute(func() {
			note(b)
			fail(t, p.conn.WritePacket(b))
		}))
		fail(t, p.conn.Send(c, weir.SendInLoop(func(any) { note(c) })))
		want = append(want, a, b, c)
		wire.WriteString(a + b + c)
		if i == rounds/2 {
			release()
		}
	}
	expect(t, p.peer, wire.String())
	fail(t, p.conn.Close())
	p.expectErr(t, weir.ErrConnectionClosed)
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("order %v", order)
	}
	if err := p.conn.Execute(func() { t.Error("run after the end") }); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("Execute after the end: %v", err)
	}
}

// TestExecuteOfLost: a function whose connection ends first is not run.
func TestExecuteOfLost(t *testing.T) {
	p := startPair(t, &handler{})
	release := occupy(t, p.conn)
	fail(t, p.conn.Execute(func() { fail(t, p.conn.Close()) }))
	reset(t, p.peer) // which the loop sees first
	fail(t, p.conn.Execute(func() { t.Error("run after the end") }))
	release()
	for receive(t, p.ended) != p.conn {
	}
	if !wasReset(p.conn.Err()) {
		t.Errorf("Err is %v", p.conn.Err())
	}
}
