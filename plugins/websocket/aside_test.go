package websocket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// asideServer has one goroutine to inflate messages, which inflates all of them.
func asideServer(t *testing.T, h *handler) *server {
	t.Helper()
	return start(t, h, websocket.Compression(codec.Deflate{}), websocket.InflateAside(1, 1))
}

// withContext is what a client offers so that its messages have a context.
func withContext() *websocket.DialOptions {
	return &websocket.DialOptions{Compression: &codec.Deflate{Takeover: true, Threshold: 1}}
}

// occupyAside keeps the goroutine that inflates from doing it until release is called.
// Then it returns when all is inflated that waited.
func occupyAside(t *testing.T, s *server) (release func()) {
	t.Helper()
	occupied, free := make(chan struct{}), make(chan struct{})
	s.protocol.RunAside(func() { close(occupied); <-free })
	receive(t, occupied)
	return sync.OnceFunc(func() {
		last := make(chan struct{})
		s.protocol.RunAside(func() { close(last) })
		close(free)
		receive(t, last)
	})
}

// aside waits until so many messages have been given to the goroutine.
func aside(t *testing.T, s *server, n uint64) {
	t.Helper()
	eventually(t, "messages aside", func() bool { return s.protocol.Stats().Aside == n })
}

// round returns when c's loop has done all that it had to do for c.
func round(t *testing.T, c *websocket.Conn) {
	t.Helper()
	for range 3 { // tasks may have posted others
		onLoop(t, c, func() int { return 0 })
	}
}

// TestPauseAside: PauseRead holds back a message that is being inflated, and those behind
// it; ResumeRead delivers them in their order.
func TestPauseAside(t *testing.T) {
	got := make(chan string, 8)
	s := asideServer(t, &handler{message: func(_ *websocket.Conn, _ websocket.Kind, data []byte) { got <- string(data) }})
	c, conn := pair(t, s, withContext())
	release := occupyAside(t, s)
	for _, text := range []string{"first", "second"} {
		fail(t, c.Write(codec.Text, []byte(text)))
	}
	aside(t, s, 1)
	conn.PauseRead()
	release()
	round(t, conn)
	if n := len(got); n != 0 {
		t.Fatalf("%d messages while reading is paused", n)
	}
	if n := s.protocol.Stats().Pinned; n != int64(len("first")) {
		t.Errorf("%d bytes are pinned while a message waits", n)
	}
	conn.ResumeRead()
	for _, want := range []string{"first", "second"} {
		if text := receive(t, got); text != want {
			t.Errorf("%q, not %q", text, want)
		}
	}
	eventually(t, "nothing is pinned", func() bool { return s.protocol.Stats().Pinned == 0 })

	conn.PauseRead() // and at once resumed, while a message is inflated
	release = occupyAside(t, s)
	conn.ResumeRead()
	fail(t, c.Write(codec.Text, []byte("third")))
	aside(t, s, 3)
	conn.PauseRead()
	conn.ResumeRead()
	release()
	if text := receive(t, got); text != "third" {
		t.Errorf("%q", text)
	}
	if n := len(got); n != 0 {
		t.Errorf("%d messages more", n)
	}
}

// TestPauseAsideFailure: what is wrong with a message is said when it would be delivered.
func TestPauseAsideFailure(t *testing.T) {
	s := asideServer(t, &handler{})
	c := upgraded(t, s, "Sec-WebSocket-Extensions: permessage-deflate")
	conn := receive(t, s.opened)
	release := occupyAside(t, s)
	send(t, c, wire(codec.Text, codec.Deflated, "\xff\xff\xff"))
	aside(t, s, 1)
	conn.PauseRead()
	release()
	round(t, conn)
	fail(t, conn.WriteText([]byte("not yet")))
	round(t, conn)
	conn.ResumeRead()
	if got := c.frames(t); got != "text:not yet close:1007" {
		t.Errorf("frames %s", got)
	}
}

// TestCloseAside: a message that is being inflated, or waits to be delivered, when the
// connection closes is not delivered; the peer's answer is heard and no memory kept.
func TestCloseAside(t *testing.T) {
	for _, paused := range []bool{false, true} {
		for name, end := range map[string]func(*testing.T, *websocket.Client, *websocket.Conn){
			"Close": func(t *testing.T, c *websocket.Client, conn *websocket.Conn) {
				fail(t, conn.Close(1000, ""))
			},
			"CloseNow": func(t *testing.T, _ *websocket.Client, conn *websocket.Conn) { fail(t, conn.CloseNow()) },
			"reset": func(t *testing.T, c *websocket.Client, _ *websocket.Conn) {
				fail(t, c.NetConn().(*net.TCPConn).SetLinger(0))
				fail(t, c.CloseNow())
			},
		} {
			for _, inflated := range []bool{false, true} {
				s := asideServer(t, &handler{message: func(_ *websocket.Conn, _ websocket.Kind, data []byte) {
					t.Errorf("%s, paused %v, inflated %v: delivered %q", name, paused, inflated, data)
				}})
				c, conn := pair(t, s, withContext())
				release := occupyAside(t, s)
				fail(t, c.Write(codec.Text, []byte("message")))
				aside(t, s, 1)
				if paused || inflated {
					conn.PauseRead()
				}
				if inflated {
					release()
					round(t, conn)
				}
				end(t, c, conn)
				if name == "Close" {
					round(t, conn)
					release()
					expectClose(t, c, 1000)
				}
				e := receive(t, s.ended)
				if want := map[bool]websocket.Code{true: 1000, false: websocket.AbnormalClosure}[name == "Close"]; e.code != want {
					t.Errorf("%s: %+v", name, e)
				}
				if n := s.protocol.Stats().Memory; !inflated && name != "Close" && n == 0 {
					t.Errorf("%s: memory is given back that is still used", name)
				}
				release()
				eventually(t, "no memory is kept", func() bool {
					st := s.protocol.Stats()
					return st.Pinned == 0 && st.Memory == 0
				})
			}
		}
	}
}

// TestShutdownAside: the answer to the close frame of a server that drains is waited for,
// also behind a message that was inflated meanwhile.
func TestShutdownAside(t *testing.T) {
	s := asideServer(t, &handler{})
	c, conn := pair(t, s, withContext())
	release := occupyAside(t, s)
	defer release()
	fail(t, c.Write(codec.Text, []byte("message")))
	aside(t, s, 1)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	m, err := c.ReadMessage()
	if err != nil || m.Kind != codec.Close || m.Code != websocket.GoingAway {
		t.Fatalf("%+v, %v", m, err)
	}
	release()
	round(t, conn)
	fail(t, c.Close(1001, ""))
	expectEnd(t, s, 1001, weir.ErrConnectionClosed)
	fail(t, receive(t, done))
}

// TestStopAside: what a message takes that is being inflated when its loop ends is given
// back.
func TestStopAside(t *testing.T) {
	s := asideServer(t, &handler{})
	c, _ := pair(t, s, withContext())
	release := occupyAside(t, s)
	fail(t, c.Write(codec.Text, []byte("message")))
	aside(t, s, 1)
	fail(t, s.Stop())
	receive(t, s.ended)
	if st := s.protocol.Stats(); st.Pinned == 0 || st.Memory == 0 {
		t.Errorf("%+v", st)
	}
	release()
	eventually(t, "no memory is kept", func() bool {
		st := s.protocol.Stats()
		return st.Pinned == 0 && st.Memory == 0
	})
}

// TestPinnedBehindMessage: a message that came in pieces takes no memory any more when
// OnMessage has returned, even if the next one is not asked for; one that waits to be
// inflated takes that of its bytes once.
func TestPinnedBehindMessage(t *testing.T) {
	paused := make(chan bool, 1)
	s := asideServer(t, &handler{message: func(c *websocket.Conn, _ websocket.Kind, _ []byte) { c.PauseRead(); paused <- true }})
	c, conn := pair(t, s, nil)
	fail(t, c.Write(codec.Binary, make([]byte, 300<<10)))
	receive(t, paused)
	round(t, conn)
	if n := s.protocol.Stats().Pinned; n != 0 {
		t.Errorf("%d bytes are pinned behind a message", n)
	}

	c, conn = pair(t, s, withContext())
	release := occupyAside(t, s)
	defer release()
	noise := make([]byte, 300<<10)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	fail(t, c.Write(codec.Binary, noise))
	aside(t, s, 1)
	round(t, conn)
	if n := s.protocol.Stats().Pinned; n < 300<<10 || n > 310<<10 {
		t.Errorf("%d bytes are pinned of a message of 300 KiB", n)
	}
	release()
	receive(t, paused)
	round(t, conn)
	if n := s.protocol.Stats().Pinned; n != 0 {
		t.Errorf("%d bytes are pinned behind a message that was inflated", n)
	}
}

// TestReadWhileInflating: the program can't make the connection be read, past Conn, while
// the next message has to wait.
func TestReadWhileInflating(t *testing.T) {
	s := asideServer(t, &handler{message: echo})
	c, conn := pair(t, s, withContext())
	release := occupyAside(t, s)
	fail(t, c.Write(codec.Text, []byte("first")))
	aside(t, s, 1)
	for range 3 {
		conn.Connection().ResumeRead()
		fail(t, c.Write(codec.Ping, []byte("ping")))
		round(t, conn)
	}
	reads := onLoop(t, conn, s.Stats).Reads
	for range 5 {
		fail(t, c.Write(codec.Ping, []byte("ping")))
		round(t, conn)
	}
	if n := onLoop(t, conn, s.Stats).Reads - reads; n > 1 {
		t.Errorf("read %d times", n)
	}
	release()
	expect(t, c, codec.Text, "first")
}

// TestWriteWhileEnding: other goroutines may write, and compress, while the connection
// ends; the race detector watches.
func TestWriteWhileEnding(t *testing.T) {
	s := start(t, &handler{}, websocket.Compression(codec.Deflate{Threshold: 1}))
	for range 20 {
		c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		var writing sync.WaitGroup
		begun := make(chan struct{}, 2)
		for range 2 {
			writing.Go(func() {
				for i := 0; ; i++ {
					if err := conn.WriteText([]byte("some text")); errors.Is(err, weir.ErrConnectionClosed) {
						break
					}
					if i == 3 {
						begun <- struct{}{}
					}
				}
			})
		}
		receive(t, begun)
		fail(t, c.CloseNow())
		receive(t, s.ended)
		writing.Wait()
	}
}

// TestEndWhileCompressing: the loop does not wait for a goroutine that compresses for a
// connection that ends.
func TestEndWhileCompressing(t *testing.T) {
	s := start(t, &handler{}, websocket.Compression(codec.Deflate{Level: 9}))
	page := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz, and so on and so forth; "), 250_000)
	for range 10 { // one is enough; a busy machine may be too slow to tell
		c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		written := make(chan error, 1)
		begun := make(chan struct{})
		go func() { close(begun); written <- conn.WriteText(page) }()
		receive(t, begun)
		onLoop(t, conn, func() int { return 0 }) // for the time that it takes
		fail(t, c.CloseNow())
		expectEnd(t, s, websocket.AbnormalClosure, io.EOF)
		ended := len(written) == 0
		if err := receive(t, written); ended && errors.Is(err, weir.ErrConnectionClosed) {
			return
		}
	}
	t.Error("the end came only when all was compressed")
}

// TestEndBehindAside: a message that was inflated aside holds the connection for no
// longer than that: the end of the peer's stream is its end.
func TestEndBehindAside(t *testing.T) {
	s := asideServer(t, &handler{message: echo})
	c, _ := pair(t, s, withContext())
	fail(t, c.Write(codec.Text, []byte("message")))
	expect(t, c, codec.Text, "message")
	fail(t, c.CloseNow())
	expectEnd(t, s, websocket.AbnormalClosure, io.EOF)
}
