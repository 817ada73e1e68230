package websocket

import (
	"sync"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// holders are the connections whose unfinished messages take the most memory. When all
// together come near the PinnedLimit, the largest of them has to go, and of several the
// one that has held it for the longest: so a few that never finish can't keep the others
// from anything. What it leaves free of the limit is for those who need it meanwhile.
type holders struct {
	// set once
	codec *codec.Codec
	least int // bytes from which on a connection is one: there are a thousand at most
	near  int // bytes that all may take together

	// guarded by mu
	mu      sync.Mutex
	held    map[*Conn]holding
	count   uint64
	leaving int // bytes of those that have been told to go
}

// holding is what a connection holds, and since when: before all with a greater number.
type holding struct {
	bytes int
	since uint64
}

func (h *holders) init(c *codec.Codec) {
	limit := c.Limits().Pinned
	h.codec, h.least, h.near = c, max(limit/1024, 1), limit-limit/8
	h.held = make(map[*Conn]holding)
}

// noteHeld notes how much w's unfinished message takes, which changes as often as its
// buffer grows. Loop only.
func (w *Conn) noteHeld() {
	n := w.decoder.Pinned()
	if n == 0 && (w.more == nil || w.more.held == 0) {
		return
	}
	h := &w.shard.protocol.holders
	if n < h.least {
		n = 0
	}
	m := w.rare()
	if m.held == n {
		return
	}
	m.held = n
	h.mu.Lock()
	defer h.mu.Unlock()
	if n == 0 {
		delete(h.held, w)
		return
	}
	have, ok := h.held[w]
	if !ok {
		h.count++
		have.since = h.count
	}
	have.bytes = n
	h.held[w] = have
	for h.codec.Pinned()-h.leaving > h.near {
		if !h.dismiss() {
			break
		}
	}
}

// dismiss has the largest holder go, and reports whether there was one. With mu held.
func (h *holders) dismiss() bool {
	var largest *Conn
	var most holding
	for w, held := range h.held {
		if held.bytes > most.bytes || held.bytes == most.bytes && held.since < most.since {
			largest, most = w, held
		}
	}
	if largest == nil {
		return false
	}
	delete(h.held, largest)
	h.leaving += most.bytes
	if largest.shard.loop.Execute(func() { largest.dismissed(most.bytes) }) != nil {
		h.leaving -= most.bytes // its loop has ended, and it with that
	}
	return true
}

// dismissed ends a connection for the memory of its unfinished message, unless that has
// come to its end meanwhile. It is run by the loop, and not for the connection, which
// may have ended.
func (w *Conn) dismissed(bytes int) {
	h := &w.shard.protocol.holders
	h.forget(w)
	if w.decoder.Pinned() > 0 && !w.has(flagSettled|flagEnded) {
		w.fail(codec.ErrTooMuchPending)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaving -= bytes
}

// forget takes w off: since it was told to go, it may have been noted again. Loop only.
func (h *holders) forget(w *Conn) {
	w.more.held = 0
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, w)
}
