package websocket

import (
	"errors"
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

var errForeign = errors.New("websocket: only Conn's methods write to a WebSocket")

// PreparedMessage is a message for many connections: it is framed once, and compressed
// once for each size of window that peers have asked for, or by each of several
// goroutines that need the first of that size at the same moment. Connections that have
// yet to write it share its bytes. It is for any goroutine.
type PreparedMessage struct {
	// set once
	kind  Kind
	data  []byte
	plain any // the frame, a []byte as it is given to Send: boxed once

	// guarded by mu
	mu         sync.Mutex
	compressed map[int]any // the same, compressed, by the size of the window; nil: none yet
}

// Prepare makes a PreparedMessage of a copy of data.
func Prepare(kind Kind, data []byte) *PreparedMessage {
	plain := codec.AppendFrame(make([]byte, 0, len(data)+codec.MaxHeader), kind, 0, data)
	return &PreparedMessage{kind: kind, plain: plain, data: plain[len(plain)-len(data):]}
}

// Len is the number of bytes of the message.
func (m *PreparedMessage) Len() int { return len(m.data) }

// size is the number of bytes of its frame.
func (m *PreparedMessage) size() int { return len(m.plain.([]byte)) }

// WritePrepared queues m, as Write does.
func (w *Conn) WritePrepared(m *PreparedMessage) error {
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	if frame := m.shared(w); frame != nil {
		return w.c.Send(frame)
	}
	return w.c.Send(m)
}

// ReplyPrepared is Reply for m. Loop only.
func (w *Conn) ReplyPrepared(m *PreparedMessage) error {
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	return w.writePrepared(m.encode(w))
}

// writePrepared writes the frame of a PreparedMessage. Loop only.
func (w *Conn) writePrepared(frame []byte, shared bool) error {
	var err error
	if shared {
		err = w.c.WriteShared(frame)
	} else {
		err = w.c.WriteFrame(frame, nil)
	}
	if err != nil {
		w.skipped()
		return err
	}
	w.shard.wrote(len(frame))
	return nil
}

// skipped is called when the last message that encode has compressed is not sent: those
// that follow must not refer to it, since the peer doesn't have it.
func (w *Conn) skipped() {
	if w.deflate != nil && w.deflate.Takeover() {
		w.deflate.Restart()
	}
}

// encode returns the frame for w, on w's loop, which is good for others, too, if it is
// shared. Otherwise it is valid until the next.
func (m *PreparedMessage) encode(w *Conn) (frame []byte, shared bool) {
	if frame, ok := m.shared(w).([]byte); ok {
		return frame, true
	}
	s := w.shard
	s.deflated = w.deflate.AppendFrame(trim(s.deflated), m.kind, m.data)
	return s.deflated, false
}

// shared returns the frame, a []byte, for w and all connections that compress like it;
// nil if w compresses with a context of its own. Any goroutine.
func (m *PreparedMessage) shared(w *Conn) any {
	z := w.deflate
	switch {
	case z == nil:
		return m.plain
	case z.Takeover():
		return nil
	}
	if frame := m.known(z.Bits()); frame != nil {
		return frame
	}
	// Without mu: a loop never waits for what another goroutine compresses, which takes
	// as long as to do it, or longer if that one does not run.
	return m.add(z.Bits(), z.AppendFrame(nil, m.kind, m.data))
}

// known returns the frame for a size of window; nil if there is none yet.
func (m *PreparedMessage) known(bits int) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.compressed[bits]
}

// add keeps a frame for a size of window, and returns the one to use: the first stays.
func (m *PreparedMessage) add(bits int, frame []byte) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first := m.compressed[bits]; first != nil {
		return first
	}
	if m.compressed == nil {
		m.compressed = make(map[int]any)
	}
	m.compressed[bits] = frame
	return m.compressed[bits]
}
