package weir_test

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// pendingSlack is how far the bytes that wait for a peer may be over the
// high-water mark: by the loop's write buffer and the answers to one read.
const pendingSlack = 64<<10 + 64<<10

// TestStall: a peer that sends and never reads costs its connection's
// high-water mark of memory, no CPU time, and nobody else anything. When it
// reads at last, it gets everything.
func TestStall(t *testing.T) {
	reply := func(_ *weir.Connection, _ any, data []byte) any { return data }
	for _, tt := range []struct {
		name     string
		protocol weir.Protocol
		message  func(c *weir.Connection, ctx any, data []byte) any
	}{
		{"Write", &weir.DefaultProtocol{}, echo},
		{"reply", &weir.DefaultProtocol{}, reply},
		{"many messages in a read", framed{}, reply},
		{"AppendPacket", framedAppender{}, reply},
		{"Send", framed{}, func(c *weir.Connection, _ any, data []byte) any {
			if err := c.Send(bytes.Clone(data)); err != nil {
				t.Errorf("Send: %v", err)
			}
			return nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { testStall(t, tt.protocol, tt.message) })
	}
}

func testStall(t *testing.T, protocol weir.Protocol, message func(*weir.Connection, any, []byte) any) {
	const low, high = 64 << 10, 256 << 10
	stream := bytes.Repeat([]byte(frame(string(pattern(1000)))), 8000)
	var writable atomic.Uint64
	var most atomic.Int64 // that waited for the peer
	p := startPair(t, &handler{
		message: func(c *weir.Connection, ctx any, data []byte) any {
			out := message(c, ctx, data)
			most.Store(max(most.Load(), c.WriteBufferLength()))
			return out
		},
		writable: func(*weir.Connection) { writable.Add(1) },
	}, weir.CustomProtocol(protocol), weir.WriteBufferMarks(low, high),
		weir.SocketReadBuffer(64<<10), weir.SocketWriteBuffer(64<<10))
	bystander := dial(t, p.server)

	sent := make(chan error, 1)
	go func() { _, err := p.peer.Write(stream); sent <- err }()
	eventually(t, "the peer has stalled", func() bool {
		st := p.server.Stats()
		return st.Pauses > 0 && st.Paused == 1 && st.OutputBytes > low
	})
	expectIdle(t, p.server)
	checkStats := func() {
		t.Helper()
		st := p.server.Stats()
		if st.OutputBytes > high+pendingSlack || st.InputBytes > 64<<10 {
			t.Fatalf("%d bytes of output and %d of input are kept", st.OutputBytes, st.InputBytes)
		}
	}
	checkStats()
	for range 10 {
		send(t, bystander, frame("hello"))
		expect(t, bystander, frame("hello"))
	}
	select {
	case err := <-sent:
		t.Fatalf("the peer has sent everything and read nothing (%v): it never stalled", err)
	default:
	}

	got := make([]byte, len(stream))
	for n := 0; n < len(got); n += 64 << 10 {
		if _, err := io.ReadFull(p.peer, got[n:min(n+64<<10, len(got))]); err != nil {
			t.Fatal(err)
		}
		checkStats()
	}
	if err := receive(t, sent); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, stream) {
		t.Error("the peer did not get what it had sent")
	}
	eventually(t, "everything is given back", func() bool {
		st := p.server.Stats()
		return st.OutputBytes == 0 && st.InputBytes == 0 && p.conn.WriteBufferLength() == 0 && st.Pauses == writable.Load() && st.Paused == 0
	})
	if n := most.Load(); n <= low || n > high+pendingSlack {
		t.Errorf("up to %d bytes waited for the peer, the high-water mark is %d", n, high)
	}
	if !p.conn.Connected() {
		t.Errorf("the connection has ended: %v", p.conn.Err())
	}
}

// TestOnWritableStream: a program that writes until the connection is over its
// high-water mark, and goes on when OnWritable is called, gets to the end,
// however fast its peer reads and wherever the writing is done.
func TestOnWritableStream(t *testing.T) {
	const high, chunk, chunks = 64 << 10, 48 << 10, 256
	stream := pattern(chunk * chunks)
	for _, tt := range []struct {
		name string
		size int // bytes in one write
		// run has f, which calls write until it returns false, run somewhere.
		run   func(c, other *weir.Connection, f func())
		write func(c *weir.Connection, p []byte) error
	}{
		{"Write", chunk, func(_, _ *weir.Connection, f func()) { f() }, writeAll},
		{"large Write", 4 * chunk, func(_, _ *weir.Connection, f func()) { f() }, writeAll},
		{"Write from another connection", chunk, func(_, other *weir.Connection, f func()) { _ = other.Execute(f) }, writeAll},
		{"Send", chunk, func(_, _ *weir.Connection, f func()) { f() }, sendOne},
		{"Send from another goroutine", chunk, func(_, _ *weir.Connection, f func()) { go f() }, sendOne},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex // OnWritable may come while a goroutine is still filling
			rest := stream
			var other atomic.Pointer[weir.Connection]
			fill := func(c *weir.Connection) {
				tt.run(c, other.Load(), func() {
					mu.Lock()
					defer mu.Unlock()
					for len(rest) > 0 && c.WriteBufferLength() <= high {
						p := rest[:tt.size]
						rest = rest[tt.size:]
						if err := tt.write(c, p); err != nil {
							t.Error(err)
							return
						}
					}
					if len(rest) == 0 {
						_ = c.Close() // OnWritable may come once more: then it is the second one
					}
				})
			}
			p := startPair(t, &handler{
				message:  func(c *weir.Connection, _ any, _ []byte) any { fill(c); return nil },
				writable: fill,
			}, weir.WriteBufferMarks(high/2, high))
			dial(t, p.server)
			other.Store(receive(t, p.begun))
			send(t, p.peer, "go")
			expect(t, p.peer, string(stream))
			expectEnd(t, p.peer)
		})
	}
}

func writeAll(c *weir.Connection, p []byte) error {
	_, err := c.Write(p)
	return err
}

func sendOne(c *weir.Connection, p []byte) error { return c.Send(p) }
