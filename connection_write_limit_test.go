package weir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/go-weir/weir"
)

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
			p := startPair(t, &handler{message: echo}, weir.WriteBufferMarks(64<<10, limit/2), weir.WriteBufferLimit(limit))
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
				weir.WriteBufferMarks(64<<10, limit/2), weir.WriteBufferLimit(limit), weir.SlowConsumer(tt.policy))
			send(t, p.peer, frame("x"))
			p.expectErr(t, weir.ErrSlowConsumer)
			eventually(t, "it is counted", func() bool {
				st := p.server.Stats()
				return st.SlowConsumers == 1 && st.Closed.Slow == 1 && st.OutputBytes == 0
			})
		})
	}
}

// TestWriteFrame: both parts are accepted, in one piece, or neither is.
func TestWriteFrame(t *testing.T) {
	const limit = 256 << 10
	p := startPair(t, &handler{}, weir.WriteBufferMarks(1<<10, limit/2), weir.WriteBufferLimit(limit), weir.SocketWriteBuffer(4<<10))
	large := pattern(100 << 10) // more than the loop's write buffer
	var want []byte
	fail(t, onLoop(t, p.conn, func() error {
		for _, payload := range [][]byte{nil, []byte("small"), large} {
			if err := p.conn.WriteFrame([]byte("head"), payload); err != nil {
				return err
			}
			want = append(append(want, "head"...), payload...)
		}
		if err := p.conn.WriteFrame(nil, make([]byte, limit)); !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("over the limit: %v", err)
		}
		return nil
	}))
	expect(t, p.peer, string(want))
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
	if err := p.conn.WriteFrame(nil, nil); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("after the end: %v", err)
	}
}
