package weir_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// script is a stream of framed messages that a model checks the delivery of: read in
// pieces of random sizes, with reading paused and resumed, by the loop and by others.
type script struct {
	messages [][]byte

	// loop only
	random *rand.Rand
	read   int    // bytes
	next   int    // the message that comes next
	last   int    // the one with which it ends
	end    string // how
	ended  bool   // nothing may come any more

	// set once
	most    int // bytes in one read
	trouble func(format string, args ...any)

	// any goroutine
	resuming sync.WaitGroup
	reached  chan struct{} // closed with the last message
}

// lengths are where a message ends up in another place: nothing, what fits in the
// headroom, a read buffer full, a ring that is read into directly.
var lengths = []int{0, 1, 3, 60, 500, 4<<10 - 5, 4<<10 - 4, 4<<10 - 3, 9000, 64<<10 - 4, 64 << 10, 200_000}

func newScript(t *testing.T, seed uint64, end string) *script {
	s := &script{random: rand.New(rand.NewPCG(seed, 1)), end: end, reached: make(chan struct{})}
	s.trouble = func(format string, args ...any) { t.Errorf("seed %d: "+format, append([]any{seed}, args...)...) }
	s.most = []int{1, 7, 700, 5000, 1 << 20}[seed%5]
	for i := range 40 {
		n := lengths[s.random.IntN(len(lengths))]
		if s.most < 100 {
			n %= 1000 // few bytes at a time take long
		}
		m := pattern(n)
		for j := range m {
			m[j] ^= byte(i)
		}
		s.messages = append(s.messages, m)
	}
	if s.last = len(s.messages) - 1; end != "EOF" {
		s.last = s.random.IntN(len(s.messages))
	}
	return s
}

// whole is how many messages are in the first n bytes of the stream.
func (s *script) whole(n int) int {
	for i, m := range s.messages {
		if n -= len(frame(string(m))); n < 0 {
			return i
		}
	}
	return len(s.messages)
}

func (s *script) stream() []byte {
	var b []byte
	for _, m := range s.messages {
		b = appendFrame(b, m)
	}
	return b
}

// calls makes reads short, and some of them come too early.
func (s *script) calls(c *sock.Calls) {
	read := c.Read
	c.Read = func(fd int, p []byte) (int, syscall.Errno) {
		switch s.random.IntN(8) {
		case 0:
			return 0, syscall.EAGAIN
		case 1: // as much as there is
		default:
			p = p[:min(len(p), 1+s.random.IntN(s.most))]
		}
		n, errno := read(fd, p)
		s.read += n
		return n, errno
	}
}

// message is OnMessage.
func (s *script) message(c *weir.Connection, ctx any, data []byte) any {
	switch i := s.next; {
	case s.ended:
		s.trouble("a message after the end")
	case i == len(s.messages):
		s.trouble("a message too many, of %d bytes", len(data))
	case ctx != len(data) || !bytes.Equal(data, s.messages[i]):
		s.trouble("message %d is of %d bytes, want %d, or has others", i, len(data), len(s.messages[i]))
	case i == s.last:
		s.next++
		s.finish(c)
	default:
		s.next++
		s.disturb(c)
	}
	return nil
}

// finish is what happens in the last message.
func (s *script) finish(c *weir.Connection) {
	close(s.reached)
	switch s.end {
	case "Close":
		s.ended = true
		if err := c.Close(); err != nil {
			s.trouble("Close: %v", err)
		}
	case "panic":
		s.ended = true
		panic(errBoom)
	}
}

// disturb does one of the things that stop delivery for a while, or don't.
func (s *script) disturb(c *weir.Connection) {
	switch s.random.IntN(12) {
	case 0:
		c.PauseRead()
		s.resuming.Go(c.ResumeRead)
	case 1:
		c.PauseRead()
		c.RunAfter(0, c.ResumeRead)
	case 2:
		c.PauseRead()
		c.ResumeRead()
	case 3:
		c.PauseRead()
		s.resuming.Go(func() { _ = c.Execute(c.ResumeRead) }) // refused: it has been closed, and nothing waits
	case 4:
		s.resuming.Go(func() { c.PauseRead(); c.ResumeRead() })
	case 5: // over the high-water mark: the next message waits until that is sent
		if s.end != "Shutdown" {
			_ = c.Send(make([]byte, 5000)) // refused if it has been closed
		}
	}
}

// TestDeliveryModel: what OnMessage gets are the messages of the stream, whole, in
// order and once, however it is read, and whatever is done meanwhile.
func TestDeliveryModel(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 10
	}
	for _, protocol := range []weir.Protocol{framed{}, framedSplitter{}} {
		for _, end := range []string{"EOF", "Close", "Shutdown", "panic"} {
			t.Run(fmt.Sprintf("%T,%s", protocol, end), func(t *testing.T) {
				for seed := range seeds {
					testDelivery(t, newScript(t, seed, end), protocol)
				}
			})
		}
	}
}

func testDelivery(t *testing.T, s *script, protocol weir.Protocol) {
	p := startPair(t, &handler{message: s.message}, weir.CustomProtocol(protocol), weir.WithCalls(s.calls),
		weir.WriteBufferMarks(1<<10, 4<<10), weir.Linger(0), quiet())
	go func() {
		_, _ = p.peer.Write(s.stream()) // what is lost is missed below
		if s.end != "Shutdown" {
			_ = p.peer.CloseWrite()
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, p.peer) }() // until its end, whichever
	receive(t, s.reached)
	if s.end == "Shutdown" {
		fail(t, p.server.Shutdown(t.Context()))
	}
	receive(t, p.ended)
	fail(t, p.server.Stop())
	s.resuming.Wait()
	want := s.last + 1
	if s.end == "Shutdown" { // everything that was read is delivered
		want = s.whole(s.read)
	}
	if s.next != want {
		s.trouble("%d messages, want %d", s.next, want)
	}
	if st := p.server.Stats(); st.MessagesIn != uint64(s.next) || st.BytesIn != uint64(s.read) || st.InputBytes != 0 || st.Paused != 0 {
		s.trouble("%d messages and %d bytes are counted, %d held, %d paused; want %d, %d, 0, 0",
			st.MessagesIn, st.BytesIn, st.InputBytes, st.Paused, s.next, s.read)
	}
}
