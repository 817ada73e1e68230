package websocket

import (
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// keeper pings the silent connections of a loop, and ends those that stay silent. One
// timer goes round all of them, a part at a time; a connection has no timer, and what
// it receives costs one store. All of it is loop only.
type keeper struct {
	conns  []*Conn
	at     int    // the next one to look at
	now    uint32 // in ms since origin, as of the last round
	origin time.Time
	timer  *weir.Timer // nil: there are no connections, or there is no pinging
}

// partSize is how many connections are looked at in one go.
const partSize = 1024

// add takes a connection up.
func (k *keeper) add(w *Conn) {
	w.place = int32(len(k.conns))
	k.conns = append(k.conns, w)
	if k.timer == nil && w.shard.protocol.options.ping > 0 {
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

// grain is the time of a round, and the precision.
func (o *options) grain() time.Duration { return min(o.ping, o.pong) / 8 }

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

// keepAlive pings a connection on which nothing was received for long, or ends it.
func (w *Conn) keepAlive() {
	s := w.shard
	o := &s.protocol.options
	silent := time.Duration(s.keeper.now-w.seen) * time.Millisecond
	unsent := w.c.WriteBufferLength()
	if unsent == 0 && w.more != nil {
		w.more.unsent = 0
	}
	switch {
	case w.bits.Load() != 0: // it is ending, or not read, so that no pong would be seen
		w.seen = s.keeper.now
	case unsent > 0:
		// A ping would have to wait behind that. As long as the peer takes some of it, it
		// is there. The system keeps a connection whose peer takes nothing for ever.
		if m := w.rare(); m.unsent != unsent {
			m.unsent, w.seen = unsent, s.keeper.now
		} else if silent >= o.ping+o.pong {
			s.counts.PongTimeouts++
			s.note()
			w.settle(ErrPongTimeout)
		}
	case w.has(flagPinged):
		if silent >= o.pong {
			s.counts.PongTimeouts++
			s.note()
			w.settle(ErrPongTimeout)
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
