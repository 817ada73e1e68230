package weir_test

import (
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
			expectEcho(t, p.server, frame("another cycle"))
			if n := p.conn.ReadBufferLength(); n != int64(len(rest)) {
				t.Errorf("%d bytes wait while reading is paused, want %d", n, len(rest))
			}
			resume(p.conn)
			expect(t, p.peer, frame("one")+frame("")+frame("pause"))
			eventually(t, "the rest waits again", func() bool { return p.conn.ReadBufferLength() >= int64(len(frame("two"))) })
			onLoop(t, p.conn, p.conn.ID)
			if n := p.server.Stats().MessagesIn; n > 6 { // one of them is that of expectEcho
				t.Errorf("%d messages were delivered, and the 6th one has paused reading", n)
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

// TestResumeAtTheEnd: messages that wait while reading is paused are delivered after
// ResumeRead also if the server drains: whatever else happens to the connection
// before the loop has got to them.
func TestResumeAtTheEnd(t *testing.T) {
	for name, resume := range map[string]func(c *weir.Connection){
		"Execute":  func(c *weir.Connection) { fail(t, c.Execute(c.ResumeRead)) },
		"RunAfter": func(c *weir.Connection) { fail(t, c.Execute(func() { c.RunAfter(0, c.ResumeRead) })) },
	} {
		for _, protocol := range []weir.Protocol{framed{}, framedSplitter{}} {
			t.Run(fmt.Sprintf("%s,%T", name, protocol), func(t *testing.T) {
				p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
					if string(data) == "pause" {
						c.PauseRead()
					}
					return data
				}}, weir.CustomProtocol(protocol))
				idle := dial(t, p.server)
				receive(t, p.begun)
				send(t, p.peer, frame("pause")+frame("one")+frame("two"))
				expect(t, p.peer, frame("pause"))
				stopped := make(chan error, 1)
				go func() { stopped <- p.server.Shutdown(t.Context()) }()
				expectEnd(t, idle) // so the loop drains
				resume(p.conn)
				expect(t, p.peer, frame("one")+frame("two"))
				expectEnd(t, p.peer)
				fail(t, receive(t, stopped))
			})
		}
	}
}
