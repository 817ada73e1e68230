package weir_test

import (
	"bytes"
	"io"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// TestFlushTakesTurns: a system that takes everything at once, because the peer
// reads as fast as it is written to, does not keep the loop from other work
// until all of a long queue is written.
func TestFlushTakesTurns(t *testing.T) {
	const size = 48 << 20
	before := make(chan int, 1)
	written := 0 // loop only
	p := startPair(t, &handler{}, weir.WriteBufferLimit(2*size), weir.WithCalls(func(c *sock.Calls) {
		c.Write = func(_ int, p []byte) (int, syscall.Errno) {
			written += len(p)
			return len(p), 0
		}
		c.Writev = func(_ int, v *sock.Vector) (int, syscall.Errno) {
			written += v.Size()
			return v.Size(), 0
		}
	}))
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
