package weir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// stamps are the sizes of the data in the tests of SendInLoop: they are
// copied, or kept from 4 KiB on if they are sent as they are.
var stamps = []int{0, 1, 100, 4095, 4096, 5000, 70_000, 300_000}

// TestSendInLoop: the callback comes once for each Send, and from then on the
// bytes may be changed: the peer gets what they were before.
func TestSendInLoop(t *testing.T) {
	const rounds = 20
	for _, protocol := range []weir.Protocol{&weir.DefaultProtocol{}, framed{}, framedAppender{}} {
		t.Run(fmt.Sprintf("%T", protocol), func(t *testing.T) {
			p := startPair(t, &handler{}, weir.CustomProtocol(protocol))
			var calls [rounds * 8]atomic.Int64
			var total atomic.Int64
			var want []byte
			for i := range calls {
				data := pattern(stamps[i%len(stamps)])
				want = append(want, protocol.Packet(nil, data)...)
				err := p.conn.Send(data, weir.SendInLoop(func(arg any) {
					given := arg.([]byte)
					if len(given) != len(data) || len(given) > 0 && &given[0] != &data[0] {
						t.Errorf("the callback of Send %d got other data", i)
					}
					for j := range given {
						given[j] = 0xEE
					}
					calls[i].Add(1)
					total.Add(1)
				}))
				if err != nil {
					t.Fatal(err)
				}
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(p.peer, got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Error("the peer did not get what was sent")
			}
			eventually(t, "all callbacks", func() bool { return total.Load() == int64(len(calls)) })
			_ = p.peer.Close() // all was read
			p.expectErr(t, io.EOF)
			for i := range calls {
				if n := calls[i].Load(); n != 1 {
					t.Errorf("the callback of Send %d was called %d times", i, n)
				}
			}
		})
	}
}

// TestSendInLoopOfLost: the callback comes once for each Send that was
// accepted, and never for another, when the connection ends first.
func TestSendInLoopOfLost(t *testing.T) {
	const senders = 3
	for _, tt := range []struct {
		name string
		end  func(p *pair)
	}{
		{"reset", func(p *pair) { reset(t, p.peer) }},
		{"linger time exceeded", func(p *pair) { fail(t, p.conn.Close()) }},
		{"server stopped", func(p *pair) { fail(t, p.server.Stop()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.Linger(0), weir.WriteBufferMarks(64<<10, 1<<20), weir.WriteBufferLimit(8<<20))
			type attempt struct {
				calls    atomic.Int64
				accepted bool
			}
			attempts := make([][]*attempt, senders)
			var sending sync.WaitGroup
			for i := range senders {
				sending.Go(func() {
					for n := 0; ; n++ {
						a := new(attempt)
						attempts[i] = append(attempts[i], a)
						err := p.conn.Send(pattern(stamps[n%7]), weir.SendInLoop(func(any) { a.calls.Add(1) }))
						a.accepted = err == nil
						switch {
						case errors.Is(err, weir.ErrConnectionClosed):
							return
						case err != nil && !errors.Is(err, weir.ErrWriteBufferFull):
							t.Error(err)
						}
					}
				})
			}
			eventually(t, "the connection is full", func() bool { return p.server.Stats().RefusedSends > 0 })
			tt.end(p)
			sending.Wait()
			receive(t, p.ended)
			for i := range attempts {
				for n, a := range attempts[i] {
					want := map[bool]int64{true: 1}[a.accepted]
					eventually(t, "the callback", func() bool { return a.calls.Load() >= want })
					if got := a.calls.Load(); got != want {
						t.Fatalf("the callback of Send %d was called %d times, want %d", n, got, want)
					}
				}
			}
			if n := p.conn.WriteBufferLength(); n != 0 {
				t.Errorf("WriteBufferLength is %d after the end", n)
			}
		})
	}
}

// TestSendInLoopGoesOn: the callback may itself write, send and close, and so
// stream without a buffer; also while the queue that it is called from is being
// sent.
func TestSendInLoopGoesOn(t *testing.T) {
	const size, count = 200_000, 40
	for _, tt := range []struct {
		name string
		next func(c *weir.Connection, p []byte, done weir.SendInLoopFunc) error
	}{
		{"Send", func(c *weir.Connection, p []byte, done weir.SendInLoopFunc) error {
			return c.Send(p, weir.SendInLoop(done))
		}},
		{"Write and Send", func(c *weir.Connection, p []byte, done weir.SendInLoopFunc) error {
			_, err := c.Write(p[:size/2])
			return errors.Join(err, c.Send(p[size/2:], weir.SendInLoop(done)))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream := pattern(size * count)
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
				rest := stream
				var step func(any)
				step = func(any) {
					if len(rest) == 0 {
						fail(t, c.Close())
						return
					}
					next := rest[:size]
					rest = rest[size:]
					fail(t, tt.next(c, next, step))
				}
				step(nil)
				return nil
			}})
			send(t, p.peer, "go")
			expect(t, p.peer, string(stream))
			expectEnd(t, p.peer)
			p.expectErr(t, weir.ErrConnectionClosed)
			expectNothingLost(t, p.conn)
		})
	}
}

// TestSendOrder: the Sends of each goroutine arrive in their order.
func TestSendOrder(t *testing.T) {
	const senders, sends = 4, 5000
	p := startPair(t, &handler{})
	for i := range senders {
		go func() {
			for n := range sends {
				message := binary.BigEndian.AppendUint32([]byte{byte(i)}, uint32(n))
				if n%100 == 0 {
					message = append(message, pattern(10_000)...)
				}
				fail(t, p.conn.Send(message))
			}
		}()
	}
	var next [senders]int
	for head := make([]byte, 5); next != [senders]int{sends, sends, sends, sends}; {
		if _, err := io.ReadFull(p.peer, head); err != nil {
			t.Fatal(err)
		}
		i, n := head[0], int(binary.BigEndian.Uint32(head[1:]))
		if int(i) >= senders || n != next[i] {
			t.Fatalf("message %d of sender %d, want %v", n, i, next)
		}
		if next[i]++; n%100 == 0 {
			expect(t, p.peer, string(pattern(10_000)))
		}
	}
}

// TestAnswerBeforeSend: what a callback writes and returns goes out before
// anything that was sent during it, whether or not output is waiting already.
func TestAnswerBeforeSend(t *testing.T) {
	for _, waiting := range []int{0, 4 << 20} {
		t.Run(fmt.Sprint(waiting), func(t *testing.T) {
			p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
				if data == nil { // Wake
					fail(t, c.Send("6"))
					fail(t, c.WritePacket("5"))
					return nil
				}
				_, err := c.Write(pattern(waiting))
				fail(t, err)
				fail(t, c.Send("4"))
				fail(t, c.WritePacket("1"))
				_, err = c.Write([]byte("2"))
				fail(t, err)
				fail(t, c.Wake())
				return "3"
			}}, weir.WriteBufferMarks(8<<20, 16<<20))
			send(t, p.peer, "x")
			expect(t, p.peer, string(pattern(waiting))+"123456")
		})
	}
}

// TestSendsHeld: what many small Sends hold is counted, while the loop is busy, and given
// back when it has taken them over.
func TestSendsHeld(t *testing.T) {
	const count = 200_000
	h := &handler{}
	p := startPair(t, h, weir.SocketWriteBuffer(4<<10), weir.Watchdog(0))
	fill := func() error { return p.conn.Send(make([]byte, 1<<20)) } // what the systems take, and a little more
	for p.conn.WriteBufferLength() == 0 {
		fail(t, fill())
		onLoop(t, p.conn, func() bool { return true })
	}
	release := occupy(t, p.conn)
	heap, counted := heapInUse(), p.conn.WriteBufferLength()
	for range count {
		fail(t, p.conn.Send([]byte{1}))
	}
	held, counts := heapInUse()-heap, p.conn.WriteBufferLength()-counted
	if held > counts*5/4 && !raceEnabled { // under the race detector, an allocation of a byte takes sixteen
		t.Errorf("%d Sends hold %d KiB, and count as %d KiB", count, held>>10, counts>>10)
	}
	release()
	eventually(t, "the loop has them", func() bool { return p.conn.WriteBufferLength()-counted <= count })
	if held = heapInUse() - heap; held > 2*count+1<<20 { // a byte each, and what the loop's queue keeps
		t.Errorf("%d bytes in the queue hold %d KiB", count, held>>10)
	}
	runtime.KeepAlive(p)
}

// heapInUse is what the process holds after a collection.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what was in a sync.Pool goes with the second one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestWriteWhenSent: what a SendInLoop function writes goes to its own peer, at once,
// whether or not anything is behind what was sent.
func TestWriteWhenSent(t *testing.T) {
	for _, size := range []int{1, 64 << 10} { // copied; and referenced until it is written
		p := startPair(t, &handler{message: echo})
		fail(t, p.conn.Send(make([]byte, size), weir.SendInLoop(func(any) {
			_, err := p.conn.Write([]byte("behind it"))
			fail(t, err)
		})))
		expectEcho(t, p.server, "another's")
		expect(t, p.peer, string(make([]byte, size))+"behind it")
	}
}
