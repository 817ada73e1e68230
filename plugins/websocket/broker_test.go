package websocket_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// failing is a broker that panics where it is told to, and notes what it hears.
type failing struct {
	broken map[string]bool // methods that panic

	mu     sync.Mutex
	events []string
}

func (b *failing) Start(func(string, *websocket.PreparedMessage) error) {}

func (b *failing) Publish(topic string, _ websocket.Kind, _ []byte) error {
	return b.hear("Publish", topic)
}
func (b *failing) Subscribed(topic string)   { _ = b.hear("Subscribed", topic) }
func (b *failing) Unsubscribed(topic string) { _ = b.hear("Unsubscribed", topic) }

func (b *failing) hear(method, topic string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, method+" "+topic)
	if b.broken[method] {
		panic("broken " + method)
	}
	return nil
}

func (b *failing) heard() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.events, ", ")
}

// TestBrokerPanics: a broker that panics loses the connection whose call it was, as any
// callback does, and nothing else: its end is complete, and every topic is told of.
func TestBrokerPanics(t *testing.T) {
	for method, want := range map[string]string{
		"Publish":      "Subscribed a, Subscribed b, Subscribed c, Publish a, Unsubscribed a, Unsubscribed b, Unsubscribed c",
		"Subscribed":   "Subscribed a, Unsubscribed a",
		"Unsubscribed": "Subscribed a, Subscribed b, Subscribed c, Unsubscribed a, Unsubscribed b, Unsubscribed c",
	} {
		t.Run(method, func(t *testing.T) {
			b := &failing{broken: map[string]bool{method: true}}
			h := commands()
			s := start(t, h, websocket.UseBroker(b), websocket.Compression(codec.Deflate{Takeover: true}), websocket.KeepAlive(time.Second, time.Second))
			bystander, _ := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
			c := dial(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
			if method == "Subscribed" {
				fail(t, c.Write(codec.Text, []byte("+a")))
			} else {
				say(t, c, "+a", "a")
				say(t, c, "+b", "a,b")
				say(t, c, "+c", "a,b,c")
			}
			switch method {
			case "Publish":
				fail(t, c.Write(codec.Text, []byte("a=hello")))
			case "Unsubscribed":
				fail(t, c.CloseNow())
			}
			e := receive(t, s.ended)
			var panicked *weir.PanicError
			if errors.As(e.err, &panicked) == (method == "Unsubscribed") {
				t.Errorf("OnClose because of %v", e.err)
			}
			eventually(t, "the end is complete", func() bool {
				st := s.protocol.Stats()
				return st.Open == 1 && st.Topics == 0 && st.Memory > 0 && s.Stats().Panics == 1
			})
			if got := b.heard(); got != want {
				t.Errorf("the broker has heard %q, want %q", got, want)
			}
			fail(t, bystander.Write(codec.Text, []byte("-none")))
			expect(t, bystander, codec.Text, "")
			_ = bystander.CloseNow()
			receive(t, s.ended)
			eventually(t, "no memory is kept", func() bool { st := s.protocol.Stats(); return st.Open == 0 && st.Memory == 0 })
		})
	}
}
