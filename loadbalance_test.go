package weir_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/eventloop"
	engine "github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// loopOf is the index of the connection's loop.
func loopOf(c *weir.Connection) int { return c.Loop().Index() }

// perLoop is the number of connections that each of the serving loops has.
func perLoop(s *weir.Server) []int {
	counts := make([]int, s.Options().NumLoops)
	for c := range s.Connections() {
		counts[loopOf(c)]++
	}
	return counts
}

// crowdOf connects count clients at once, and waits until all are served.
func crowdOf(t *testing.T, s *weir.Server, count int) []*net.TCPConn {
	t.Helper()
	clients := make([]*net.TCPConn, count)
	before := s.Stats().Opened
	var dialing sync.WaitGroup
	for i := range clients {
		dialing.Go(func() {
			c, err := net.Dial("tcp", s.Addrs()[0].String())
			if err != nil {
				t.Error(err)
				return
			}
			clients[i] = c.(*net.TCPConn)
		})
	}
	dialing.Wait()
	for _, c := range clients {
		if c == nil {
			t.FailNow()
		}
		t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	}
	eventually(t, "all are served", func() bool { return s.Stats().Opened == before+uint64(count) })
	return clients
}

func TestRoundRobin(t *testing.T) {
	connected := make(chan int, 1)
	s := start(t, &handler{connect: func(c *weir.Connection) { connected <- loopOf(c) }}, weir.NumLoops(3))
	for i := range 9 {
		dial(t, s)
		if got := receive(t, connected); got != i%3 {
			t.Errorf("connection %d is on loop %d", i, got)
		}
	}
}

// TestLeastConnection: a burst is spread evenly, and what has gone is made up
// for first.
func TestLeastConnection(t *testing.T) {
	s := start(t, &handler{}, weir.NumLoops(4), weir.LoadBalance(weir.LeastConnection()))
	for _, total := range []int{150, 300, 301} {
		crowdOf(t, s, total-int(s.Stats().Open))
		counts := perLoop(s)
		if slices.Max(counts)-slices.Min(counts) > 1 {
			t.Errorf("%d connections are spread as %v", total, counts)
		}
	}
	before := perLoop(s)
	gone := 0
	for c := range s.Connections() {
		if loopOf(c) == 2 && gone < 50 {
			gone++
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	eventually(t, "they have gone", func() bool { return perLoop(s)[2] == before[2]-gone })
	crowdOf(t, s, gone)
	counts := perLoop(s)
	if slices.Max(counts)-slices.Min(counts) > 1 || counts[2] < before[2]-1 {
		t.Errorf("after %d went from loop 2, and others came: %v", gone, counts)
	}
}

func TestRandom(t *testing.T) {
	s := start(t, &handler{}, weir.NumLoops(3), weir.LoadBalance(weir.Random()))
	crowdOf(t, s, 90) // that one loop gets none happens once in 10^15 runs
	if counts := perLoop(s); slices.Min(counts) == 0 {
		t.Errorf("connections are spread as %v", counts)
	}
}

// TestSourceAddrHash: all from one address are on one loop, whatever the port.
func TestSourceAddrHash(t *testing.T) {
	s := start(t, &handler{message: echo}, weir.NumLoops(3), weir.Address("0.0.0.0:0"), weir.LoadBalance(weir.SourceAddrHash()))
	to := fmt.Sprintf("127.0.0.1:%d", s.Addrs()[0].(*net.TCPAddr).Port)
	for i := range 40 {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i))}
		for range 3 {
			c, err := (&net.Dialer{LocalAddr: from, Timeout: patience}).Dial("tcp", to)
			if err != nil {
				t.Skip("this machine has one loopback address only:", err)
			}
			t.Cleanup(func() { _ = c.Close() }) // nothing to be lost
			send(t, c, "hello")
			expect(t, c, "hello")
		}
	}
	at := make(map[netip.Addr]int)
	used := make(map[int]bool)
	for c := range s.Connections() {
		ip := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		if l, ok := at[ip]; ok && l != loopOf(c) {
			t.Errorf("%v is on loops %d and %d", ip, l, loopOf(c))
		}
		at[ip] = loopOf(c)
		used[loopOf(c)] = true
	}
	if len(at) != 40 || len(used) < 2 {
		t.Errorf("%d addresses on %d loops", len(at), len(used))
	}
}

// TestOwnStrategy: a function of the user's own, of either kind, with its name
// or without, that does with its arguments what it likes.
func TestOwnStrategy(t *testing.T) {
	last := func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
		slices.Reverse(loops) // the next call sees them so; the server doesn't mind
		i := slices.IndexFunc(loops, func(l *eventloop.EventLoop) bool { return l.Index() == 2 })
		return loops[i]
	}
	var asked atomic.Value // of string
	lastFor := func(loops []*eventloop.EventLoop, peer netip.AddrPort) *eventloop.EventLoop {
		asked.Store(peer.String())
		return last(loops)
	}
	for name, o := range map[string]weir.Option{
		"literal":           weir.LoadBalance(last),
		"named":             weir.LoadBalance(weir.LoadBalanceStrategy(last)),
		"literal, for peer": weir.LoadBalance(lastFor),
		"named, for peer":   weir.LoadBalance(weir.AddrStrategy(lastFor)),
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store("")
			connected := make(chan *weir.Connection, 1)
			s := start(t, &handler{connect: func(c *weir.Connection) { connected <- c }}, weir.NumLoops(3), o)
			for range 5 {
				dial(t, s)
				c := receive(t, connected)
				if loopOf(c) != 2 {
					t.Errorf("a connection is on loop %d", loopOf(c))
				}
				if peer := asked.Load(); peer != "" && peer != c.PeerAddr() {
					t.Errorf("asked for %v, the peer is %s", peer, c.PeerAddr())
				}
			}
		})
	}
}

// TestBadStrategy: whatever a strategy returns, the connections that it is not
// good for are refused, and nothing else happens.
func TestBadStrategy(t *testing.T) {
	p, err := poller.New()
	if err != nil {
		t.Fatal(err)
	}
	foreign := engine.New(1, p)
	defer func() { _ = foreign.Close() }() // nothing runs on it
	far := engine.New(1000, p)             // closed with the other
	for name, bad := range map[string]weir.LoadBalanceStrategy{
		"nil":     func([]*eventloop.EventLoop) *eventloop.EventLoop { return nil },
		"foreign": func([]*eventloop.EventLoop) *eventloop.EventLoop { return eventloop.Of(foreign) },
		"far":     func([]*eventloop.EventLoop) *eventloop.EventLoop { return eventloop.Of(far) },
		"panic":   func([]*eventloop.EventLoop) *eventloop.EventLoop { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			var log countingHandler
			var good atomic.Bool
			s := start(t, &handler{
				connect: func(c *weir.Connection) {
					if !good.Load() {
						t.Errorf("OnConnect for %v", c.PeerAddr())
					}
				},
				message: echo,
			}, weir.NumLoops(2), weir.Logger(slog.New(&log)),
				weir.LoadBalance(func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
					if good.Load() {
						return loops[1]
					}
					return bad(loops)
				}))
			const refused = 3
			for range refused {
				expectEnd(t, dial(t, s))
			}
			if n := log.records.Load(); n == 0 {
				t.Error("nothing was logged")
			}
			good.Store(true)
			c := dial(t, s)
			send(t, c, "hello")
			expect(t, c, "hello")
			eventually(t, "all is counted", func() bool {
				st := s.Stats()
				return st.Refused.Other == refused && st.Opened == 1 && addsUp(&st)
			})
		})
	}
}

// TestMaxConnections: those over the limit are closed and counted, the limit
// is never exceeded, and what becomes free is used again.
func TestMaxConnections(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("reuseport=%v", reuse), func(t *testing.T) {
			const limit, rush = 10, 100
			var now, most atomic.Int64
			s := start(t, &handler{
				connect: func(*weir.Connection) { raise(&most, now.Add(1)) },
				message: echo,
				close:   func(*weir.Connection) { now.Add(-1) },
			}, weir.NumLoops(3), weir.ListenerPerLoop(reuse), weir.MaxConnections(limit))
			clients := make(chan net.Conn, rush)
			for range rush {
				go func() {
					c, ok := tryEcho(t, s.Addrs()[0].String())
					if !ok {
						c = nil
					}
					clients <- c
				}()
			}
			var served []net.Conn
			for range rush {
				if c := receive(t, clients); c != nil {
					served = append(served, c)
				}
			}
			if len(served) != limit {
				t.Errorf("%d clients are served, the limit is %d", len(served), limit)
			}
			eventually(t, "all is counted", func() bool {
				st := s.Stats()
				return st.Refused.MaxConnections == rush-limit && st.Open == limit && addsUp(&st)
			})
			for i := range 3 {
				if err := served[i].Close(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it has gone", func() bool { return s.Stats().Open == limit-1 })
				c := dial(t, s)
				send(t, c, "hello")
				expect(t, c, "hello")
				expectRefused(t, dial(t, s))
			}
			for _, c := range served[3:] {
				send(t, c, "still here")
				expect(t, c, "still here")
			}
			if most.Load() > limit {
				t.Errorf("%d connections were open at one time", most.Load())
			}
		})
	}
}

// expectRefused waits for the server to close a connection that it doesn't
// serve.
func expectRefused(t *testing.T, c *net.TCPConn) {
	t.Helper()
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("a client over the limit reads %v", err)
	}
}

// TestReusePort: the strategy still chooses the loop, as in gev, and another server can
// listen on the same port.
func TestReusePort(t *testing.T) {
	const loops, each = 4, 10
	h := &handler{}
	begun, _ := observe(h)
	s := start(t, h, weir.NumLoops(loops), weir.ReusePort(true), weir.LoadBalance(weir.RoundRobin()))
	for range loops * each {
		dial(t, s)
		receive(t, begun)
	}
	for _, l := range s.Stats().Loops[:loops] {
		if l.Connections != each {
			t.Errorf("loop %d has %d connections, RoundRobin gives %d", l.Loop, l.Connections, each)
		}
	}
	other := newServer(t, &handler{message: echo}, weir.Address(s.Addrs()[0].String()), weir.ReusePort(true))
	serve(t, other)
	if _, err := weir.NewServer(h, weir.Address(s.Addrs()[0].String())); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a server without ReusePort on the same port: %v", err)
	}
}
