package weir_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/go-weir/weir"
)

// halfCloser is a handler that also hears of the end of a peer's stream.
type halfCloser struct {
	handler
	half func(*weir.Connection)
}

func (h *halfCloser) OnHalfClose(c *weir.Connection) { h.half(c) }

// holding starts a server whose connections are held by the first message, and a
// connection that is. half gets each OnHalfClose.
func holding(t *testing.T) (p *pair, half <-chan *weir.Connection) {
	t.Helper()
	halves, held := make(chan *weir.Connection, 10), make(chan struct{}, 1)
	h := &halfCloser{half: func(c *weir.Connection) { halves <- c }}
	h.message = func(c *weir.Connection, _ any, data []byte) any {
		if string(data) == "hold" {
			c.Hold(true)
			held <- struct{}{}
			return nil
		}
		return data
	}
	p = new(pair)
	p.begun, p.ended = observe(&h.handler)
	p.server = start(t, h)
	p.peer = dial(t, p.server)
	p.conn = receive(t, p.begun)
	send(t, p.peer, "hold")
	receive(t, held)
	return p, halves
}

// letGo ends the hold.
func letGo(t *testing.T, c *weir.Connection) {
	t.Helper()
	if err := c.Execute(func() { c.Hold(false) }); err != nil {
		t.Fatal(err)
	}
}

// TestHoldEnd: what is held outlives the end of the peer's stream, and is sent what
// is made meanwhile, without the loop being busy with it.
func TestHoldEnd(t *testing.T) {
	p, half := holding(t)
	if err := p.peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if c := receive(t, half); c != p.conn {
		t.Errorf("OnHalfClose of %v, want %v", c.ID(), p.conn.ID())
	}
	expectIdle(t, p.server)
	if err := p.conn.Send("late"); err != nil {
		t.Fatal(err)
	}
	expect(t, p.peer, "late")
	letGo(t, p.conn)
	expectEnd(t, p.peer)
	p.expectErr(t, io.EOF)
	if len(half) > 0 {
		t.Error("OnHalfClose was called twice")
	}
}

// TestHoldShutdown: neither does Shutdown end it, and it is still read.
func TestHoldShutdown(t *testing.T) {
	p, _ := holding(t)
	idle := dial(t, p.server)
	receive(t, p.begun)
	done := make(chan error, 1)
	go func() { done <- p.server.Shutdown(context.Background()) }()
	expectEnd(t, idle) // it is closed: the server drains
	send(t, p.peer, "more")
	expect(t, p.peer, "more")
	letGo(t, p.conn)
	expectEnd(t, p.peer)
	receive(t, p.ended) // the other one
	p.expectErr(t, weir.ErrServerStopped)
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

// TestHoldReset: a peer that resets the connection ends it all the same, also when
// it has ended its stream before.
func TestHoldReset(t *testing.T) {
	for _, first := range []bool{false, true} {
		p, half := holding(t)
		if first {
			if err := p.peer.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			receive(t, half)
		}
		if err := errors.Join(p.peer.SetLinger(0), p.peer.Close()); err != nil {
			t.Fatal(err)
		}
		if c := receive(t, p.ended); c != p.conn || !wasReset(c.Err()) {
			t.Errorf("%v has ended with %v; want %v with a reset", c.ID(), c.Err(), p.conn.ID())
		}
	}
}

// TestOnHalfClose: without Hold the end of the peer's stream is the end, and who
// wants to know is told; Hold(false) without Hold(true) changes nothing.
func TestOnHalfClose(t *testing.T) {
	halves := make(chan error, 10)
	h := &halfCloser{half: func(c *weir.Connection) {
		c.Hold(false)
		_, err := c.Write([]byte("goodbye"))
		halves <- err
	}}
	p := new(pair)
	p.begun, p.ended = observe(&h.handler)
	p.server = start(t, h)
	p.peer = dial(t, p.server)
	p.conn = receive(t, p.begun)
	if err := p.peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, halves); err != nil {
		t.Error(err)
	}
	expect(t, p.peer, "goodbye")
	expectEnd(t, p.peer)
	p.expectErr(t, io.EOF)
}

// TestOnHalfClosePanic: a panic there ends the connection, and the server goes on.
func TestOnHalfClosePanic(t *testing.T) {
	h := &halfCloser{half: func(c *weir.Connection) { c.Hold(true); panic("half") }}
	h.message = echo
	p := new(pair)
	p.begun, p.ended = observe(&h.handler)
	p.server = start(t, h, quiet())
	p.peer = dial(t, p.server)
	p.conn = receive(t, p.begun)
	if err := p.peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var panicked *weir.PanicError
	if c := receive(t, p.ended); !errors.As(c.Err(), &panicked) || panicked.Callback != "OnHalfClose" {
		t.Errorf("the cause is %v", c.Err())
	}
	other := dial(t, p.server)
	send(t, other, "x")
	expect(t, other, "x")
}

// goodbye is a handler that is told of Shutdown.
type goodbye struct {
	handler
	shutdown func(*weir.Connection)
}

func (g *goodbye) OnShutdown(c *weir.Connection) { g.shutdown(c) }

// TestOnShutdown: what it writes is sent, and a connection that it holds is read until
// it lets go.
func TestOnShutdown(t *testing.T) {
	g := &goodbye{shutdown: func(c *weir.Connection) {
		if _, err := c.Write([]byte("bye")); err != nil {
			t.Error(err)
		}
		c.Hold(true)
	}}
	g.message = func(c *weir.Connection, _ any, data []byte) any {
		if string(data) == "bye" {
			c.Hold(false)
		}
		return data
	}
	begun, ended := observe(&g.handler)
	s := start(t, g)
	peer := dial(t, s)
	c := receive(t, begun)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	expect(t, peer, "bye")
	send(t, peer, "wait")
	expect(t, peer, "wait")
	send(t, peer, "bye")
	expect(t, peer, "bye")
	expectEnd(t, peer)
	if receive(t, ended) != c {
		t.Error("another connection has ended")
	}
	fail(t, receive(t, done))
	expectNothingLost(t, c)
}
