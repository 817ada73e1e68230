package websocket

import (
	"slices"

	"github.com/go-weir/weir"
)

// topic is the subscribers of one loop. Loop only.
type topic struct {
	name    string
	members []*member
}

// member is a subscription: a connection in a topic.
type member struct {
	conn  *Conn
	topic *topic
	place int // in topic.members
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
	case w.member(name) >= 0:
		return nil
	case len(w.rare().topics) >= o.topics:
		w.shard.refusedTopic()
		return ErrTooManyTopics
	}
	if o.onSubscribe != nil {
		if err := o.onSubscribe(w, name); err != nil {
			return err
		}
		if w.member(name) >= 0 { // that function has subscribed it
			return nil
		}
	}
	s := w.shard
	t := s.topics[name]
	if t == nil {
		t = &topic{name: name}
		s.topics[name] = t
	}
	e := &member{conn: w, topic: t, place: len(t.members)}
	t.members = append(t.members, e)
	w.more.topics = append(w.more.topics, e)
	w.Hub().joined(s, name, len(t.members) == 1)
	return nil
}

// Unsubscribe ends a subscription, and reports whether there was one. Loop only.
func (w *Conn) Unsubscribe(name string) bool {
	i := w.member(name)
	if i < 0 {
		return false
	}
	e := w.more.topics[i]
	w.more.topics = slices.Delete(w.more.topics, i, i+1)
	e.leave()
	return true
}

// Topics returns the names of the topics that the connection is subscribed to, in the
// order of the subscriptions. Loop only.
func (w *Conn) Topics() []string {
	if w.more == nil {
		return nil
	}
	names := make([]string, len(w.more.topics))
	for i, e := range w.more.topics {
		names[i] = e.topic.name
	}
	return names
}

// member returns the place of a topic among those of the connection; -1 if it is none.
func (w *Conn) member(name string) int {
	if w.more == nil {
		return -1
	}
	return slices.IndexFunc(w.more.topics, func(e *member) bool { return e.topic.name == name })
}

// unsubscribeAll ends all subscriptions of a connection that has ended.
func (w *Conn) unsubscribeAll() {
	if w.more == nil {
		return
	}
	for _, e := range w.more.topics {
		e.leave()
	}
	w.more.topics = nil
}

// leave takes e out of its topic; the last member takes its place.
func (e *member) leave() {
	t, s := e.topic, e.conn.shard
	last := len(t.members) - 1
	moved := t.members[last]
	t.members[e.place], moved.place = moved, e.place
	t.members[last] = nil
	if t.members = t.members[:last]; last == 0 {
		delete(s.topics, t.name)
	}
	s.protocol.hub.left(s, t.name, last == 0)
}

// joined counts a subscriber of a shard, which is its first one for that topic or not.
func (h *Hub) joined(s *shard, name string, first bool) {
	if h.broker != nil {
		h.telling.Lock()
		defer h.telling.Unlock()
	}
	h.mu.Lock()
	a := h.topics[name]
	if a == nil {
		a = new(audience)
		h.topics[name] = a
	}
	if first {
		a.shards = append(slices.Clip(a.shards), s)
	}
	a.count++
	news := a.count == 1
	h.mu.Unlock()
	if news && h.broker != nil {
		h.broker.Subscribed(name)
	}
}

// left undoes joined.
func (h *Hub) left(s *shard, name string, last bool) {
	if h.broker != nil {
		h.telling.Lock()
		defer h.telling.Unlock()
	}
	h.mu.Lock()
	a := h.topics[name]
	if last {
		i := slices.Index(a.shards, s)
		a.shards = slices.Concat(a.shards[:i], a.shards[i+1:])
	}
	a.count--
	news := a.count == 0
	if news {
		delete(h.topics, name)
	}
	h.mu.Unlock()
	if news && h.broker != nil {
		h.broker.Unsubscribed(name)
	}
}
