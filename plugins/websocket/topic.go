package websocket

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/go-weir/weir"
)

// subscriptions are those of one connection. Loop only.
type subscriptions struct {
	list  []*member          // in the order in which they came; nil: one that has ended
	count int                // of those that have not
	index map[string]*member // by the topic's name; nil: the list is short enough to be looked through
}

// shortList is how many subscriptions need no index.
const shortList = 16

// topic is the subscribers of one loop. Loop only.
type topic struct {
	name    string
	members []*member
}

// member is a subscription: a connection in a topic.
type member struct {
	conn  *Conn
	topic *topic
	place int32 // in topic.members
	order int32 // in the list of the connection's subscriptions
}

// Subscribe subscribes the connection to a topic, until Unsubscribe or its end. The
// second time it does nothing. It may return ErrTopicName, ErrTooManyTopics,
// weir.ErrConnectionClosed, or what the OnSubscribe function has returned. Loop only.
func (w *Conn) Subscribe(name string) error {
	o := &w.shard.protocol.options.hub
	switch {
	case w.has(flagEnded):
		return weir.ErrConnectionClosed
	case name == "" || len(name) > o.name:
		w.shard.refusedTopic()
		return ErrTopicName
	case w.member(name) != nil:
		return nil
	case w.rare().topics.count >= o.topics:
		w.shard.refusedTopic()
		return ErrTooManyTopics
	}
	if o.onSubscribe != nil {
		if err := o.onSubscribe(w, name); err != nil {
			return err
		}
		if w.member(name) != nil { // that function has subscribed it
			return nil
		}
	}
	h, s := w.Hub(), w.shard
	defer h.lockBroker()()
	t := s.topics[name]
	if t == nil {
		t = &topic{name: name}
		s.topics[name] = t
	}
	e := &member{conn: w, topic: t, place: int32(len(t.members))}
	t.members = append(t.members, e)
	w.more.topics.add(e)
	if h.joined(s, name, len(t.members) == 1) && h.broker != nil {
		h.broker.Subscribed(name)
	}
	return nil
}

// Unsubscribe ends a subscription, and reports whether there was one. Loop only.
func (w *Conn) Unsubscribe(name string) bool {
	e := w.member(name)
	if e == nil {
		return false
	}
	h := w.Hub()
	defer h.lockBroker()()
	w.more.topics.remove(e)
	if e.leave() && h.broker != nil {
		h.broker.Unsubscribed(name)
	}
	return true
}

// Topics returns the names of the topics that the connection is subscribed to, in the
// order of the subscriptions. Loop only.
func (w *Conn) Topics() []string {
	if w.more == nil {
		return nil
	}
	names := make([]string, 0, w.more.topics.count)
	for _, e := range w.more.topics.list {
		if e != nil {
			names = append(names, e.topic.name)
		}
	}
	return names
}

// member returns the connection's subscription to a topic; nil if it has none.
func (w *Conn) member(name string) *member {
	if w.more == nil {
		return nil
	}
	return w.more.topics.find(name)
}

func (l *subscriptions) find(name string) *member {
	if l.index != nil {
		return l.index[name]
	}
	for _, e := range l.list {
		if e != nil && e.topic.name == name {
			return e
		}
	}
	return nil
}

func (l *subscriptions) add(e *member) {
	e.order = int32(len(l.list))
	l.list = append(l.list, e)
	l.count++
	switch {
	case l.index != nil:
		l.index[e.topic.name] = e
	case len(l.list) > shortList:
		l.index = make(map[string]*member, 2*shortList)
		for _, e := range l.list {
			if e != nil {
				l.index[e.topic.name] = e
			}
		}
	}
}

// remove takes e out. Gaps stay in the list until they are more than the rest.
func (l *subscriptions) remove(e *member) {
	l.list[e.order] = nil
	l.count--
	delete(l.index, e.topic.name)
	if l.count > len(l.list)/2 {
		return
	}
	l.list = slices.DeleteFunc(l.list, func(e *member) bool { return e == nil })
	for i, e := range l.list {
		e.order = int32(i)
	}
	if l.count == 0 {
		*l = subscriptions{}
	}
}

// unsubscribeAll ends all subscriptions of a connection that has ended. If the broker
// panics, that goes on when everything is done.
func (w *Conn) unsubscribeAll() {
	if w.more == nil || w.more.topics.count == 0 {
		return
	}
	h := w.Hub()
	defer h.lockBroker()()
	var gone []string
	for _, e := range w.more.topics.list {
		if e != nil && e.leave() && h.broker != nil {
			gone = append(gone, e.topic.name)
		}
	}
	w.more.topics = subscriptions{}
	h.unsubscribed(gone)
}

// leave takes e out of its topic, and reports whether that was the last subscriber of
// all. The broker has yet to be told.
func (e *member) leave() (last bool) {
	t, s := e.topic, e.conn.shard
	s.round.remove(t, int(e.place))
	empty := len(t.members) == 0
	if empty {
		delete(s.topics, t.name)
	}
	return s.protocol.hub.left(s, t.name, empty)
}

// move puts the member at one place to another.
func (t *topic) move(from, to int) {
	if from != to {
		t.members[to] = t.members[from]
		t.members[to].place = int32(to)
	}
}

// lockBroker has the broker told of what changes until the function that it returns is
// called, and of nothing else meanwhile.
func (h *Hub) lockBroker() (unlock func()) {
	if h.broker == nil {
		return func() {}
	}
	h.brokerMu.Lock()
	return h.brokerMu.Unlock
}

// unsubscribed tells the broker of topics without subscribers, of all of them whatever
// it does meanwhile. With brokerMu held.
func (h *Hub) unsubscribed(names []string) {
	told := 0
	defer func() {
		if told < len(names) { // runtime.Goexit
			h.unsubscribed(names[told:])
		}
	}()
	var failed error
	for told < len(names) {
		told++
		if err := h.tellUnsubscribed(names[told-1]); failed == nil {
			failed = err
		}
	}
	if failed != nil {
		panic(failed)
	}
}

// tellUnsubscribed returns a panic of the broker as an error.
func (h *Hub) tellUnsubscribed(name string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("websocket: Broker.Unsubscribed(%q) has panicked: %v\n%s", name, v, debug.Stack())
		}
	}()
	h.broker.Unsubscribed(name)
	return nil
}

// joined counts a subscriber of a shard, which is its first one for that topic or not,
// and reports whether it is the first of all.
func (h *Hub) joined(s *shard, name string, first bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.topics[name]
	if a == nil {
		a = new(topicEntry)
		h.topics[name] = a
	}
	if first {
		a.shards = append(a.shards, s) // who has read it before doesn't look behind its end
	}
	a.count++
	return a.count == 1
}

// left undoes joined, and reports whether that was the last of all.
func (h *Hub) left(s *shard, name string, last bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.topics[name]
	if last {
		i := slices.Index(a.shards, s)
		a.shards = slices.Concat(a.shards[:i], a.shards[i+1:])
	}
	if a.count--; a.count > 0 {
		return false
	}
	delete(h.topics, name)
	return true
}
