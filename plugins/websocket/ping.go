package websocket

import (
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// keeper pings the silent connections of a loop, and ends those that stay silent, and
// those that take too long for a message. One timer goes round all of them, a part at a
// time; a connection has no timer, and what it receives costs one store. All of it is
// loop only.
type keeper struct {
	conns  []*Conn
	at     int    // the next one to look at
	now    uint32 // in ms since origin, as of the last round
	origin time.Time
	timer  *weir.Timer // nil: there are no connections, or nothing to keep
}

// partSize is how many connections are looked at in one go.
const partSize = 1024

// add takes a connection up.
func (k *keeper) add(w *Conn) {
	w.place = int32(len(k.conns))
	k.conns = append(k.conns, w)
	if k.timer == nil && w.shard.protocol.options.grain() > 0 {
		if k.origin.IsZero() {
			k.origin = time.Now()
		}
		k.tick()
		k.arm(w.shard)
	}
	w.seen = k.now
}

// remove lets go of one that has ended.
func (k *keeper) remove(w *Conn) {
	last := len(k.conns) - 1
	moved := k.conns[last]
	k.conns[w.place], moved.place = moved, w.place
	k.conns[last] = nil
	if k.conns = k.conns[:last]; last == 0 {
		k.stop()
	}
}

func (k *keeper) stop() {
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	k.conns, k.at = nil, 0
}

func (k *keeper) tick() { k.now = uint32(time.Since(k.origin) / time.Millisecond) }

// parts is in how many parts a round is made.
func (k *keeper) parts() int { return len(k.conns)/partSize + 1 }

// grain is the time of a round, and the precision; 0 if there is nothing to keep.
func (o *options) grain() time.Duration {
	const parts = 8
	switch {
	case o.ping == 0:
		return o.messageTime / parts
	case o.messageTime == 0:
		return min(o.ping, o.pong) / parts
	}
	return min(o.ping, o.pong, o.messageTime) / parts
}

func (k *keeper) arm(s *shard) {
	every := s.protocol.options.grain() / time.Duration(k.parts())
	k.timer = s.loop.RunAfter(every, func() {
		k.tick()
		for range min(len(k.conns), (len(k.conns)+k.parts()-1)/k.parts()) {
			if k.at >= len(k.conns) {
				k.at = 0
			}
			k.conns[k.at].keepAlive()
			k.at++
		}
		k.arm(s)
	})
}

// keepAlive looks after a connection.
func (w *Conn) keepAlive() {
	s := w.shard
	o := &s.protocol.options
	if bits := w.bits.Load(); bits != 0 { // it is ending, or not read, so that no pong would be seen
		w.seen = s.keeper.now
		w.decoder.Mark(s.keeper.now, true)
		if bits&bitClosing == 0 && o.ping > 0 {
			w.behind() // it is perhaps not read because the peer takes nothing
		}
		return
	}
	since, received, ok := w.decoder.Mark(s.keeper.now, false)
	if ok && o.messageTime > 0 && s.keeper.after(since) >= o.messageTime+time.Duration(received/o.messageRate)*time.Second {
		w.fail(errMessageTime)
		return
	}
	if o.ping > 0 && !w.behind() {
		w.pingSilent()
	}
}

// after is how long ago a time of the keeper was.
func (k *keeper) after(t uint32) time.Duration { return time.Duration(k.now-t) * time.Millisecond }

// behind reports whether the peer has yet to take what was written, so that a ping would
// have to wait, or waits. As long as it takes some of it, it is there; one that takes
// nothing is ended: the system keeps such a connection for ever. It asks the system
// only if there is a reason to.
func (w *Conn) behind() bool {
	s := w.shard
	o := &s.protocol.options
	silent := s.keeper.after(w.seen)
	due := w.has(flagBehind) || silent >= o.ping+o.grain() || w.has(flagPinged) && silent >= o.pong
	switch {
	case w.c.WriteBufferLength() > 0 || due && w.c.Unacknowledged() > 0:
		w.flags |= flagBehind
		if w.c.SinceProgress() >= o.ping+o.pong {
			w.endSilent()
		}
		return true
	case w.has(flagBehind):
		w.flags &^= flagBehind
		if w.has(flagPinged) { // the time for the pong begins only now
			w.seen = s.keeper.now
		}
	}
	return false
}

// pingSilent pings a connection on which nothing was received for long, or ends it.
func (w *Conn) pingSilent() {
	s := w.shard
	o := &s.protocol.options
	silent := s.keeper.after(w.seen)
	switch {
	case w.has(flagPinged):
		if silent >= o.pong {
			w.endSilent()
		}
	case silent >= o.ping+o.grain():
		w.flags |= flagPinged
		w.seen = s.keeper.now
		s.header = codec.AppendHeader(s.header[:0], codec.Ping, 0, 0)
		if w.c.WriteFrame(s.header, nil) == nil {
			s.counts.PingsOut++
			s.note()
		}
	}
}

// endSilent ends a connection whose peer is gone.
func (w *Conn) endSilent() {
	w.shard.counts.PongTimeouts++
	w.shard.note()
	w.endWith(ErrPongTimeout)
}
