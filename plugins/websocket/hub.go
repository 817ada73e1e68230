package websocket

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Hub passes messages on to the connections that are subscribed to a topic. Each
// Protocol has one. Its methods are for any goroutine.
type Hub struct {
	// set once
	protocol *Protocol
	broker   Broker // nil: none

	// any goroutine
	published atomic.Uint64
	refused   atomic.Uint64 // by PublishLimit
	queued    atomic.Int64  // what publications that loops have yet to write count against it

	// brokerMu is held from a change of subscriptions until the broker has been told.
	// Otherwise loops could overtake each other, and it would end up with what was true
	// before. It comes before mu.
	brokerMu sync.Mutex

	// guarded by mu
	mu     sync.RWMutex
	topics map[string]*topicEntry
}

// topicEntry is who has subscribed to a topic.
type topicEntry struct {
	shards []*shard // with at least one subscriber; a new slice with each change
	count  int      // subscribers
}

// hubOptions is what options say about topics.
type hubOptions struct {
	topics      int // of a connection
	name        int // bytes
	publish     int // bytes
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

// SlowSubscribers sets what happens to subscribers that have more than so many bytes
// unsent, because their system takes no more, when a message is to be written: that
// message is dropped, or the connection closed. The default is DropSlow and 1 MiB. With
// a backlog of 0 everything must have been sent. What the system has not been offered
// yet, as it was published just now, makes nobody slow. A message that the
// connection's weir.WriteBufferLimit has no room for is treated the same way.
func SlowSubscribers(policy SlowPolicy, backlog int) Option {
	return func(o *options) { o.hub.policy, o.hub.backlog = policy, backlog }
}

// PublishLimit limits the bytes of what is published and not yet written to all
// subscribers, or dropped: each message counts once, with 256 bytes more than it has.
// Past it, Publish returns ErrPublishLimit. The default is 64 MiB.
func PublishLimit(bytes int) Option { return func(o *options) { o.hub.publish = bytes } }

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
	// goroutine, keeps the order of one goroutine's calls, and does not wait: its error
	// is ErrPublishLimit, with which nobody gets m.
	Start(deliver func(topic string, m *PreparedMessage) error)
	// Publish is told what this process has published. Its own subscribers have it
	// already. data stays as it is for good, and is not to be changed.
	Publish(topic string, kind Kind, data []byte) error
	// Subscribed tells that a topic has its first subscriber in this process. Calls
	// of Subscribed and Unsubscribed are made one at a time, in the order in which
	// that became true. One that panics does what any callback does that panics: the
	// connection that has subscribed, or unsubscribed, is closed.
	Subscribed(topic string)
	// Unsubscribed tells that it has lost the last one.
	Unsubscribed(topic string)
}

// Errors of topics.
var (
	// ErrPublishLimit is what Publish returns while as much as PublishLimit allows is
	// yet to be written: loops are slower than who publishes. Nobody gets the message.
	ErrPublishLimit = errors.New("websocket: too much is published that is not written yet")
	// ErrTooManyTopics is what Subscribe returns past MaxTopics.
	ErrTooManyTopics = errors.New("websocket: too many subscriptions")
	// ErrTopicName is what Subscribe returns for a name that is empty or too long.
	ErrTopicName = errors.New("websocket: the name of the topic is empty or too long")
)

func newHub(p *Protocol) *Hub {
	h := &Hub{protocol: p, broker: p.options.hub.broker, topics: make(map[string]*topicEntry)}
	if h.broker != nil {
		h.broker.Start(func(topic string, m *PreparedMessage) error { return h.deliver(topic, m, nil) })
	}
	return h
}

// Publish has a copy of data written to all who are subscribed to the topic when a loop
// begins to write it. It does not wait; a subscriber that does not keep up may miss it,
// see SlowSubscribers. Publications of one goroutine keep their order. The error is
// ErrPublishLimit, with which nobody gets the message, or the Broker's, with which the
// subscribers of this process do.
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
	if err := h.deliver(topic, m, except); err != nil {
		return err
	}
	h.published.Add(1)
	if h.broker != nil {
		return h.broker.Publish(topic, m.kind, m.data)
	}
	return nil
}

// deliver queues m for every loop that has subscribers, or for none.
func (h *Hub) deliver(topic string, m *PreparedMessage, except *Conn) error {
	shards := h.shards(topic)
	if len(shards) == 0 {
		return nil
	}
	b := &publication{hub: h, topic: topic, message: m, except: except}
	if !h.admit(b.cost()) {
		h.refused.Add(1)
		return ErrPublishLimit
	}
	b.loops.Store(int32(len(shards)))
	for _, s := range shards {
		s.enqueue(b)
	}
	return nil
}

// shards returns those with subscribers of a topic. The slice is not changed any more.
func (h *Hub) shards(topic string) []*shard {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if a := h.topics[topic]; a != nil {
		return a.shards
	}
	return nil
}

// admit counts cost if PublishLimit allows that.
func (h *Hub) admit(cost int64) bool {
	for {
		queued := h.queued.Load()
		if queued+cost > int64(h.protocol.options.hub.publish) {
			return false
		}
		if h.queued.CompareAndSwap(queued, queued+cost) {
			return true
		}
	}
}
