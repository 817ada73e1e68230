package websocket_test

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// commands is a handler whose clients subscribe and publish: "+t", "-t", "t=message".
func commands() *handler {
	return &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		text := string(data)
		switch topic, message, publish := strings.Cut(text, "="); {
		case publish:
			_ = c.Publish(topic, kind, []byte(message)) // there is no broker
		case text[0] == '+':
			if err := c.Subscribe(text[1:]); err != nil {
				_ = c.Reply(kind, []byte("refused: "+err.Error()))
				return
			}
		case text[0] == '-':
			c.Unsubscribe(text[1:])
		}
		if !strings.Contains(text, "=") {
			_ = c.Reply(kind, []byte(strings.Join(c.Topics(), ",")))
		}
	}}
}

func say(t *testing.T, c *websocket.Client, text, answer string) {
	t.Helper()
	fail(t, c.Write(codec.Text, []byte(text)))
	expect(t, c, codec.Text, answer)
}

// TestTopics: who has subscribed gets what is published, by the hub or by another
// connection, on whichever loop.
func TestTopics(t *testing.T) {
	h := commands()
	h.close = func(c *websocket.Conn, _ websocket.Code, _ string) {
		if n := len(c.Topics()); n != 0 {
			t.Errorf("%d topics in OnClose", n)
		}
	}
	s := startOn(t, h, websocket.New(nil), weir.NumLoops(2))
	hub := s.protocol.Hub()
	var clients []*websocket.Client
	for range 4 {
		clients = append(clients, dial(t, s, nil))
	}
	for i, c := range clients {
		say(t, c, "+news", "news")
		say(t, c, "+news", "news")
		say(t, c, fmt.Sprint("+own", i), fmt.Sprint("news,own", i))
	}
	if n := hub.Subscribers("news"); n != 4 {
		t.Errorf("%d subscribers", n)
	}
	fail(t, hub.Publish("nobody", codec.Text, []byte("lost")))
	fail(t, hub.Publish("news", codec.Text, []byte("all")))
	for _, c := range clients {
		expect(t, c, codec.Text, "all")
	}
	fail(t, clients[0].Write(codec.Binary, []byte("news=others")))
	for _, c := range clients[1:] {
		expect(t, c, codec.Binary, "others")
	}
	fail(t, hub.PublishPrepared("own2", websocket.Prepare(codec.Text, []byte("two"))))
	expect(t, clients[2], codec.Text, "two")
	say(t, clients[1], "-news", "own1")
	say(t, clients[1], "-news", "own1")
	_ = clients[3].CloseNow() // all was read
	eventually(t, "the end of a subscription", func() bool { return hub.Subscribers("news") == 2 && hub.Subscribers("own3") == 0 })
	for i := range 100 {
		fail(t, hub.Publish("news", codec.Text, fmt.Append(nil, i)))
	}
	for i := range 100 {
		expect(t, clients[0], codec.Text, fmt.Sprint(i))
		expect(t, clients[2], codec.Text, fmt.Sprint(i))
	}
	say(t, clients[1], "+late", "own1,late") // nothing came before that
	eventually(t, "the counts", func() bool {
		st := s.protocol.Stats()
		return st.Published == 104 && st.Delivered == 4+3+1+200 && st.Dropped == 0
	})
}

// TestSubscribeRefused: by the limits, and by the hook.
func TestSubscribeRefused(t *testing.T) {
	s := start(t, commands(), websocket.MaxTopics(2), websocket.MaxTopicName(4), websocket.OnSubscribe(func(c *websocket.Conn, topic string) error {
		if topic == "no" {
			return errors.New("not for you")
		}
		return nil
	}))
	c := dial(t, s, nil)
	say(t, c, "+no", "refused: not for you")
	say(t, c, "+", "refused: "+websocket.ErrTopicName.Error())
	say(t, c, "+12345", "refused: "+websocket.ErrTopicName.Error())
	say(t, c, "+a", "a")
	say(t, c, "+b", "a,b")
	say(t, c, "+c", "refused: "+websocket.ErrTooManyTopics.Error())
	say(t, c, "-a", "b")
	say(t, c, "+c", "b,c")
	eventually(t, "the count of what limits refused", func() bool { st := s.protocol.Stats(); return st.Limits.Topics == 3 && st.Topics == 2 })
}

// TestSlowSubscribers: one that does not read misses messages, or is closed; the others
// get all of them. The buffers of the system are small, so that few messages, each of
// which fits into any window, are more than there is room for.
func TestSlowSubscribers(t *testing.T) {
	for _, policy := range []websocket.SlowPolicy{websocket.DropSlow, websocket.CloseSlow} {
		s := startOn(t, commands(), websocket.New(nil, websocket.SlowSubscribers(policy, 100<<10)),
			weir.Linger(10*time.Millisecond), weir.SocketWriteBuffer(32<<10))
		quick, slow := dial(t, s, nil), dial(t, s, nil)
		fail(t, slow.NetConn().(*net.TCPConn).SetReadBuffer(32<<10))
		say(t, quick, "+t", "t")
		say(t, slow, "+t", "t")
		const n = 150
		message := websocket.Prepare(codec.Binary, make([]byte, 8<<10))
		for range n {
			fail(t, s.protocol.Hub().PublishPrepared("t", message))
			expect(t, quick, codec.Binary, strings.Repeat("\x00", message.Len()))
		}
		if policy == websocket.CloseSlow {
			expectEnd(t, s, websocket.TryAgainLater, weir.ErrSlowConsumer)
		}
		eventually(t, "the counts", func() bool {
			st := s.protocol.Stats()
			if policy == websocket.CloseSlow {
				return st.Dropped == 1 && st.SlowEnded == 1
			}
			return st.Dropped > 0 && st.Dropped+st.Delivered == 2*n && st.SlowEnded == 0
		})
	}
}

// TestPublishIsOneTask: what is published together is one task for a loop, and one
// write(2) for each subscriber.
func TestPublishIsOneTask(t *testing.T) {
	s := start(t, commands())
	var clients []*websocket.Client
	for range 20 {
		c := dial(t, s, nil)
		say(t, c, "+t", "t")
		clients = append(clients, c)
	}
	conn := receive(t, s.opened)
	onLoop(t, conn, func() int { return 0 }) // all that came before is counted by the next cycle
	release := occupy(t, conn)
	before := s.Stats()
	for _, text := range []string{"1", "2", "3"} {
		fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte(text)))
	}
	release()
	for _, c := range clients {
		for _, text := range []string{"1", "2", "3"} {
			expect(t, c, codec.Text, text)
		}
	}
	after := onLoop(t, conn, s.Stats)
	if tasks, writes := after.Tasks-before.Tasks, after.Writes-before.Writes; tasks > 3 || writes != 20 {
		t.Errorf("%d tasks and %d writes, want one task (and two of the test's) and 20 writes", tasks, writes)
	}
}

// broker is a network of hubs in one process.
type broker struct {
	mu     sync.Mutex
	hubs   []func(string, *websocket.PreparedMessage) error
	events []string
}

// side is a broker as one of its hubs sees it.
type side struct {
	*broker
	place int
}

func (b side) Start(deliver func(string, *websocket.PreparedMessage) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hubs[b.place] = deliver
}

func (b side) Publish(topic string, kind websocket.Kind, data []byte) error {
	b.mu.Lock()
	hubs := b.hubs
	b.mu.Unlock()
	var err error
	for i, deliver := range hubs {
		if i != b.place {
			err = errors.Join(err, deliver(topic, websocket.Prepare(kind, data)))
		}
	}
	return err
}

func (b side) Subscribed(topic string)   { b.event("+" + topic) }
func (b side) Unsubscribed(topic string) { b.event("-" + topic) }

func (b side) event(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, fmt.Sprint(b.place, s))
}

// leisurely is a broker that takes its time to hear of the end of a topic.
type leisurely struct{ side }

func (b leisurely) Unsubscribed(topic string) {
	for range 10 {
		runtime.Gosched()
	}
	b.side.Unsubscribed(topic)
}

// TestBrokerOrder: a broker hears of topics in the order of what happens to them, even
// if two loops take turns.
func TestBrokerOrder(t *testing.T) {
	b := &broker{hubs: make([]func(string, *websocket.PreparedMessage) error, 1)}
	s := startOn(t, commands(), websocket.New(nil, websocket.UseBroker(leisurely{side{b, 0}})), weir.NumLoops(2))
	var ready, turns sync.WaitGroup
	ready.Add(2)
	for range 2 {
		_, conn := pair(t, s, nil)
		turns.Add(1)
		fail(t, conn.Execute(func() {
			defer turns.Done()
			ready.Done()
			ready.Wait() // for the other loop
			for range 2000 {
				_ = conn.Subscribe("t") // nothing refuses it
				conn.Unsubscribe("t")
			}
		}))
	}
	turns.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, e := range b.events {
		if want := []string{"0+t", "0-t"}[i%2]; e != want {
			t.Fatalf("event %d of %d is %q", i, len(b.events), e)
		}
	}
	if len(b.events) < 4 || len(b.events)%2 != 0 {
		t.Errorf("%d events", len(b.events))
	}
}

// TestPublishToEnding: one that is ending already is not slow, whatever it has unsent.
func TestPublishToEnding(t *testing.T) {
	s := start(t, commands(), websocket.SlowSubscribers(websocket.CloseSlow, 1<<20))
	c, conn := pair(t, s, nil)
	say(t, c, "+t", "t")
	release := occupy(t, conn)
	fail(t, conn.Connection().Close())
	fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte("late")))
	release()
	expectEnd(t, s, websocket.AbnormalClosure, weir.ErrConnectionClosed)
	eventually(t, "the counts", func() bool {
		st := s.protocol.Stats()
		return st.Closed[websocket.AbnormalClosure] == 1 && st.Published == 1 && st.SlowEnded == 0 && st.Dropped == 0
	})
}

// TestBroker: what is published on one server gets to the subscribers of the other.
func TestBroker(t *testing.T) {
	b := &broker{hubs: make([]func(string, *websocket.PreparedMessage) error, 2)}
	one := start(t, commands(), websocket.UseBroker(side{b, 0}))
	two := start(t, commands(), websocket.UseBroker(side{b, 1}))
	c, d, e := dial(t, one, nil), dial(t, two, nil), dial(t, two, nil)
	say(t, c, "+t", "t")
	say(t, d, "+t", "t")
	say(t, e, "+t", "t")
	fail(t, c.Write(codec.Text, []byte("t=hello")))
	expect(t, d, codec.Text, "hello")
	expect(t, e, codec.Text, "hello")
	fail(t, two.protocol.Hub().Publish("t", codec.Text, []byte("back")))
	for _, c := range []*websocket.Client{c, d, e} {
		expect(t, c, codec.Text, "back")
	}
	say(t, d, "-t", "")
	say(t, e, "-t", "")
	b.mu.Lock()
	defer b.mu.Unlock()
	if want := []string{"0+t", "1+t", "1-t"}; !slices.Equal(b.events, want) {
		t.Errorf("%q, want %q", b.events, want)
	}
}
