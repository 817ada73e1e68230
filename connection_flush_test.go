package weir_test

import (
	"bytes"
	"io"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// takesAll makes a system that takes all it is given, and tells wrote.
func takesAll(wrote func(n int)) weir.Option {
	return weir.WithCalls(func(c *sock.Calls) {
		c.Write = func(_ int, p []byte) (int, syscall.Errno) {
			wrote(len(p))
			return len(p), 0
		}
		c.Writev = func(_ int, v *sock.Vector) (int, syscall.Errno) {
			wrote(v.Size())
			return v.Size(), 0
		}
	})
}

// TestFlushTakesTurns: a system that takes everything at once, because the peer
// reads as fast as it is written to, does not keep the loop from other work
// until all of a long queue is written.
func TestFlushTakesTurns(t *testing.T) {
	const size = 48 << 20
	before := make(chan int, 1)
	written := 0 // loop only
	p := startPair(t, &handler{}, weir.WriteBufferLimit(2*size), takesAll(func(n int) { written += n }))
	done := make(chan struct{})
	if err := p.conn.Execute(func() {
		// The second function is queued behind the data, and runs in the cycle
		// that begins to write it, or in the next.
		_ = p.conn.Send(bytes.Repeat([]byte{1}, size), weir.SendInLoop(func(any) { close(done) }))
		_ = p.conn.Execute(func() { _ = p.conn.Execute(func() { before <- written }) })
	}); err != nil {
		t.Fatal(err)
	}
	if n := receive(t, before); n >= size {
		t.Errorf("all %d bytes were written before it was anybody else's turn", n)
	}
	receive(t, done)
	eventually(t, "nothing unsent", func() bool { return p.conn.WriteBufferLength() == 0 })
	_ = p.conn.Close()
	if n, err := io.Copy(io.Discard, p.peer); n != 0 || err != nil {
		t.Errorf("read %d, %v from a system that sends nothing", n, err)
	}
}

// TestWritesTakeTurns: what a callback writes to a peer that reads as fast as it is
// written to meets the high-water mark, as with one that does not; what is written in
// one turn, by the callback and behind it, has a bound; and so has each system call.
func TestWritesTakeTurns(t *testing.T) {
	const high, turn, call = 1 << 20, 4 << 20, 1 << 20
	large := make([]byte, 16<<20)
	for _, tt := range []struct {
		name  string
		write func(c *weir.Connection) error
	}{
		{"Write", func(c *weir.Connection) error { _, err := c.Write(large[:4<<10]); return err }},
		{"large Write", func(c *weir.Connection) error { _, err := c.Write(large); return err }},
		{"WriteFrame", func(c *weir.Connection) error { return c.WriteFrame(large[:10], large[:100<<10]) }},
		{"WritePacket", func(c *weir.Connection) error { return c.WritePacket(large[:40<<10]) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			written, largest := 0, 0 // loop only
			p := startPair(t, &handler{}, weir.WriteBufferMarks(high/4, high), takesAll(func(n int) {
				written += n
				largest = max(largest, n)
			}))
			inTurn := make(chan int, 1)
			fail(t, p.conn.Execute(func() {
				_ = p.conn.Loop().Execute(func() { inTurn <- written }) // runs when this turn is over
				for p.conn.WriteBufferLength() <= high {
					fail(t, tt.write(p.conn))
					if written > 100<<20 {
						t.Error("the high-water mark is never met")
						return
					}
				}
			}))
			if n := receive(t, inTurn); n < turn || n > turn+call {
				t.Errorf("%d bytes were written in one turn, want %d", n, turn)
			}
			eventually(t, "everything is sent", func() bool { return p.conn.WriteBufferLength() == 0 })
			if n := onLoop(t, p.conn, func() int { return largest }); n > call {
				t.Errorf("%d bytes were given to one system call", n)
			}
			_ = p.conn.Close()
			if n, err := io.Copy(io.Discard, p.peer); n != 0 || err != nil {
				t.Errorf("read %d, %v from a system that sends nothing", n, err)
			}
		})
	}
}

// TestEndlessWriter: one who goes on writing for ever, in OnWritable, to a peer that reads
// as fast as that, keeps nobody else waiting and posts no more and more tasks.
func TestEndlessWriter(t *testing.T) {
	const high = 1 << 20
	chunk := make([]byte, 64<<10)
	calls, stop := 0, false // loop only
	produce := func(c *weir.Connection) {
		for !stop && c.WriteBufferLength() <= high {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}
	messages := make(chan struct{}, 10)
	p := startPair(t, &handler{
		message:  func(*weir.Connection, any, []byte) any { messages <- struct{}{}; return nil },
		writable: func(c *weir.Connection) { calls++; produce(c) },
	}, weir.WriteBufferMarks(high/4, high), takesAll(func(int) {}))
	peer := dial(t, p.server)
	receive(t, p.begun)
	before := p.server.Stats().Tasks
	fail(t, p.conn.Execute(func() { produce(p.conn) }))
	for range 5 {
		send(t, peer, "x")
		receive(t, messages)
	}
	for onLoop(t, p.conn, func() int { return calls }) < 20 { // each look is a cycle
	}
	calls1 := onLoop(t, p.conn, func() int { stop = true; return calls })
	onLoop(t, p.conn, func() bool { return true }) // so what is before it is published
	if tasks := p.server.Stats().Tasks - before; tasks > 10*uint64(calls1)+1000 {
		t.Errorf("%d tasks for %d calls of OnWritable", tasks, calls1)
	}
}
