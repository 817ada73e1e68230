package websocket_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// subscribed is a handler whose connections subscribe to the topics.
func subscribed(topics ...string) *handler {
	return &handler{open: func(c *websocket.Conn) {
		for _, topic := range topics {
			_ = c.Subscribe(topic) // nothing refuses it
		}
	}}
}

// TestPublishLimit: a publication that is too much is refused for all loops, even if it
// would be too much for one only, and counted. When the loop has caught up, there is
// room again.
func TestPublishLimit(t *testing.T) {
	const n, size = 10, 1 << 10
	s := startOn(t, subscribed("t"), websocket.New(nil, websocket.PublishLimit(n*(4+size+256))), weir.NumLoops(2))
	hub := s.protocol.Hub()
	one, conn := pair(t, s, nil)
	two, other := pair(t, s, nil)
	if conn.Connection().Loop() == other.Connection().Loop() {
		t.Fatal("both are on one loop")
	}
	message := strings.Repeat("m", size)
	release := occupy(t, conn)
	for range n {
		fail(t, hub.Publish("t", codec.Text, []byte(message)))
		expect(t, two, codec.Text, message)
	}
	if err := hub.Publish("t", codec.Text, []byte(message)); !errors.Is(err, websocket.ErrPublishLimit) {
		t.Errorf("one too many: %v", err)
	}
	fail(t, hub.Publish("nobody", codec.Text, []byte(message))) // takes nothing
	if st := s.protocol.Stats(); st.Limits.Publish != 1 || st.Published != n+1 || st.Queued != n*(4+size+256) {
		t.Errorf("counted: %d refused, %d published, %d bytes queued", st.Limits.Publish, st.Published, st.Queued)
	}
	release()
	for range n {
		expect(t, one, codec.Text, message)
	}
	eventually(t, "the loop has caught up", func() bool { return s.protocol.Stats().Queued == 0 })
	fail(t, hub.Publish("t", codec.Text, []byte("again")))
	expect(t, one, codec.Text, "again")
	expect(t, two, codec.Text, "again") // and nothing of what was refused
}

// TestPublishAtTheEnd: what is published to a loop that ends does not count any more.
func TestPublishAtTheEnd(t *testing.T) {
	s := start(t, subscribed("t"))
	hub := s.protocol.Hub()
	var wg sync.WaitGroup
	for range 20 {
		pair(t, s, nil)
	}
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			message := websocket.Prepare(codec.Binary, make([]byte, 64<<10))
			for {
				select {
				case <-stop:
					return
				default:
					_ = hub.PublishPrepared("t", message) // it may be refused
				}
			}
		})
	}
	eventually(t, "some is published", func() bool { return s.protocol.Stats().Published > 100 })
	fail(t, s.Stop())
	close(stop)
	wg.Wait()
	if st := s.protocol.Stats(); st.Queued != 0 || st.Topics != 0 {
		t.Errorf("%d bytes are queued, and there are %d topics", st.Queued, st.Topics)
	}
}

// TestPublishTakesTurns: a publication that is much work is written in several cycles,
// between which the loop does what else there is. What is published behind it waits, so
// that every subscriber gets everything in one order.
func TestPublishTakesTurns(t *testing.T) {
	const subscribers, large = 50, 64 << 10
	s := start(t, subscribed("t", "other"))
	var clients []*websocket.Client
	var conns []*websocket.Conn
	for range subscribers {
		c, conn := pair(t, s, nil)
		clients, conns = append(clients, c), append(conns, conn)
	}
	hub := s.protocol.Hub()
	written := func() (n int) {
		for _, c := range conns {
			if c.Buffered() > 0 {
				n++
			}
		}
		return n
	}
	seen := make(chan int, 1)
	message := strings.Repeat("m", large)
	loop := conns[0].Connection().Loop()
	fail(t, loop.Execute(func() {
		note(t, hub.Publish("t", codec.Text, []byte(message)))
		note(t, loop.Execute(func() { seen <- written() })) // in the same cycle
		for i := range 20 {
			note(t, hub.Publish([]string{"t", "other"}[i%2], codec.Text, fmt.Append(nil, i)))
		}
	}))
	if n := receive(t, seen); n == 0 || n == subscribers {
		t.Errorf("%d of %d subscribers were written to in one cycle", n, subscribers)
	}
	for _, c := range clients {
		expect(t, c, codec.Text, message)
		for i := range 20 {
			expect(t, c, codec.Text, fmt.Sprint(i))
		}
	}
}

// TestPublishToSome: what is published together gets to those who have subscribed to it,
// and to nobody else.
func TestPublishToSome(t *testing.T) {
	const n = 30
	s := start(t, commands())
	topics := []string{"a", "b", "a,b"}
	var clients []*websocket.Client
	for _, list := range topics {
		c := dial(t, s, nil)
		for _, topic := range strings.Split(list, ",") {
			fail(t, c.Write(codec.Text, []byte("+"+topic)))
			_, _, err := c.Read()
			fail(t, err)
		}
		clients = append(clients, c)
	}
	release := occupy(t, receive(t, s.opened))
	for i := range n {
		fail(t, s.protocol.Hub().Publish([]string{"a", "b"}[i/2%2], codec.Text, fmt.Append(nil, i)))
	}
	release()
	for k, c := range clients {
		for i := range n {
			if strings.Contains(topics[k], []string{"a", "b"}[i/2%2]) {
				expect(t, c, codec.Text, fmt.Sprint(i))
			}
		}
		say(t, c, "-none", topics[k]) // there was nothing more
	}
}

// TestPublishCompressed: what has to be compressed for each subscriber is much more work,
// so fewer are written to in one go.
func TestPublishCompressed(t *testing.T) {
	const subscribers, size = 20, 16 << 10
	s := start(t, subscribed("t"), websocket.Compression(codec.Deflate{Takeover: true}))
	var clients []*websocket.Client
	var conns []*websocket.Conn
	for range subscribers {
		c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		clients, conns = append(clients, c), append(conns, conn)
	}
	seen := make(chan int, 1)
	loop := conns[0].Connection().Loop()
	message := strings.Repeat("m", size)
	fail(t, loop.Execute(func() {
		note(t, s.protocol.Hub().Publish("t", codec.Text, []byte(message)))
		note(t, loop.Execute(func() { // in the same cycle
			n := 0
			for _, c := range conns {
				if c.Buffered() > 0 {
					n++
				}
			}
			seen <- n
		}))
	}))
	if n := receive(t, seen); n == 0 || n == subscribers {
		t.Errorf("%d of %d subscribers were written to in one cycle", n, subscribers)
	}
	for _, c := range clients {
		expect(t, c, codec.Text, message)
	}
}

// TestPublishTogether: so much that a loop doesn't write it in one go is one write(2) for
// each subscriber all the same.
func TestPublishTogether(t *testing.T) {
	const subscribers, n, size = 120, 8, 2 << 10
	s := start(t, subscribed("t"))
	var clients []*websocket.Client
	var conn *websocket.Conn
	for range subscribers {
		c, last := pair(t, s, nil)
		clients, conn = append(clients, c), last
	}
	onLoop(t, conn, func() int { return 0 }) // all that came before is counted by the next cycle
	release := occupy(t, conn)
	before := s.Stats()
	message := strings.Repeat("m", size)
	for range n {
		fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte(message)))
	}
	release()
	for _, c := range clients {
		for range n {
			expect(t, c, codec.Text, message)
		}
	}
	if writes := onLoop(t, conn, s.Stats).Writes - before.Writes; writes > subscribers*3/2 { // a system may take less at a time
		t.Errorf("%d writes to %d subscribers", writes, subscribers)
	}
}

// TestPublishMuch: however much is published, one subscriber is sent a part of it before
// the loop does what else there is.
func TestPublishMuch(t *testing.T) {
	const n, size, most = 200, 64 << 10, 2 << 20
	s := start(t, subscribed("t"))
	c, conn := pair(t, s, nil)
	seen := make(chan int64, 1)
	loop := conn.Connection().Loop()
	fail(t, loop.Execute(func() {
		for range n {
			note(t, s.protocol.Hub().Publish("t", codec.Binary, make([]byte, size)))
		}
		note(t, loop.Execute(func() { seen <- conn.Buffered() })) // in the same cycle
	}))
	if unsent := receive(t, seen); unsent == 0 || unsent > most {
		t.Errorf("%d bytes were written in one cycle", unsent)
	}
	_ = c.CloseNow() // the rest is dropped
}

// TestPublishedIsShared: a publication is in memory once, however many have yet to write
// it; and so is what is written to many.
func TestPublishedIsShared(t *testing.T) {
	const subscribers, size = 100, 1 << 20
	for _, tt := range []struct {
		name  string
		dial  []string
		write func(*websocket.Hub, []*websocket.Conn, *websocket.PreparedMessage) error
	}{
		{"Publish", nil, func(h *websocket.Hub, _ []*websocket.Conn, m *websocket.PreparedMessage) error {
			return h.PublishPrepared("t", m)
		}},
		{"Publish, compressed", []string{"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"}, func(h *websocket.Hub, _ []*websocket.Conn, m *websocket.PreparedMessage) error {
			return h.PublishPrepared("t", m)
		}},
		{"WritePrepared", nil, func(_ *websocket.Hub, conns []*websocket.Conn, m *websocket.PreparedMessage) error {
			for _, c := range conns {
				if err := c.WritePrepared(m); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startOn(t, subscribed("t"), websocket.New(nil, websocket.Compression(codec.Deflate{})), weir.Linger(0), weir.SocketWriteBuffer(32<<10))
			var conns []*websocket.Conn
			for range subscribers {
				c := upgraded(t, s, tt.dial...)
				fail(t, c.Conn.(*net.TCPConn).SetReadBuffer(32<<10))
				conns = append(conns, receive(t, s.opened))
			}
			random := make([]byte, size) // which can't be made shorter
			for i, x := 0, uint32(1); i < size; i += 4 {
				x = x*1664525 + 1013904223
				binary.LittleEndian.PutUint32(random[i:], x^x>>15)
			}
			message := websocket.Prepare(codec.Binary, random)
			before := heap()
			fail(t, tt.write(s.protocol.Hub(), conns, message))
			eventually(t, "all have it to write", func() bool {
				for _, c := range conns {
					if c.Buffered() < size/4 {
						return false
					}
				}
				return s.protocol.Stats().Queued == 0
			})
			onLoop(t, conns[0], func() int { return 0 }) // what is behind it in the loop's queue has run
			if grown := int64(heap()) - int64(before); grown > subscribers*size/4 {
				t.Errorf("%d KiB for %d subscribers", grown>>10, subscribers)
			}
		})
	}
}

// heap is the size of what is alive.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBurst: messages that are published together are more than the backlog, but the
// system has not been offered them yet, so nobody is slow.
func TestBurst(t *testing.T) {
	for _, tt := range []struct{ backlog, n, size int }{{0, 20, 100}, {64 << 10, 200, 1 << 10}, {128 << 10, 50, 16 << 10}} {
		for _, policy := range []websocket.SlowPolicy{websocket.DropSlow, websocket.CloseSlow} {
			s := start(t, subscribed("t"), websocket.SlowSubscribers(policy, tt.backlog))
			c, conn := pair(t, s, nil)
			release := occupy(t, conn)
			message := strings.Repeat("m", tt.size)
			for range tt.n {
				fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte(message)))
			}
			release()
			for range tt.n {
				expect(t, c, codec.Text, message)
			}
		}
	}
}

// TestBurstOverTheLimit: the same where the connection itself may have less unsent than
// is published together: the loop writes what it can, and comes back.
func TestBurstOverTheLimit(t *testing.T) {
	const n, size = 100, 8 << 10
	s := startOn(t, subscribed("t"), websocket.New(nil), weir.WriteBufferMarks(1<<10, 8<<10), weir.WriteBufferLimit(20<<10), weir.SlowConsumer(weir.CloseSlow))
	c, conn := pair(t, s, nil)
	received := make(chan error, 1)
	got := make(chan struct{}, n)
	go func() {
		for range n {
			if _, _, err := c.Read(); err != nil {
				received <- err
				return
			}
			got <- struct{}{}
		}
		received <- nil
	}()
	// As many at a time as any system takes at once, however small it begins.
	message := []byte(strings.Repeat("m", size))
	for range n / 4 {
		release := occupy(t, conn)
		for range 4 {
			fail(t, s.protocol.Hub().Publish("t", codec.Text, message))
		}
		release()
		for range 4 {
			receive(t, got)
		}
	}
	fail(t, receive(t, received))
	if st := s.protocol.Stats(); st.Dropped != 0 {
		t.Errorf("%d dropped", st.Dropped)
	}
}

// TestManySubscriptions: what a subscription costs does not depend on how many the
// connection has already.
func TestManySubscriptions(t *testing.T) {
	const few, many = 1000, 50_000
	s := start(t, &handler{}, websocket.MaxTopics(many))
	_, conn := pair(t, s, nil)
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprint("topic/", i)
	}
	measure := func(names []string) time.Duration {
		return onLoop(t, conn, func() time.Duration {
			begin := time.Now()
			for _, name := range names {
				note(t, conn.Subscribe(name))
			}
			for _, name := range names {
				note(t, conn.Subscribe(name))
			}
			if n := len(conn.Topics()); n != len(names) {
				t.Errorf("%d topics", n)
			}
			for _, name := range names {
				if !conn.Unsubscribe(name) {
					t.Error("not subscribed")
				}
			}
			return time.Since(begin)
		})
	}
	const linear = float64(many) / few
	factor := 1e9 // a busy machine makes it larger, and a cost that grows makes it many * linear
	for range 5 {
		if factor = min(factor, float64(measure(names))/float64(measure(names[:few]))); factor < 10*linear {
			return
		}
	}
	t.Errorf("%d subscriptions take %.0f times as long as %d", many, factor, few)
}

// TestTopicsInOrder: Topics has the order of the subscriptions, whatever has ended in
// between.
func TestTopicsInOrder(t *testing.T) {
	s := start(t, &handler{})
	_, conn := pair(t, s, nil)
	onLoop(t, conn, func() int {
		var want []string
		for i := range 500 {
			name := fmt.Sprint(i * 7919 % 101)
			at := -1
			for k, n := range want {
				if n == name {
					at = k
				}
			}
			if i%3 == 0 {
				if conn.Unsubscribe(name) != (at >= 0) {
					t.Errorf("Unsubscribe(%q)", name)
				}
				if at >= 0 {
					want = append(want[:at:at], want[at+1:]...)
				}
			} else {
				note(t, conn.Subscribe(name))
				if at < 0 {
					want = append(want, name)
				}
			}
			if got := conn.Topics(); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%q, want %q", got, want)
			}
		}
		for _, name := range conn.Topics() {
			conn.Unsubscribe(name)
		}
		if n := len(conn.Topics()); n != 0 {
			t.Errorf("%d topics are left", n)
		}
		return 0
	})
	if n := s.protocol.Stats().Topics; n != 0 {
		t.Errorf("%d topics are left", n)
	}
}
