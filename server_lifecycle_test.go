package weir_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/eventloop"
	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/metrics"
)

// isFree fails the test if s still has its addresses.
func isFree(t *testing.T, s *weir.Server) {
	t.Helper()
	for _, addr := range s.Addrs() {
		ln, err := net.Listen(addr.Network(), addr.String())
		if err != nil {
			t.Errorf("not free: %v", err)
			continue
		}
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
	}
}

// begin runs s, and returns, when it serves, where the result of Start will be. The test
// has to stop it.
func begin(s *weir.Server) <-chan error {
	ended := beginSoon(s)
	for s.Stats().State == metrics.Bound { // Start leaves that at once, or has failed
		time.Sleep(100 * time.Microsecond)
	}
	return ended
}

// beginSoon is begin for what may come before Start has.
func beginSoon(s *weir.Server) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	return ended
}

func TestStopBeforeStart(t *testing.T) {
	for _, tt := range []struct {
		name string
		stop func(*weir.Server) error
	}{
		{"Stop", func(s *weir.Server) error { return s.Stop() }},
		{"Shutdown", func(s *weir.Server) error { return s.Shutdown(t.Context()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := leaktest.Descriptors()
			s := newServer(t, &handler{}, weir.NumLoops(2))
			waiting := dial(t, s)
			for range 2 {
				if err := tt.stop(s); err != nil {
					t.Error(err)
				}
			}
			if err := s.Start(); !errors.Is(err, weir.ErrServerStopped) {
				t.Errorf("Start returns %v", err)
			}
			if _, err := waiting.Read(make([]byte, 1)); err == nil {
				t.Error("a connection that was waiting got an answer")
			}
			if err := waiting.Close(); err != nil {
				t.Error(err)
			}
			isFree(t, s)
			if after := leaktest.Descriptors(); after > before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

func TestStartTwice(t *testing.T) {
	connected := make(chan *weir.Connection, 1)
	s := newServer(t, &handler{connect: func(c *weir.Connection) { connected <- c }})
	ended := begin(s)
	dial(t, s)
	receive(t, connected)
	if err := s.Start(); !errors.Is(err, weir.ErrServerStarted) {
		t.Errorf("the second Start returns %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("the first Start returns %v", err)
	}
	if err := s.Start(); !errors.Is(err, weir.ErrServerStopped) {
		t.Errorf("Start after Stop returns %v", err)
	}
}

// TestStartAgainstStop: whichever comes first, all is over when both have
// returned.
func TestStartAgainstStop(t *testing.T) {
	before := leaktest.Descriptors()
	for i := range 60 {
		var connected, closed atomic.Int64
		s := newServer(t, &handler{
			connect: func(*weir.Connection) { connected.Add(1) },
			close:   func(*weir.Connection) { closed.Add(1) },
		}, weir.NumLoops(1+i%3))
		waiting, err := net.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		ended := beginSoon(s)
		stop := s.Stop
		if i%2 == 1 {
			stop = func() error { return s.Shutdown(context.Background()) }
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := receive(t, ended); err != nil && !errors.Is(err, weir.ErrServerStopped) {
			t.Errorf("Start returns %v", err)
		}
		if connected.Load() != closed.Load() {
			t.Errorf("%d OnConnects, %d OnCloses", connected.Load(), closed.Load())
		}
		isFree(t, s)
		if err := waiting.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := leaktest.Descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestStopTogether: whoever calls Stop, it returns when all is over.
func TestStopTogether(t *testing.T) {
	for _, loops := range []int{1, 3} {
		for _, reuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("loops=%d,reuseport=%v", loops, reuse), func(t *testing.T) {
				const count = 50
				before := leaktest.Descriptors()
				var connected, closed atomic.Int64
				s := newServer(t, &handler{
					connect: func(*weir.Connection) { connected.Add(1) },
					message: echo,
					close: func(c *weir.Connection) {
						if !errors.Is(c.Err(), weir.ErrServerStopped) || c.Connected() {
							t.Errorf("ended with %v, connected: %v", c.Err(), c.Connected())
						}
						closed.Add(1)
					},
				}, weir.NumLoops(loops), weir.ListenerPerLoop(reuse))
				ended := begin(s)
				clients := make([]net.Conn, count)
				for i := range clients {
					clients[i] = dial(t, s)
				}
				for _, c := range clients[:count/2] { // the others may not have been accepted yet
					send(t, c, "hello")
					expect(t, c, "hello")
				}
				var stopping sync.WaitGroup
				for range 8 {
					stopping.Go(func() {
						if err := s.Stop(); err != nil {
							t.Error(err)
						}
						if closed.Load() != connected.Load() || closed.Load() < count/2 {
							t.Errorf("%d of %d OnConnects have their OnClose when Stop returns", closed.Load(), connected.Load())
						}
					})
				}
				stopping.Wait()
				if err := receive(t, ended); err != nil {
					t.Errorf("Start returns %v", err)
				}
				st := s.Stats()
				if st.Open != 0 || !addsUp(&st) || st.Opened != uint64(connected.Load()) || st.Closed.Stopped != st.Opened {
					t.Errorf("%d connected, counts are %+v", connected.Load(), st)
				}
				for c := range s.Connections() {
					t.Errorf("%v is still there", c.ID())
				}
				for _, c := range clients {
					if _, err := c.Read(make([]byte, 1)); err == nil {
						t.Error("a client got an answer from a stopped server")
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				}
				isFree(t, s)
				if after := leaktest.Descriptors(); after > before {
					t.Errorf("%d descriptors before, %d after", before, after)
				}
			})
		}
	}
}

// callers calls a function from each place where the library calls the user's.
type callers struct {
	handler
	weir.DefaultProtocol
	place string
	f     func()
	once  sync.Once
}

func (c *callers) at(place string) {
	if place == c.place {
		c.once.Do(c.f)
	}
}

func (c *callers) OnConnect(conn *weir.Connection) {
	c.at("OnConnect")
	_ = conn.Execute(func() { c.at("Execute") }) // fails if the connection has ended
	conn.RunAfter(0, func() { c.at("Connection.RunAfter") })
	c.handler.OnConnect(conn)
}

func (c *callers) OnMessage(conn *weir.Connection, ctx any, data []byte) any {
	c.at("OnMessage")
	_ = conn.Send(string(data), weir.SendInLoop(func(any) { c.at("SendInLoop") })) // as above
	return nil
}

func (c *callers) OnClose(conn *weir.Connection) {
	c.at("OnClose")
	c.handler.OnClose(conn)
}

func (c *callers) Packet(conn *weir.Connection, data any) []byte {
	c.at("Packet")
	return c.DefaultProtocol.Packet(conn, data)
}

func (c *callers) balance(loops []*eventloop.EventLoop) *eventloop.EventLoop {
	c.at("LoadBalance")
	return loops[0]
}

// TestStopFromAnywhere: Stop and Shutdown can be called from every function of
// the user's.
func TestStopFromAnywhere(t *testing.T) {
	for _, place := range []string{
		"OnConnect", "OnMessage", "OnClose", "Packet", "Execute", "SendInLoop",
		"Connection.RunAfter", "LoadBalance", "RunAfter", "RunEvery",
	} {
		for name, stop := range map[string]func(*weir.Server) error{
			"Stop":     (*weir.Server).Stop,
			"Shutdown": func(s *weir.Server) error { return s.Shutdown(context.Background()) },
		} {
			t.Run(name+"/"+place, func(t *testing.T) {
				var connected, closed atomic.Int64
				called := make(chan error, 1)
				h := &callers{place: place}
				h.connect = func(*weir.Connection) { connected.Add(1) }
				h.close = func(*weir.Connection) { closed.Add(1) }
				s := newServer(t, h, weir.NumLoops(2), weir.CustomProtocol(h), weir.LoadBalance(h.balance))
				h.f = func() { called <- stop(s) }
				for range 3 { // they wait until it starts
					c := dial(t, s)
					send(t, c, "hello")
					if place == "OnClose" {
						if err := c.CloseWrite(); err != nil {
							t.Fatal(err)
						}
					}
				}
				ended := begin(s)
				s.RunAfter(time.Millisecond, func() { h.at("RunAfter") })
				s.RunEvery(time.Millisecond, func() { h.at("RunEvery") })
				if err := receive(t, called); err != nil {
					t.Errorf("%s returns %v", name, err)
				}
				if err := receive(t, ended); err != nil {
					t.Errorf("Start returns %v", err)
				}
				if connected.Load() != closed.Load() {
					t.Errorf("%d OnConnects, %d OnCloses", connected.Load(), closed.Load())
				}
				isFree(t, s)
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestStopWaits: Stop returns when the callback that is running has.
func TestStopWaits(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	left := false // no lock: Stop orders the accesses, or the race detector says so
	otherClosed := make(chan struct{})
	var blocked net.Conn
	s := newServer(t, &handler{
		message: func(*weir.Connection, any, []byte) any {
			close(entered)
			<-release
			left = true
			return nil
		},
		close: func(c *weir.Connection) {
			if c.PeerAddr() != blocked.LocalAddr().String() {
				close(otherClosed)
			}
		},
	}, weir.NumLoops(2))
	blocked = dial(t, s)
	dial(t, s)
	ended := begin(s)
	eventually(t, "both are open", func() bool { return s.Stats().Opened == 2 })
	send(t, blocked, "x")
	receive(t, entered)
	stopped := make(chan error, 1)
	go func() {
		err := s.Stop()
		if !left {
			t.Error("Stop has returned before the callback")
		}
		stopped <- err
	}()
	receive(t, otherClosed) // the other loop has ended by now
	close(release)
	if err := receive(t, stopped); err != nil {
		t.Error(err)
	}
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
}
