package weir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// fixedPacket is a Protocol that sends the same bytes whatever it is given.
type fixedPacket struct {
	*weir.DefaultProtocol
	size int
}

func (p fixedPacket) AppendPacket(dst []byte, _ *weir.Connection, _ any) []byte {
	return append(dst, pattern(p.size)...)
}

// TestRefusedPacketIsNotSent: of a message that the Protocol makes larger than what fits
// nothing is sent.
func TestRefusedPacketIsNotSent(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		_, err := c.Write([]byte("before, "))
		fail(t, err)
		if err := c.WritePacket("large"); !errors.Is(err, weir.ErrWriteBufferFull) {
			t.Errorf("WritePacket returns %v", err)
		}
		_, err = c.Write([]byte("after"))
		fail(t, err)
		return nil
	}}, weir.CustomProtocol(fixedPacket{size: 20 << 10}), weir.WriteBufferMarks(1<<10, 4<<10), weir.WriteBufferLimit(16<<10))
	send(t, p.peer, "x")
	expect(t, p.peer, "before, after")
}

// TestLimitIsInclusive: as many bytes as the WriteBufferLimit are accepted, and not one
// more, whatever they are made of.
func TestLimitIsInclusive(t *testing.T) {
	const limit = 16 << 10
	write := func(c *weir.Connection, n int) error {
		_, err := c.Write(make([]byte, n))
		return err
	}
	header := func(c *weir.Connection, n int) error {
		return c.WriteFrame(make([]byte, n-limit/2), make([]byte, limit/2))
	}
	payload := func(c *weir.Connection, n int) error { return c.WriteFrame(make([]byte, 1), make([]byte, n-1)) }
	for name, put := range map[string]func(*weir.Connection, int) error{"Write": write, "long header": header, "long payload": payload} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{}, quiet(), weir.WriteBufferMarks(1<<10, 4<<10), weir.WriteBufferLimit(limit),
				withCalls(func(c *sock.Calls, _ sock.Calls) {
					c.Write = func(int, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }
				}))
			onLoop(t, p.conn, func() bool {
				if err := put(p.conn, limit+1); !errors.Is(err, weir.ErrWriteBufferFull) {
					t.Errorf("one byte too many: %v", err)
				}
				if err := put(p.conn, limit); err != nil {
					t.Errorf("the limit: %v", err)
				}
				return true
			})
		})
	}
}

// TestMarkIsExclusive: reading pauses when the unsent bytes are more than the high-water
// mark, not when they are just as many.
func TestMarkIsExclusive(t *testing.T) {
	const high = 4 << 10
	for extra, want := range []uint64{0, 1} {
		var blocked atomic.Bool
		p := startPair(t, &handler{}, quiet(), weir.WriteBufferMarks(1<<10, high), withCalls(func(c *sock.Calls, system sock.Calls) {
			c.Write = func(fd int, b []byte) (int, syscall.Errno) {
				if blocked.Load() {
					return 0, syscall.EAGAIN
				}
				return system.Write(fd, b)
			}
		}))
		blocked.Store(true)
		onLoop(t, p.conn, func() bool {
			_, err := p.conn.Write(make([]byte, high+extra))
			fail(t, err)
			return true
		})
		onLoop(t, p.conn, func() bool { return true }) // the cycle of the first one is published
		blocked.Store(false)
		if n := p.server.Stats().Pauses; n != want {
			t.Errorf("%d bytes over the mark: %d pauses, want %d", extra, n, want)
		}
	}
}

// TestSendOverTheMark: OnWritable comes after a Send that has found the high-water mark
// passed, although the system takes all at once.
func TestSendOverTheMark(t *testing.T) {
	const high = 4 << 10
	writable := make(chan bool, 16)
	p := startPair(t, &handler{writable: func(*weir.Connection) { writable <- true }}, weir.WriteBufferMarks(1<<10, high))
	release := occupy(t, p.conn)
	for p.conn.WriteBufferLength() <= high {
		fail(t, p.conn.Send([]byte{'x'})) // the least that a program sends; each counts for more until the loop has it
	}
	release()
	receive(t, writable)
}

// TestPacketsBehindBacklog: Write and WritePacket keep their order, also behind what the
// system has not taken.
func TestPacketsBehindBacklog(t *testing.T) {
	p := startPair(t, &handler{}, quiet(), weir.CustomProtocol(numberPacket{}))
	stallPeer(t, p.conn)
	var want []byte
	onLoop(t, p.conn, func() bool {
		for i := range uint32(100) {
			fail(t, p.conn.WritePacket(2*i))
			_, err := p.conn.Write(binary.BigEndian.AppendUint32(nil, 2*i+1))
			fail(t, err)
			want = binary.BigEndian.AppendUint32(want, 2*i)
			want = binary.BigEndian.AppendUint32(want, 2*i+1)
		}
		return true
	})
	if _, err := io.CopyN(io.Discard, p.peer, stuffing); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.peer, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the numbers come out of order, or %v: % x", err, clip(got))
	}
}

// numberPacket is a Protocol that sends numbers.
type numberPacket struct{ *weir.DefaultProtocol }

func (numberPacket) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	return binary.BigEndian.AppendUint32(dst, data.(uint32))
}

// TestPacketThatCannotBe: WritePacket says so when the Protocol can't encode what it was
// given, and has closed the connection.
func TestPacketThatCannotBe(t *testing.T) {
	p := startPair(t, &handler{})
	if err := onLoop(t, p.conn, func() error { return p.conn.WritePacket(42) }); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("WritePacket returns %v", err)
	}
	receive(t, p.ended)
}

// TestWritesInCycle: a write that was interrupted is made again at once, and one that
// took less than it was given is not: the system would take nothing.
func TestWritesInCycle(t *testing.T) {
	for name, tt := range map[string]struct {
		effect func(fd int, b []byte, system sock.Calls) (int, syscall.Errno)
		writes int64 // in that cycle
	}{
		"interrupted": {func(int, []byte, sock.Calls) (int, syscall.Errno) { return 0, syscall.EINTR }, 2},
		"short": {func(fd int, b []byte, system sock.Calls) (int, syscall.Errno) {
			return system.Write(fd, b[:len(b)/2])
		}, 1},
		"none": {func(int, []byte, sock.Calls) (int, syscall.Errno) { return 0, syscall.EAGAIN }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			y := new(cycles)
			var next atomic.Bool
			var inCycle row
			first := int64(-1) // the cycle of the first write
			p := startPair(t, &handler{}, y.option(), withCalls(func(c *sock.Calls, system sock.Calls) {
				c.Write = func(fd int, b []byte) (int, syscall.Errno) {
					if first < 0 {
						first = y.polls.Load()
					}
					if y.polls.Load() == first {
						inCycle.count(y)
					}
					if next.Swap(false) {
						return tt.effect(fd, b, system)
					}
					return system.Write(fd, b)
				}
			}))
			next.Store(true)
			fail(t, p.conn.Send("hello, hello"))
			expect(t, p.peer, "hello, hello")
			if n := onLoop(t, p.conn, func() int64 { return inCycle.most }); n != tt.writes {
				t.Errorf("%d writes in its cycle, want %d", n, tt.writes)
			}
		})
	}
}

// TestLoopBuffersShrink: a large message leaves the loop with no large buffer.
func TestLoopBuffersShrink(t *testing.T) {
	const large, most = 1 << 20, 256 << 10
	for name, put := range map[string]func(*weir.Connection) error{
		"WritePacket": func(c *weir.Connection) error { return c.WritePacket("large") },
		"WritePacket elsewhere": func(c *weir.Connection) error {
			return c.Loop().Execute(func() { _ = c.WritePacket("large") }) // an error would show at the peer
		},
		"Send": func(c *weir.Connection) error { return c.Send("large") },
	} {
		t.Run(name, func(t *testing.T) {
			p := startPair(t, &handler{}, weir.CustomProtocol(fixedPacket{size: large}))
			fail(t, onLoop(t, p.conn, func() error { return put(p.conn) }))
			expect(t, p.peer, string(pattern(large)))
			onLoop(t, p.conn, func() bool {
				if out, scratch := weir.LoopStorage(p.conn); out > most || scratch > most {
					t.Errorf("the loop keeps %d and %d bytes", out, scratch)
				}
				return true
			})
		})
	}
}

// packetFunc is a Protocol that encodes by a function.
type packetFunc struct {
	*weir.DefaultProtocol
	packet func(data []byte) []byte
}

func (p packetFunc) Packet(_ *weir.Connection, data any) []byte { return p.packet(data.([]byte)) }

// TestWhatIsCopied: of what is given to Send only a long slice that is sent as it is
// stays in use until it was written. All else is the caller's again once it was copied.
func TestWhatIsCopied(t *testing.T) {
	const long = 4 << 10
	whole := func(data []byte) []byte { return data }
	for _, tt := range []struct {
		name   string
		size   int
		packet func([]byte) []byte
		copied bool
	}{
		{"long", long, whole, false},
		{"short", long - 1, whole, true},
		{"with more behind it", long, func(data []byte) []byte { return append(data, "more"...) }, true},
		{"another", long, bytes.Clone, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packet := whole
			p := startPair(t, &handler{}, quiet(), weir.CustomProtocol(packetFunc{packet: func(data []byte) []byte { return packet(data) }}))
			stallPeer(t, p.conn)
			onLoop(t, p.conn, func() bool { packet = tt.packet; return true })
			var told atomic.Bool
			fail(t, p.conn.Send(make([]byte, tt.size, tt.size+16), weir.SendInLoop(func(any) { told.Store(true) })))
			onLoop(t, p.conn, func() bool { return true }) // behind the Send
			if told.Load() != tt.copied {
				t.Errorf("told that it can be used again: %t, want %t", told.Load(), tt.copied)
			}
		})
	}
}

// TestSendsLeaveTogether: what was given to several Sends, and is referenced, is one
// system call.
func TestSendsLeaveTogether(t *testing.T) {
	const sends, size = 8, 8 << 10
	var calls atomic.Int64
	p := startPair(t, &handler{}, withCalls(func(c *sock.Calls, system sock.Calls) {
		c.Write = func(fd int, b []byte) (int, syscall.Errno) { calls.Add(1); return system.Write(fd, b) }
		c.Writev = func(fd int, v *sock.Vector) (int, syscall.Errno) { calls.Add(1); return system.Writev(fd, v) }
	}))
	release := occupy(t, p.conn)
	for range sends {
		fail(t, p.conn.Send(pattern(size)))
	}
	release()
	for range sends {
		expect(t, p.peer, string(pattern(size)))
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("%d system calls", n)
	}
}
