//go:build !race

package weir_test

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// allocsPerRun is testing.AllocsPerRun for a whole process: what f does is
// done by other goroutines too. Pools and queues are warm when it begins.
func allocsPerRun(f func()) float64 {
	const warm, runs = 300, 2500
	for range warm {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / runs
}

// noise is what the runtime itself may allocate meanwhile, for each run.
const noise = 0.05

// boxed is a message for framedInPlace that is already an interface value.
type boxed struct{ payload []byte }

// framedInPlace is framed for a *boxed, without a buffer.
type framedInPlace struct{ framed }

func (framedInPlace) UnPacket(_ *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	n := int(b.PeekUint32())
	frame := b.View(4 + n)
	if frame == nil {
		return nil, nil
	}
	b.Retrieve(len(frame))
	return nil, frame[4:]
}

func (framedInPlace) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	p := data.(*boxed).payload
	return append(append(dst, 0, 0, 0, byte(len(p))), p...)
}

// TestAllocations holds the library to what its comments claim, in a server
// with a real client, which allocates nothing.
func TestAllocations(t *testing.T) {
	const message = "a message of 31 bytes, framed.."
	longFrame := frame(string(pattern(10 << 10)))
	sayLong := say(longFrame[:5<<10], longFrame[5<<10:])
	inContext := func(c *weir.Connection) { c.SetContext(new(boxed)) }
	replyInContext := func(c *weir.Connection, _ any, data []byte) any {
		reply := c.Context().(*boxed)
		reply.payload = data
		return reply
	}
	ignore := func(*weir.Connection, any, []byte) any { return nil }
	small, large := []byte(message), make([]byte, 16<<10)
	var ready any = small
	once := say(message)
	for _, tt := range []struct {
		name    string
		most    float64
		handler handler
		opts    []weir.Option
		run     func(peer net.Conn, c *weir.Connection) (reply int) // and how many bytes to read
	}{
		{"Write", 0, handler{message: echo}, nil, once},
		{"WritePacket, AppendPacket", 0, handler{connect: inContext, message: func(c *weir.Connection, ctx any, data []byte) any {
			_ = c.WritePacket(replyInContext(c, ctx, data)) // the client would wait in vain
			return nil
		}}, []weir.Option{weir.CustomProtocol(framedInPlace{})}, say(frame(message))},
		{
			"AppendPacket", 0,
			handler{connect: inContext, message: replyInContext},
			[]weir.Option{weir.CustomProtocol(framedInPlace{})},
			say(frame(message)),
		},
		{
			"message in two parts", 0,
			handler{connect: inContext, message: replyInContext},
			[]weir.Option{weir.CustomProtocol(framedInPlace{})},
			say(frame(message)[:9], frame(message)[9:]),
		},
		{
			"large message in two parts", 0,
			handler{message: echo},
			[]weir.Option{weir.CustomProtocol(framedInPlace{})},
			func(peer net.Conn, c *weir.Connection) int {
				return sayLong(peer, c) - 4
			},
		},
		{"Write, with metrics", 0, handler{message: echo}, []weir.Option{metered(), weir.Watchdog(time.Second)}, once},
		{"idle timer", 0, handler{message: echo}, []weir.Option{weir.IdleTime(time.Minute)}, once},
		{"deadline moved", 0, handler{message: func(c *weir.Connection, ctx any, data []byte) any {
			_ = c.SetReadDeadline(time.Now().Add(time.Minute)) // fails if c has ended
			return echo(c, ctx, data)
		}}, nil, once},
		{"returned []byte", 1, handler{message: func(_ *weir.Connection, _ any, data []byte) any { return data }}, nil, once},
		{"Send", 1, handler{message: ignore}, nil, func(_ net.Conn, c *weir.Connection) int {
			_ = c.Send(small) // the client would wait in vain
			return len(small)
		}},
		{"Send, not copied", 1, handler{message: ignore}, nil, func(_ net.Conn, c *weir.Connection) int {
			_ = c.Send(large)
			return len(large)
		}},
		{"Send of an interface value", 0, handler{message: ignore}, nil, func(_ net.Conn, c *weir.Connection) int {
			_ = c.Send(ready)
			return len(small)
		}},
		{"Wake", 0, handler{message: func(c *weir.Connection, _ any, _ []byte) any {
			_, _ = c.Write(small)
			return nil
		}}, nil, func(_ net.Conn, c *weir.Connection) int {
			_ = c.Wake()
			return len(small)
		}},
		{"PauseRead, ResumeRead", 0, handler{message: echo}, nil, func(peer net.Conn, c *weir.Connection) int {
			c.PauseRead()
			n := once(peer, c)
			c.ResumeRead()
			return n
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			connected := make(chan *weir.Connection, 1)
			h := tt.handler
			h.connect = func(c *weir.Connection) {
				if tt.handler.connect != nil {
					tt.handler.connect(c)
				}
				connected <- c
			}
			s := start(t, &h, tt.opts...)
			peer := dial(t, s)
			c := receive(t, connected)
			buf := make([]byte, len(large))
			got := allocsPerRun(func() {
				if _, err := io.ReadFull(peer, buf[:tt.run(peer, c)]); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%.4f allocations", got)
			if got > tt.most+noise {
				t.Errorf("%.3f allocations, want %v at most", got, tt.most)
			}
		})
	}
}

// say sends a message in parts that arrive one by one, and waits for as much.
func say(parts ...string) func(net.Conn, *weir.Connection) int {
	wire := make([][]byte, len(parts))
	size := 0
	for i, p := range parts {
		wire[i] = []byte(p)
		size += len(p)
	}
	return func(peer net.Conn, c *weir.Connection) int {
		for i, p := range wire {
			_, _ = peer.Write(p) // the client would wait in vain
			for i == 0 && len(wire) > 1 && c.ReadBufferLength() == 0 {
				time.Sleep(20 * time.Microsecond) // gives the loop the only P there may be, which Gosched does not at once
			}
		}
		return size
	}
}
