package websocket

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/go-weir/weir"
)

// Hub passes messages on to the connections that are subscribed to a topic. Each
// Protocol has one. Its methods are for any goroutine.
type Hub struct {
	// set once
	protocol *Protocol
	broker   Broker // nil: none

	// any goroutine
	published atomic.Uint64

	// telling is held from a change to the end of the broker's being told: loops would
	// overtake each other else, and it believe what was true before. It comes before mu.
	telling sync.Mutex

	// guarded by mu
	mu     sync.RWMutex
	topics map[string]*audience
}

// audience is who has subscribed to a topic.
type audience struct {
	shards []*shard // with at least one subscriber; a new slice with each change
	count  int      // subscribers
}

// hubOptions is what options say about topics.
type hubOptions struct {
	topics      int // of a connection
	name        int // bytes
	backlog     int // bytes
	policy      SlowPolicy
	onSubscribe func(c *Conn, topic string) error
	broker      Broker
}

// SlowPolicy says what happens to a subscriber that does not keep up.
type SlowPolicy int

const (
	// DropSlow leaves out messages.
	DropSlow SlowPolicy = iota
	// CloseSlow closes the connection with TryAgainLater.
	CloseSlow
)

// SlowSubscribers sets what happens to subscribers of which more than so many bytes are
// unsent when a message is published: that message is dropped, or the connection
// closed. The default is DropSlow and 1 MiB. A backlog of 0 means that everything must
// have been sent.
func SlowSubscribers(policy SlowPolicy, backlog int) Option {
	return func(o *options) { o.hub.policy, o.hub.backlog = policy, backlog }
}

// MaxTopics limits how many topics a connection may subscribe to, 1,024 by default.
func MaxTopics(n int) Option { return func(o *options) { o.hub.topics = n } }

// MaxTopicName limits the names of topics, to 256 bytes by default.
func MaxTopicName(bytes int) Option { return func(o *options) { o.hub.name = bytes } }

// OnSubscribe has f decide about each subscription: an error refuses it, and is what
// Subscribe returns. It runs on the loop and must not block.
func OnSubscribe(f func(c *Conn, topic string) error) Option {
	return func(o *options) { o.hub.onSubscribe = f }
}

// UseBroker connects the Hub to those of other processes.
func UseBroker(b Broker) Option { return func(o *options) { o.hub.broker = b } }

// Broker carries what is published from one process to the others. A Hub without one
// is alone. Its methods may be called by any goroutine, loops included: they must not
// block.
type Broker interface {
	// Start is called once, by New, with the function that passes what other
	// processes have published on to the subscribers of this one. It is for any
	// goroutine, and keeps the order of one goroutine's calls.
	Start(deliver func(topic string, m *PreparedMessage))
	// Publish is told what this process has published. Its own subscribers have it
	// already. data stays as it is for good, and is not to be changed.
	Publish(topic string, kind Kind, data []byte) error
	// Subscribed tells that a topic has its first subscriber in this process. Calls
	// of Subscribed and Unsubscribed are made one at a time, in the order in which
	// that became true.
	Subscribed(topic string)
	// Unsubscribed tells that it has lost the last one.
	Unsubscribed(topic string)
}

// Errors of subscriptions.
var (
	// ErrTooManyTopics is what Subscribe returns past MaxTopics.
	ErrTooManyTopics = errors.New("websocket: too many subscriptions")
	// ErrTopicName is what Subscribe returns for a name that is empty or too long.
	ErrTopicName = errors.New("websocket: the name of the topic is empty or too long")
)

func newHub(p *Protocol) *Hub {
	h := &Hub{protocol: p, broker: p.options.hub.broker, topics: make(map[string]*audience)}
	if h.broker != nil {
		h.broker.Start(func(topic string, m *PreparedMessage) { h.deliver(topic, m, nil) })
	}
	return h
}

// Publish has a copy of data written to all subscribers of the topic. It does not wait;
// a subscriber that does not keep up may miss it, see SlowSubscribers. The error is the
// Broker's. Publications of one goroutine keep their order.
func (h *Hub) Publish(topic string, kind Kind, data []byte) error {
	return h.publish(topic, Prepare(kind, data), nil)
}

// PublishPrepared is Publish for a message that is used several times.
func (h *Hub) PublishPrepared(topic string, m *PreparedMessage) error {
	return h.publish(topic, m, nil)
}

// Publish is Hub.Publish to all subscribers but this connection.
func (w *Conn) Publish(topic string, kind Kind, data []byte) error {
	return w.Hub().publish(topic, Prepare(kind, data), w)
}

// Subscribers is the number of connections that are subscribed to the topic in this
// process.
func (h *Hub) Subscribers(topic string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if a := h.topics[topic]; a != nil {
		return a.count
	}
	return 0
}

// size is the number of topics.
func (h *Hub) size() int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return int64(len(h.topics))
}

func (h *Hub) publish(topic string, m *PreparedMessage, except *Conn) error {
	h.published.Add(1)
	h.deliver(topic, m, except)
	if h.broker != nil {
		return h.broker.Publish(topic, m.kind, m.data)
	}
	return nil
}

// deliver gives every loop that has subscribers one task.
func (h *Hub) deliver(topic string, m *PreparedMessage, except *Conn) {
	var shards []*shard
	h.mu.RLock()
	if a := h.topics[topic]; a != nil {
		shards = a.shards
	}
	h.mu.RUnlock()
	for _, s := range shards {
		_ = s.loop.Execute(func() { s.share(topic, m, except) }) // an error means that it has no connections any more
	}
}

// share writes m to the subscribers of one loop.
func (s *shard) share(name string, m *PreparedMessage, except *Conn) {
	t := s.topics[name]
	if t == nil {
		return
	}
	for _, e := range t.members {
		if e.conn != except {
			s.give(e.conn, m)
		}
	}
	s.note()
}

// give writes m to one subscriber, unless it is slow.
func (s *shard) give(w *Conn, m *PreparedMessage) {
	o := &s.protocol.options.hub
	if w.bits.Load()&bitClosing != 0 {
		return
	}
	if w.c.WriteBufferLength() <= int64(o.backlog) {
		switch err := w.ReplyPrepared(m); {
		case err == nil:
			s.counts.Delivered++
			return
		case errors.Is(err, weir.ErrConnectionClosed):
			return // it is ending for another reason
		}
	}
	s.counts.Dropped++
	if o.policy == CloseSlow && w.bits.Load()&bitClosing == 0 {
		s.counts.SlowEnded++
		w.sendClose(TryAgainLater, "too slow for what it has subscribed to")
		w.settle(weir.ErrSlowConsumer)
	}
}
