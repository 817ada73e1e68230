package weir_test

import (
	"encoding/json"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// stoppedIdleTime is that of stoppedChild's server: time for whoever answers it at once,
// and less than it is stopped for.
const stoppedIdleTime = time.Second

// stoppedChild is an echo server that will be stopped for a while. It says where it is,
// and at the end how many of its connections are left and how it got at their input.
func stoppedChild(command *json.Decoder, answer *json.Encoder) error {
	s, err := weir.NewServer(&handler{message: echo}, weir.Address("127.0.0.1:0"), weir.NumLoops(2),
		weir.IdleTime(stoppedIdleTime), quiet())
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	if err := answer.Encode(s.Addrs()[0].String()); err != nil {
		return err
	}
	_ = command.Decode(new(int)) // the parent has closed it
	if err := s.Stop(); err != nil {
		return err
	}
	return <-ended
}

// TestStoppedProcess: a process that was stopped, by SIGSTOP, a debugger or a suspended
// machine, finds input of those who went on talking to it, and does not call them idle.
func TestStoppedProcess(t *testing.T) {
	const crowd = 40
	server := startChild(t, "stopped")
	var addr string
	server.hear(&addr)
	var peers []*net.TCPConn
	for range crowd {
		c := dialTo(t, addr)
		send(t, c, "before")
		expect(t, c, "before")
		peers = append(peers, c)
	}
	signal := func(s syscall.Signal) {
		if err := server.process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	defer signal(syscall.SIGCONT)                     // so that it can end, whatever happens
	<-time.After(stoppedIdleTime + stoppedIdleTime/2) // the time that it misses
	for _, c := range peers {
		send(t, c, "after")
	}
	signal(syscall.SIGCONT)
	for i, c := range peers {
		got := make([]byte, 5)
		if n, err := c.Read(got); err != nil {
			t.Fatalf("connection %d: %d bytes, %v", i, n, err)
		}
	}
}

// TestMutualWrites: two connections that write to each other whenever they can leave the
// loop time for everything else.
func TestMutualWrites(t *testing.T) {
	for _, how := range []string{"OnWritable", "Execute", "SendInLoop"} {
		t.Run(how, func(t *testing.T) {
			var a, b *weir.Connection
			var over atomic.Bool
			turns := 0 // loop only
			other := func(c *weir.Connection) *weir.Connection {
				if c == a {
					return b
				}
				return a
			}
			var again func(c *weir.Connection)
			h := &handler{message: echo, writable: func(c *weir.Connection) { again(c) }}
			again = func(c *weir.Connection) {
				if turns++; over.Load() || other(c) == nil {
					return
				}
				switch how {
				case "OnWritable":
					_, _ = other(c).Write(pattern(100)) // an error would show as silence
				case "Execute":
					_ = other(c).Execute(func() { again(other(c)) })
				case "SendInLoop":
					_ = other(c).Send(pattern(100), weir.SendInLoop(func(any) { again(other(c)) }))
				}
			}
			p := startPair(t, h, weir.WriteBufferMarks(0, 1))
			second := dial(t, p.server)
			begun := receive(t, p.begun)
			for _, peer := range []*net.TCPConn{p.peer, second} {
				go func() { // they read all of it
					for buf := make([]byte, 64<<10); ; {
						if _, err := peer.Read(buf); err != nil {
							return
						}
					}
				}()
			}
			defer over.Store(true)
			fail(t, p.conn.Execute(func() {
				a, b = p.conn, begun
				again(a)
			}))
			onTurns := func() int { return onLoop(t, p.conn, func() int { return turns }) }
			eventually(t, "they write", func() bool { return onTurns() > 1000 })
			after(t, begun, 0) // timers have their turn
			expectEcho(t, p.server, fmt.Sprint("and new connections"))
			polls, before := p.server.Stats().Polls, onTurns()
			eventually(t, "the loop polls", func() bool { return p.server.Stats().Polls > polls+10 })
			eventually(t, "they go on", func() bool { return onTurns() > before })
		})
	}
}
