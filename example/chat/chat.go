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

func (h *chat) publish(topic string, message []byte) {
	_ = h.protocol.Hub().Publish(topic, websocket.Text, message) // the error would be a broker's
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
		if len(h.rooms) >= h.limits.rooms && !h.forgetOne() {
			return errRooms
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
	c.tell(encode(entered{
		T: "room", Room: r.name, Name: c.name, Here: len(r.members), Names: r.names(), History: r.history,
	}))
	return nil
}

// leave takes a client out of the room that it is in, if any.
func (h *chat) leave(c *client) {
	if c.room != nil {
		c.room.leave(c, time.Now())
		c.room = nil
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
	c.room.remember(message, h.limits.history)
	h.publish(c.room.topic(), message)
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
	for name, r := range h.rooms {
		if !r.empty.IsZero() && time.Since(r.empty) >= h.limits.emptyFor {
			delete(h.rooms, name)
			continue
		}
		if news := r.news(); news != nil {
			h.publish(r.topic(), news)
		}
	}
}

// forgetOne makes place for a new room: the one that is empty for longest goes.
func (h *chat) forgetOne() bool {
	var oldest *room
	for _, r := range h.rooms {
		if !r.empty.IsZero() && (oldest == nil || r.empty.Before(oldest.empty)) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	delete(h.rooms, oldest.name)
	return true
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
	h.publish(watching, h.latest)
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
