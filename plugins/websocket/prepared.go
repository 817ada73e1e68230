package websocket

import (
	"errors"
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

var errForeign = errors.New("websocket: only Conn's methods write to a WebSocket")

// PreparedMessage is a message for many connections: it is framed once, and compressed
// at most once for each size of window that peers have asked for. It is for any
// goroutine.
type PreparedMessage struct {
	// set once
	kind  Kind
	data  []byte
	plain []byte // the frame

	// guarded by mu
	mu         sync.Mutex
	compressed [16][]byte // the frames, by the size of the window
}

// Prepare makes a PreparedMessage of a copy of data.
func Prepare(kind Kind, data []byte) *PreparedMessage {
	plain := codec.AppendFrame(make([]byte, 0, len(data)+codec.MaxHeader), kind, 0, data)
	return &PreparedMessage{kind: kind, plain: plain, data: plain[len(plain)-len(data):]}
}

// Len is the number of bytes of the message.
func (m *PreparedMessage) Len() int { return len(m.data) }

// WritePrepared queues m, as Write does.
func (w *Conn) WritePrepared(m *PreparedMessage) error {
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	return w.c.Send(m)
}

// ReplyPrepared is Reply for m. Loop only.
func (w *Conn) ReplyPrepared(m *PreparedMessage) error {
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	p := m.encode(w)
	if err := w.c.WriteFrame(p, nil); err != nil {
		if w.deflate != nil && w.deflate.Takeover() {
			w.c.CloseWithError(weir.ErrSlowConsumer)
		}
		return err
	}
	w.shard.wrote(len(p))
	return nil
}

// encode returns the frame for w, on w's loop. A connection whose messages have a
// context in common has one of its own, valid until the next.
func (m *PreparedMessage) encode(w *Conn) []byte {
	z := w.deflate
	if z == nil {
		return m.plain
	}
	if z.Takeover() {
		s := w.shard
		s.deflated = z.AppendFrame(trim(s.deflated), m.kind, m.data)
		return s.deflated
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	variant := &m.compressed[z.Bits()&15]
	if *variant == nil {
		*variant = z.AppendFrame(nil, m.kind, m.data)
	}
	return *variant
}
