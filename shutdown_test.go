package weir_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// pipeliner is a client that sends requests without waiting for replies.
type pipeliner struct {
	conn    *net.TCPConn
	replies atomic.Int64
	ended   chan error // has what ended the stream of replies
}

// request and its reply are framed messages of the same length.
const request = "\x00\x00\x00\x04ping"

// pipeline sends until the stream of replies ends, and reads it once reading is
// closed.
func pipeline(t *testing.T, s *weir.Server, reading <-chan struct{}) *pipeliner {
	t.Helper()
	p := &pipeliner{conn: dial(t, s), ended: make(chan error, 1)}
	go func() {
		batch := []byte(strings.Repeat(request, 64))
		for {
			if _, err := p.conn.Write(batch); err != nil {
				return // it may be in the middle of one
			}
		}
	}()
	go func() {
		<-reading
		buf := make([]byte, 4096)
		total := 0
		for {
			n, err := p.conn.Read(buf)
			total += n
			p.replies.Store(int64(total / len(request)))
			if err != nil {
				if total%len(request) != 0 {
					t.Errorf("the replies end %d bytes after the last whole one", total%len(request))
				}
				_ = p.conn.Close() // ends the writing
				p.ended <- err
				return
			}
		}
	}()
	return p
}

// TestShutdownUnderLoad: every request that the server has heard of is
// answered, then the stream ends.
func TestShutdownUnderLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		slow bool // clients don't read until the server shuts down
		opts []weir.Option
	}{
		{"one loop", false, []weir.Option{weir.NumLoops(1)}},
		{"loops", false, []weir.Option{weir.NumLoops(3)}},
		{"a listener per loop", false, []weir.Option{weir.NumLoops(2), weir.ListenerPerLoop(true)}},
		{"AppendPacket", false, []weir.Option{weir.CustomProtocol(framedAppender{})}},
		{"slow readers", true, []weir.Option{
			weir.NumLoops(2), weir.WriteBufferMarks(4<<10, 16<<10),
			weir.SocketReadBuffer(32 << 10), weir.SocketWriteBuffer(16 << 10),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { testShutdownUnderLoad(t, tt.slow, tt.opts) })
	}
}

func testShutdownUnderLoad(t *testing.T, slow bool, opts []weir.Option) {
	const count = 5
	var requests sync.Map // of *atomic.Int64, by the client's address
	s := newServer(t, &handler{
		connect: func(c *weir.Connection) {
			n := new(atomic.Int64)
			c.SetContext(n)
			requests.Store(c.PeerAddr(), n)
		},
		message: func(c *weir.Connection, _ any, data []byte) any {
			c.Context().(*atomic.Int64).Add(1)
			return data
		},
		close: func(c *weir.Connection) {
			if c.Context().(*atomic.Int64).Load() > 0 && !errors.Is(c.Err(), weir.ErrServerStopped) {
				t.Errorf("ended with %v", c.Err())
			}
		},
	}, append([]weir.Option{weir.CustomProtocol(framed{})}, opts...)...)
	ended := begin(s)
	reading := make(chan struct{})
	if !slow {
		close(reading)
	}
	clients := make([]*pipeliner, count)
	for i := range clients {
		clients[i] = pipeline(t, s, reading)
	}
	if slow {
		eventually(t, "the server waits for all", func() bool { return s.Stats().Pauses >= count })
	} else {
		for _, p := range clients {
			eventually(t, "replies", func() bool { return p.replies.Load() > 200 })
		}
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	if slow {
		eventually(t, "new clients are refused", func() bool {
			c, err := net.Dial("tcp", s.Addrs()[0].String())
			if err != nil {
				return errors.Is(err, syscall.ECONNREFUSED)
			}
			_ = c.Close() // it was too early, and has sent nothing
			return false
		})
		select {
		case err := <-done:
			t.Fatalf("Shutdown returns %v before anything was read", err)
		default:
		}
		close(reading)
	}
	for _, p := range clients {
		if err := receive(t, p.ended); !errors.Is(err, io.EOF) {
			t.Errorf("the stream of replies ends with %v", err)
		}
	}
	if err := receive(t, done); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("Start returns %v", err)
	}
	for _, p := range clients {
		n, ok := requests.Load(p.conn.LocalAddr().String())
		if !ok || n.(*atomic.Int64).Load() != p.replies.Load() {
			t.Errorf("%d replies to %d requests", p.replies.Load(), n.(*atomic.Int64).Load())
		}
	}
	isFree(t, s)
	if st := s.Stats(); st.Open != 0 || !addsUp(&st) {
		t.Errorf("counts are %+v", st)
	}
}

// TestShutdownDelivers: what was received before is heard of, even if it has
// to wait for a peer that is slow to read.
func TestShutdownDelivers(t *testing.T) {
	const requests, size = 100, 64 << 10
	reply := make([]byte, size)
	s := newServer(t, &handler{message: func(*weir.Connection, any, []byte) any { return reply }},
		weir.CustomProtocol(framed{}), weir.WriteBufferMarks(size, 2*size), weir.SocketWriteBuffer(size))
	ended := begin(s)
	c := dial(t, s)
	send(t, c, strings.Repeat(request, requests))
	eventually(t, "all is received", func() bool {
		st := s.Stats()
		return st.BytesIn == requests*uint64(len(request)) && st.Pauses > 0
	})
	if n := s.Stats().MessagesIn; n == requests {
		t.Fatal("nothing had to wait")
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for range requests {
		expect(t, c, frame(string(reply)))
	}
	expectEnd(t, c)
	if err := receive(t, done); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("Start returns %v", err)
	}
}

// TestShutdownAgainstSends: what Send has accepted arrives, all of it and in
// order, whenever the server shuts down.
func TestShutdownAgainstSends(t *testing.T) {
	const rounds, senders = 8, 4
	for range rounds {
		connected := make(chan *weir.Connection, senders)
		s := newServer(t, &handler{connect: func(c *weir.Connection) { connected <- c }}, weir.NumLoops(2))
		ended := begin(s)
		accepted := make(map[string]*atomic.Int64) // by the client's address
		var peers []*net.TCPConn
		var sending, flowing sync.WaitGroup
		for range senders {
			peers = append(peers, dial(t, s))
			c := receive(t, connected)
			n := new(atomic.Int64)
			accepted[c.PeerAddr()] = n
			flowing.Add(1)
			sending.Go(func() {
				for {
					for c.Connected() && c.WriteBufferLength() > 64<<10 {
						time.Sleep(20 * time.Microsecond) // the client has to keep up
					}
					// Each is the number of those before it.
					if err := c.Send(binary.BigEndian.AppendUint32(nil, uint32(n.Load()))); err != nil {
						if !errors.Is(err, weir.ErrConnectionClosed) {
							t.Errorf("Send: %v", err)
						}
						return
					}
					if n.Add(1) == 50 {
						flowing.Done()
					}
				}
			})
		}
		received := make(chan struct{}, senders)
		for _, p := range peers {
			go func() {
				defer func() { received <- struct{}{} }()
				all, err := io.ReadAll(p)
				if err != nil {
					t.Error(err)
				}
				for i := 0; i < len(all)/4; i++ {
					if got := binary.BigEndian.Uint32(all[4*i:]); got != uint32(i) {
						t.Errorf("message %d is in the place of %d", got, i)
						break
					}
				}
				sending.Wait()
				if n := accepted[p.LocalAddr().String()].Load(); len(all) != int(4*n) {
					t.Errorf("%d Sends were accepted, %d bytes have arrived", n, len(all))
				}
			}()
		}
		flowing.Wait()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown returns %v", err)
		}
		for range peers {
			receive(t, received)
		}
		if err := receive(t, ended); err != nil {
			t.Errorf("Start returns %v", err)
		}
	}
}

// TestShutdownIdle: connections with nothing to do are ended at once, and
// those that can't be read from as well.
func TestShutdownIdle(t *testing.T) {
	var all causes
	s := newServer(t, &handler{
		connect: func(c *weir.Connection) { c.PauseRead() },
		close:   all.add,
	})
	ended := begin(s)
	c := dial(t, s)
	eventually(t, "it is open", func() bool { return s.Stats().Opened == 1 })
	var together sync.WaitGroup
	for range 4 {
		together.Go(func() {
			if err := s.Shutdown(context.Background()); err != nil {
				t.Errorf("Shutdown returns %v", err)
			}
		})
	}
	together.Wait()
	expectEnd(t, c)
	if err := receive(t, ended); err != nil {
		t.Errorf("Start returns %v", err)
	}
	if list := all.all(); len(list) != 1 || !errors.Is(list[0], weir.ErrServerStopped) {
		t.Errorf("ended with %v", list)
	}
	if err := s.Start(); !errors.Is(err, weir.ErrServerStopped) {
		t.Errorf("Start after Shutdown returns %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("Stop after Shutdown returns %v", err)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown after Stop returns %v", err)
	}
}

// TestShutdownUnread: a peer that never reads keeps the server for no longer
// than the context and the linger time allow.
func TestShutdownUnread(t *testing.T) {
	for _, tt := range []struct {
		name   string
		linger time.Duration
		end    func(t *testing.T, s *weir.Server) error
		want   error
	}{
		{"deadline", time.Hour, func(t *testing.T, s *weir.Server) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			return s.Shutdown(ctx)
		}, context.DeadlineExceeded},
		{"cancelled before", time.Hour, func(t *testing.T, s *weir.Server) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return s.Shutdown(ctx)
		}, context.Canceled},
		{"Stop meanwhile", time.Hour, func(t *testing.T, s *weir.Server) error {
			s.RunAfter(20*time.Millisecond, func() { _ = s.Stop() }) // returns none
			return s.Shutdown(t.Context())
		}, nil},
		{"linger", 50 * time.Millisecond, func(t *testing.T, s *weir.Server) error {
			return s.Shutdown(t.Context())
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const size = 8 << 20 // more than the sockets take
			var all causes
			s := newServer(t, &handler{
				message: func(*weir.Connection, any, []byte) any { return make([]byte, size) },
				close:   all.add,
			}, weir.Linger(tt.linger))
			ended := begin(s)
			c := dial(t, s)
			send(t, c, "x")
			eventually(t, "the reply waits", func() bool { return s.Stats().OutputBytes > 0 })
			if err := tt.end(t, s); !errors.Is(err, tt.want) {
				t.Errorf("Shutdown returns %v, want %v", err, tt.want)
			}
			if err := receive(t, ended); err != nil {
				t.Errorf("Start returns %v", err)
			}
			var unsent *weir.UnsentError
			list := all.all()
			if len(list) != 1 || !errors.As(list[0], &unsent) || !errors.Is(list[0], weir.ErrServerStopped) {
				t.Fatalf("ended with %v", list)
			}
			if unsent.Bytes <= 0 || unsent.Bytes > size {
				t.Errorf("%d bytes unsent", unsent.Bytes)
			}
			isFree(t, s)
		})
	}
}
