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

// stuff writes to a connection whose peer doesn't read until nothing more is
// accepted, and returns what was.
func stuff(t *testing.T, write func(p []byte) error) (accepted []byte) {
	t.Helper()
	for message := pattern(10_000); len(accepted) < 32<<20; {
		binary.BigEndian.PutUint32(message, uint32(len(accepted)))
		err := write(bytes.Clone(message))
		if errors.Is(err, weir.ErrWriteBufferFull) {
			return accepted
		}
		if err != nil {
			t.Error(err)
			return accepted
		}
		accepted = append(accepted, message...)
	}
	t.Errorf("%d bytes were accepted", len(accepted))
	return accepted
}

// TestWriteBufferLimit: what is refused at the limit was not queued, and
// changes nothing: the peer gets what was accepted, and then more can be sent.
func TestWriteBufferLimit(t *testing.T) {
	const limit = 1 << 20
	for _, tt := range []struct {
		name  string
		stuff func(t *testing.T, c *weir.Connection) []byte
	}{
		{"Send", func(t *testing.T, c *weir.Connection) []byte {
			return stuff(t, func(p []byte) error { return c.Send(p) })
		}},
		{"Write", func(t *testing.T, c *weir.Connection) []byte {
			return onLoop(t, c, func() []byte {
				return stuff(t, func(p []byte) error { _, err := c.Write(p); return err })
			})
		}},
		{"WritePacket", func(t *testing.T, c *weir.Connection) []byte {
			return onLoop(t, c, func() []byte { return stuff(t, func(p []byte) error { return c.WritePacket(p) }) })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: echo}, weir.WriteBufferMarks(64<<10, limit), weir.WriteBufferLimit(limit))
			var accepted []byte
			for more := tt.stuff(t, p.conn); len(more) > 0; more = tt.stuff(t, p.conn) {
				accepted = append(accepted, more...)
				onLoop(t, p.conn, p.conn.WriteBufferLength) // so the Sends before it have been queued
			}
			if n := p.conn.WriteBufferLength(); n <= limit/2 || n > limit {
				t.Errorf("WriteBufferLength is %d when the buffer of %d is full", n, limit)
			}
			if tt.name == "Send" && p.server.Stats().RefusedSends < 2 {
				t.Errorf("%d refused Sends are counted", p.server.Stats().RefusedSends)
			}
			if !p.conn.Connected() {
				t.Fatalf("the connection has ended: %v", p.conn.Err())
			}
			expect(t, p.peer, string(accepted))
			eventually(t, "everything is sent", func() bool { return p.conn.WriteBufferLength() == 0 })
			send(t, p.peer, "and now?")
			expect(t, p.peer, "and now?")
			if st := p.server.Stats(); st.SlowConsumers != 0 || st.OutputBytes != 0 {
				t.Errorf("%d slow consumers, %d bytes of output are counted", st.SlowConsumers, st.OutputBytes)
			}
		})
	}
}

// onLoop runs f on c's loop and returns its value.
func onLoop[T any](t *testing.T, c *weir.Connection, f func() T) T {
	t.Helper()
	result := make(chan T, 1)
	if err := c.Execute(func() { result <- f() }); err != nil {
		t.Fatal(err)
	}
	return receive(t, result)
}

// TestLargestSend: the limit itself passes, a byte more does not.
func TestLargestSend(t *testing.T) {
	const limit = 1 << 20
	p := startPair(t, &handler{}, weir.WriteBufferMarks(1, limit/2), weir.WriteBufferLimit(limit))
	if err := p.conn.Send(pattern(limit + 1)); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("Send of a byte over the limit: %v", err)
	}
	if n := p.conn.WriteBufferLength(); n != 0 {
		t.Errorf("WriteBufferLength is %d after a Send that was refused", n)
	}
	fail(t, p.conn.Send(pattern(limit)))
	expect(t, p.peer, string(pattern(limit)))
}

// TestRefusedSendsDisturbNobody: Sends that are refused again and again leave
// the connection as it was: its messages are delivered and answered.
func TestRefusedSendsDisturbNobody(t *testing.T) {
	const limit = 64 << 10
	p := startPair(t, &handler{message: echo}, weir.WriteBufferMarks(1, limit/2), weir.WriteBufferLimit(limit))
	stop := make(chan struct{})
	var sending sync.WaitGroup
	for range 3 {
		sending.Go(func() {
			for data := pattern(limit + 1); ; {
				select {
				case <-stop:
					return
				default:
				}
				if err := p.conn.Send(data); !errors.Is(err, weir.ErrWriteBufferFull) {
					t.Errorf("Send of a byte over the limit: %v", err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	for range 500 {
		send(t, p.peer, "still here")
		expect(t, p.peer, "still here")
	}
	close(stop)
	sending.Wait()
	if st := p.server.Stats(); st.Pauses != 0 || st.RefusedSends == 0 {
		t.Errorf("%d pauses, %d refused Sends", st.Pauses, st.RefusedSends)
	}
}

// TestSlowConsumer: with CloseSlow a connection ends at the limit, and so it
// does over a reply that nobody could be told of, whatever the policy.
func TestSlowConsumer(t *testing.T) {
	const limit = 1 << 20
	over := func(c *weir.Connection, write func(p []byte) error) {
		stuff(t, write)
		if _, err := c.Write([]byte("x")); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Write after the limit was passed: %v", err)
		}
	}
	for _, tt := range []struct {
		name     string
		policy   weir.SlowPolicy
		protocol weir.Protocol
		message  func(c *weir.Connection, ctx any, data []byte) any
	}{
		{"Write", weir.CloseSlow, framed{}, func(c *weir.Connection, _ any, _ []byte) any {
			over(c, func(p []byte) error { _, err := c.Write(p); return err })
			return nil
		}},
		{"WritePacket", weir.CloseSlow, framed{}, func(c *weir.Connection, _ any, _ []byte) any {
			over(c, func(p []byte) error { return c.WritePacket(p) })
			return pattern(limit) // it has ended already, and once
		}},
		{"AppendPacket", weir.CloseSlow, framedAppender{}, func(c *weir.Connection, _ any, _ []byte) any {
			over(c, func(p []byte) error { return c.WritePacket(p) })
			return nil
		}},
		{"Send", weir.CloseSlow, framed{}, func(c *weir.Connection, _ any, _ []byte) any {
			stuff(t, func(p []byte) error { return c.Send(p) })
			return nil
		}},
		{"reply", weir.RefuseSlow, framed{}, func(*weir.Connection, any, []byte) any { return pattern(limit) }},
		{"reply by AppendPacket", weir.RefuseSlow, framedAppender{}, func(*weir.Connection, any, []byte) any {
			return pattern(limit)
		}},
		{"reply of a Wake", weir.RefuseSlow, framed{}, func(c *weir.Connection, _ any, data []byte) any {
			if data == nil {
				return pattern(limit)
			}
			fail(t, c.Wake())
			return nil
		}},
		{"reply behind others", weir.RefuseSlow, framedAppender{}, func(c *weir.Connection, _ any, _ []byte) any {
			stuff(t, func(p []byte) error { return c.WritePacket(p) })
			return pattern(limit)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: tt.message}, weir.CustomProtocol(tt.protocol),
				weir.WriteBufferMarks(64<<10, limit), weir.WriteBufferLimit(limit), weir.SlowConsumer(tt.policy))
			send(t, p.peer, frame("x"))
			p.expectErr(t, weir.ErrSlowConsumer)
			eventually(t, "it is counted", func() bool {
				st := p.server.Stats()
				return st.SlowConsumers == 1 && st.Closed.Slow == 1 && st.OutputBytes == 0
			})
		})
	}
}
