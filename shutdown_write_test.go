package weir_test

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestShutdownWrite: the peer reads the end of the stream after all that was
// accepted, and goes on sending; nothing more is accepted.
func TestShutdownWrite(t *testing.T) {
	got := make(chan string, 4)
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		got <- string(data)
		return data // which is not sent any more
	}}, weir.WriteBufferMarks(1<<20, 16<<20), weir.WriteBufferLimit(32<<20))
	large := pattern(8 << 20)
	if err := errors.Join(p.conn.Send(large), p.conn.Send("last"), p.conn.ShutdownWrite()); err != nil {
		t.Fatal(err)
	}
	if p.conn.Connected() {
		t.Error("Connected after ShutdownWrite")
	}
	if err := p.conn.Send("more"); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("Send: %v", err)
	}
	if err := p.conn.ShutdownWrite(); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("the second ShutdownWrite: %v", err)
	}
	refused := make(chan error, 2)
	if err := p.conn.Execute(func() {
		_, err := p.conn.Write([]byte("more"))
		refused <- err
		refused <- p.conn.WritePacket("more")
	}); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := receive(t, refused); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Write or WritePacket: %v", err)
		}
	}
	expect(t, p.peer, string(large)+"last")
	expectEnd(t, p.peer)

	for _, message := range []string{"one", "two"} {
		send(t, p.peer, message)
		if m := receive(t, got); m != message {
			t.Errorf("OnMessage got %q, want %q", m, message)
		}
	}
	expectIdle(t, p.server)
	if err := p.peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.expectErr(t, io.EOF)
}

// TestShutdownWriteAgainstSends: what Send accepts while another goroutine
// calls ShutdownWrite is sent before the stream ends.
func TestShutdownWriteAgainstSends(t *testing.T) {
	h := &handler{}
	begun, ended := observe(h)
	s := start(t, h, weir.NumLoops(2))
	for range 150 {
		peer := dial(t, s)
		c := receive(t, begun)
		accepted := make(chan int, 1)
		first := make(chan struct{})
		go func() {
			n := 0
			for c.Send("x") == nil {
				if n++; n == 1 {
					close(first)
				}
			}
			accepted <- n
		}()
		receive(t, first)
		if err := c.ShutdownWrite(); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(peer)
		if n := receive(t, accepted); err != nil || len(all) != n {
			t.Fatalf("%d Sends were accepted, %d arrived, %v; the connection: %v", n, len(all), err, c.Err())
		}
		_ = peer.Close() // all was read
		if receive(t, ended) != c || !errors.Is(c.Err(), io.EOF) {
			t.Fatalf("Err is %v", c.Err())
		}
	}
}

// TestBothEndsShut: a connection of which both sides have ended their stream
// while reading is paused is reported by the poller for ever. It must cost
// nothing until it is looked at.
func TestBothEndsShut(t *testing.T) {
	for _, tt := range []struct {
		name   string
		unread string
		end    func(p *pair)
		want   error
	}{
		{"resumed", "", func(p *pair) { p.conn.ResumeRead() }, io.EOF},
		{"resumed with input", "hello", func(p *pair) { p.conn.ResumeRead() }, io.EOF},
		{"closed", "hello", func(p *pair) { _ = p.conn.Close() }, weir.ErrConnectionClosed},
		{"idle", "hello", func(p *pair) {
			_ = p.conn.Execute(func() { p.conn.SetIdleTime(time.Millisecond) })
		}, weir.ErrIdleTimeout},
		{"server stopped", "hello", func(p *pair) { _ = p.server.Stop() }, weir.ErrServerStopped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var got string
			p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
				mu.Lock()
				defer mu.Unlock()
				got += string(data)
				return nil
			}})
			p.conn.PauseRead()
			if err := p.conn.ShutdownWrite(); err != nil {
				t.Fatal(err)
			}
			expectEnd(t, p.peer)
			send(t, p.peer, tt.unread)
			if err := p.peer.Close(); err != nil {
				t.Fatal(err)
			}
			if tt.name == "resumed" { // the others wait in the same way
				expectIdle(t, p.server)
			}
			if err := p.conn.Err(); err != nil {
				t.Fatalf("the connection has ended while it is paused: %v", err)
			}
			tt.end(p)
			p.expectErr(t, tt.want)
			mu.Lock()
			defer mu.Unlock()
			if want := map[bool]string{true: tt.unread}[errors.Is(tt.want, io.EOF)]; got != want {
				t.Errorf("OnMessage got %q, want %q", got, want)
			}
		})
	}
}
