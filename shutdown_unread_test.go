package weir_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/internal/sock"
)

// acknowledged waits until the other side's system has received all that was sent.
func acknowledged(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was sent is acknowledged", func() bool {
		n := 0
		if err := raw.Control(func(fd uintptr) { n = sock.System().Unacked(int(fd)) }); err != nil {
			t.Fatal(err)
		}
		return n <= 0 // less where the system can't say
	})
}

// TestShutdownReadsOn: a request that the server's system has acknowledged before
// Shutdown is answered, though its loop had other things to do than to read it.
func TestShutdownReadsOn(t *testing.T) {
	for _, tt := range []struct {
		name     string
		requests int
		paused   bool // reading is, when Shutdown comes
		opts     []weir.Option
	}{
		{"one request", 1, false, nil},
		{"many reads", 64 << 10, false, []weir.Option{weir.SocketReadBuffer(2 << 20)}},
		{"back-pressure", 64 << 10, false, []weir.Option{
			weir.SocketReadBuffer(2 << 20), weir.WriteBufferMarks(0, 1), weir.SocketWriteBuffer(16 << 10),
		}},
		{"paused", 1000, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) { testShutdownReadsOn(t, tt.requests, tt.paused, tt.opts) })
	}
}

func testShutdownReadsOn(t *testing.T, requests int, paused bool, opts []weir.Option) {
	occupied, free := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	p := startPair(t, &handler{message: func(_ *weir.Connection, _ any, d []byte) any {
		if string(d) == "busy" {
			close(occupied)
			<-free
		}
		return d
	}}, append(opts, weir.CustomProtocol(framed{}), weir.NumLoops(2), weir.LoadBalance(places(0, 0, 1)))...)
	defer release()
	send(t, p.peer, request) // its client is an established one
	expect(t, p.peer, request)
	if paused {
		p.conn.PauseRead()
		onLoop(t, p.conn, func() bool { return true })
	}
	busy, other := dial(t, p.server), dial(t, p.server)
	receive(t, p.begun)
	receive(t, p.begun)
	send(t, busy, frame("busy"))
	receive(t, occupied)
	send(t, p.peer, strings.Repeat(request, requests))
	acknowledged(t, p.peer)
	done := make(chan error, 1)
	go func() { done <- p.server.Shutdown(context.Background()) }()
	expectEnd(t, other) // its loop is told after the one that is busy
	release()
	if paused {
		expect(t, busy, frame("busy"))
		expectEnd(t, busy)
		p.conn.ResumeRead()
	}
	got, err := io.ReadAll(p.peer)
	if want := strings.Repeat(request, requests); string(got) != want || err != nil {
		t.Errorf("the client got %d bytes, %v; want %d", len(got), err, len(want))
	}
	if err := receive(t, done); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
}

// places puts the connections on these loops, in turn.
func places(loops ...int) func([]*eventloop.EventLoop) *eventloop.EventLoop {
	n := 0
	return func(l []*eventloop.EventLoop) *eventloop.EventLoop {
		n++
		return l[loops[(n-1)%len(loops)]]
	}
}

// TestShutdownStalledPeer: a peer that reads nothing, with requests that wait for that,
// holds Shutdown up for no longer than the linger time.
func TestShutdownStalledPeer(t *testing.T) {
	for _, linger := range []time.Duration{0, 100 * time.Millisecond} {
		p := startPair(t, &handler{message: echo}, quiet(), weir.Linger(linger))
		stallPeer(t, p.conn)
		eventually(t, "reading pauses", func() bool { return p.server.Stats().Paused == 1 })
		send(t, p.peer, "a request")
		acknowledged(t, p.peer)
		time.Sleep(2 * linger) // which is not the time that the peer has from Shutdown on
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		defer cancel()
		if err := p.server.Shutdown(ctx); err != nil {
			t.Errorf("Linger(%v): %v", linger, err)
		}
		if d := time.Since(begin); d < linger {
			t.Errorf("Linger(%v): ended after %v", linger, d)
		}
		var unsent *weir.UnsentError
		if c := receive(t, p.ended); !errors.As(c.Err(), &unsent) || !errors.Is(c.Err(), weir.ErrServerStopped) {
			t.Errorf("ended with %v", c.Err())
		}
	}
}
