package main

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
)

// chat is all rooms. A room is a topic of the protocol's hub: who is in it has
// subscribed, and each loop's share of a message is written by one task.
type chat struct {
	// set once
	limits   limits
	protocol *websocket.Protocol

	// any goroutine
	stopping atomic.Bool // for /healthz

	// guarded by mu, which is held while messages are numbered, remembered and
	// published: so all who are in a room get them in one order, and who comes has each
	// in the history or is sent it.
	mu     sync.Mutex
	rooms  map[string]*room
	empty  []vacancy // in the order in which they have become empty
	online int
	said   uint64 // number of the last message, in any room
	rates  rates
	latest []byte // the last stats
}

// rates turns counts into rates.
type rates struct {
	at              time.Time
	said, delivered uint64
}

// watching is the topic of those who watch.
const watching = "stats"

func newChat(l limits) *chat {
	return &chat{limits: l, rooms: make(map[string]*room)}
}

// publish fails if the loops are that far behind what is published already.
func (h *chat) publish(topic string, message []byte) error {
	return h.protocol.Hub().Publish(topic, websocket.Text, message)
}

// join has a client enter a room.
func (h *chat) join(c *client, roomName, name string, now time.Time) error {
	roomName, ok := h.limits.cleanRoom(roomName)
	if !ok {
		return errRoom
	}
	if name, ok = h.limits.cleanName(name); !ok {
		return errName
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[roomName]
	if r == nil {
		if len(h.rooms) >= h.limits.rooms {
			for len(h.empty) > 0 && !h.forget() {
			}
		}
		r = newRoom(roomName)
		h.rooms[roomName] = r
	}
	if c.room != nil {
		c.conn.Unsubscribe(c.room.topic())
		h.leave(c)
	}
	c.name = r.enter(c, name, h.limits.name)
	c.room = r
	if err := c.conn.Subscribe(r.topic()); err != nil { // it is ending
		h.leave(c)
		return nil
	}
	r.trim(h.remembered())
	c.tell(encode(entered{
		T: "room", Room: r.name, Name: c.name, Here: len(r.members), Names: r.names(), History: r.history,
	}))
	return nil
}

// leave takes a client out of the room that it is in, if any.
func (h *chat) leave(c *client) {
	if r := c.room; r != nil {
		c.room = nil
		if r.leave(c, time.Now()) {
			h.empty = append(h.empty, vacancy{r, r.empty})
		}
	}
}

// say passes a text on to all in the client's room, itself included.
func (h *chat) say(c *client, text string, now time.Time) error {
	if c.room == nil {
		return errNoRoom
	}
	text, ok := h.limits.cleanText(text)
	if !ok {
		return errText
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said++
	message := encode(said{"say", h.said, now.UnixMilli(), c.name, text})
	if h.publish(c.room.topic(), message) != nil {
		return errBusy
	}
	c.room.remember(message, h.remembered())
	return nil
}

// watch has a client told of all rooms.
func (h *chat) watch(c *client) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.conn.Subscribe(watching) == nil && h.latest != nil {
		c.tell(h.latest)
	}
	return nil
}

// tick tells rooms who is there, and forgets those where nobody was for long. So many
// who come at a time are one message for each who is there, and not one for each pair.
func (h *chat) tick() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.empty) > 0 && time.Since(h.empty[0].since) >= h.limits.emptyFor {
		h.forget()
	}
	most := h.remembered()
	for _, r := range h.rooms {
		r.trim(most)
		if news := r.news(); news != nil {
			_ = h.publish(r.topic(), news) // the next ones say who is there, too
		}
	}
}

// vacancy is that a room became empty. If somebody came later, it is out of date.
type vacancy struct {
	room  *room
	since time.Time
}

// forget takes the first vacancy off, and forgets its room if nobody came since. It
// reports whether it has.
func (h *chat) forget() bool {
	v := h.empty[0]
	h.empty = h.empty[1:]
	r := v.room
	if h.rooms[r.name] != r || !r.empty.Equal(v.since) {
		return false
	}
	delete(h.rooms, r.name)
	return true
}

// remembered is how long the history of a room may be: all of them together are no more
// than those of limits.rooms, but for one message each.
func (h *chat) remembered() int {
	return max(h.limits.history*h.limits.rooms/max(len(h.rooms), h.limits.rooms), 1)
}

// tellStats tells those who watch.
func (h *chat) tellStats() {
	delivered, now := h.protocol.Stats().Delivered, time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.rates
	h.rates = rates{now, h.said, delivered}
	if last.at.IsZero() {
		return
	}
	seconds := now.Sub(last.at).Seconds()
	s := stats{
		T: "stats", Online: h.online, Total: len(h.rooms), Rooms: h.largest(),
		Said: float64(h.said-last.said) / seconds,
		Out:  float64(delivered-last.delivered) / seconds,
	}
	h.latest = encode(s)
	_ = h.publish(watching, h.latest) // the next ones come in a second
}

// largest returns the rooms with the most people.
func (h *chat) largest() []roomCount {
	all := make([]roomCount, 0, len(h.rooms))
	for _, r := range h.rooms {
		all = append(all, roomCount{r.name, len(r.members)})
	}
	slices.SortFunc(all, func(a, b roomCount) int {
		return cmp.Or(cmp.Compare(b.Here, a.Here), strings.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), roomsShown)]
}
