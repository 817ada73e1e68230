package websocket

import (
	"errors"

	"github.com/go-weir/weir/plugins/websocket/codec"
	"github.com/go-weir/weir/ringbuffer"
)

// read is UnPacket: it returns the next message, and deals with control frames.
func (w *Conn) read(buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	w.seen = w.shard.keeper.now
	w.flags &^= flagPinged
	for !w.has(flagSettled) {
		if w.bits.Load()&bitInflates != 0 {
			w.followBits() // the program may have resumed it by Connection
			return nil, nil
		}
		p, _ := buffer.PeekAll()
		m, n, err := w.decoder.Next(p)
		buffer.Retrieve(n)
		switch {
		case err != nil:
			w.fail(err)
		case m.Kind == 0:
			if buffer.IsEmpty() {
				w.noteHeld()
				return nil, nil
			}
		case m.Kind.Control():
			w.control(m)
		case w.bits.Load()&bitClosing != 0: // nobody could answer
		case m.Compressed:
			if data, ok := w.inflate(m); ok {
				return w.deliver(m.Kind, data)
			}
		default:
			return w.deliver(m.Kind, m.Data)
		}
	}
	buffer.RetrieveAll()
	return nil, nil
}

// deliver returns what OnMessage gets. An empty message is one, too.
func (w *Conn) deliver(k Kind, data []byte) (ctx any, payload []byte) {
	s := w.shard
	w.kind = k
	s.counts.MessagesIn++
	s.counts.BytesIn += uint64(len(data))
	s.note()
	return w, data
}

// control deals with a control frame.
func (w *Conn) control(m codec.Message) {
	s := w.shard
	s.note()
	switch m.Kind {
	case codec.Ping:
		s.counts.PingsIn++
		if !w.has(flagCloseSent) {
			w.frame(codec.Pong, m.Data)
		}
	case codec.Pong:
		s.counts.PongsIn++
	case codec.Close:
		w.closedByPeer(m.Code, string(m.Data))
	}
}

// frame writes a control frame.
func (w *Conn) frame(k Kind, payload []byte) {
	s := w.shard
	s.header = codec.AppendHeader(s.header[:0], k, 0, len(payload))
	if w.c.WriteFrame(s.header, payload) == nil { // else it is ending, or the peer takes nothing anyway
		s.counts.Controls++
	}
}

// fail ends the connection because of what the peer has sent.
func (w *Conn) fail(err error) {
	var broken *codec.Error
	if !errors.As(err, &broken) {
		broken = &codec.Error{Code: InternalError, Reason: err.Error()}
	}
	limits := &w.shard.counts.Limits
	switch broken {
	case codec.ErrMessageTooBig:
		limits.Message++
	case codec.ErrTooManyFrames:
		limits.Frames++
	case codec.ErrInflatedTooBig:
		limits.Inflated++
	case codec.ErrTooMuchPending:
		limits.Pinned++
	case errMessageTime:
		limits.Time++
	}
	w.shard.note()
	w.finish(func() {
		w.sendClose(broken.Code, broken.Reason)
		w.endWith(broken)
	})
}
