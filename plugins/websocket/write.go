package websocket

import (
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// WriteText queues a text message. p, which must be UTF-8 and is not looked at, is
// copied. It never waits.
//
// A nil error means that the message will be written unless the connection ends first.
// weir.ErrConnectionClosed and weir.ErrWriteBufferFull (see weir.WriteBufferLimit) mean
// that nothing was queued. Messages of one goroutine keep their order.
func (w *Conn) WriteText(p []byte) error { return w.queue(codec.Text, p, true) }

// WriteBinary is WriteText for a binary message.
func (w *Conn) WriteBinary(p []byte) error { return w.queue(codec.Binary, p, true) }

// Write is WriteText or WriteBinary, by kind.
func (w *Conn) Write(kind Kind, p []byte) error { return w.queue(kind, p, true) }

// WritePlain is Write for a message that is not to be compressed, because it is already,
// or because a secret stands beside what an attacker may choose.
func (w *Conn) WritePlain(kind Kind, p []byte) error { return w.queue(kind, p, false) }

// Ping queues a ping with p, of which 125 bytes are sent at most. The peer's pong is
// not reported; it counts as a sign of life.
func (w *Conn) Ping(p []byte) error {
	return w.queue(codec.Ping, p[:min(len(p), codec.MaxControl)], false)
}

// Reply writes a message to what the current callback writes, which all goes out in one
// write(2): no lock, no allocation. It goes out before what was queued by other methods
// meanwhile. The errors are those of WriteText. Loop only.
func (w *Conn) Reply(kind Kind, p []byte) error {
	s := w.shard
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	if w.deflate != nil {
		return w.replyCompressed(kind, p)
	}
	s.header = codec.AppendHeader(s.header[:0], kind, 0, len(p))
	if err := w.c.WriteFrame(s.header, p); err != nil {
		return err
	}
	s.counts.MessagesOut++
	s.counts.BytesOut += uint64(len(s.header) + len(p))
	s.note()
	return nil
}

func (w *Conn) replyCompressed(kind Kind, p []byte) error {
	s := w.shard
	s.deflated = w.deflate.AppendFrame(s.deflated[:0], kind, p)
	n := len(s.deflated)
	err := w.c.WriteFrame(s.deflated, nil)
	s.deflated = trim(s.deflated)
	if err != nil {
		w.skipped()
		return err
	}
	s.wrote(n)
	return nil
}

// wrote counts a message that was written.
func (s *shard) wrote(bytes int) {
	s.counts.MessagesOut++
	s.counts.BytesOut += uint64(bytes)
	s.note()
}

// frame is what is given to weir's Send: it is turned into bytes, or is some already.
type frame struct {
	kind     Kind
	compress bool // on the loop, where buf is the payload and not a frame
	code     Code // of a Close
	reason   string
	buf      []byte
}

// Len is what the frame counts against the limit.
func (f *frame) Len() int { return len(f.buf) }

const (
	// keptScratch is how large a buffer is at most that is kept.
	keptScratch = 64 << 10
	// worthOwning is the size from which on a message gets a buffer of its own, which
	// weir then doesn't copy any more.
	worthOwning = 8 << 10
)

var frames = sync.Pool{New: func() any { return new(frame) }}

func takeFrame() *frame { return frames.Get().(*frame) }

func (f *frame) release() {
	*f = frame{buf: trim(f.buf)}
	frames.Put(f)
}

// trim empties a buffer, and gives up one that a large message has made large.
func trim(b []byte) []byte {
	if cap(b) > keptScratch {
		return nil
	}
	return b[:0]
}

// queue frames a message and has it written.
func (w *Conn) queue(kind Kind, p []byte, compress bool) error {
	if w.bits.Load()&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	compress = compress && w.deflate != nil
	if !compress && len(p) >= worthOwning {
		return w.c.Send(codec.AppendFrame(make([]byte, 0, len(p)+codec.MaxHeader), kind, 0, p))
	}
	f := takeFrame()
	f.kind = kind
	switch {
	case !compress:
		f.buf = codec.AppendFrame(f.buf, kind, 0, p)
	case w.deflate.Takeover(): // set once; the order of compressing is that of writing
		f.compress = true
		f.buf = append(f.buf, p...)
	default:
		f.buf = w.deflate.AppendFrame(f.buf, kind, p)
	}
	if err := w.c.Send(f); err != nil {
		f.release()
		return err
	}
	return nil
}

// packet is Packet: it returns the bytes of what was given to Send. Nothing follows a
// close frame.
func (w *Conn) packet(data any) []byte {
	s := w.shard
	if s.spent != nil { // weir has copied it
		s.spent.release()
		s.spent = nil
	}
	switch data := data.(type) {
	case *frame:
		s.spent = data
		return w.encode(data)
	case []byte:
		if w.has(flagCloseSent) {
			return nil
		}
		s.wrote(len(data))
		return data
	case *PreparedMessage:
		if w.has(flagCloseSent) {
			return nil
		}
		p, _ := data.encode(w)
		s.wrote(len(p))
		return p
	}
	w.c.CloseWithError(errForeign)
	return nil
}

func (w *Conn) encode(f *frame) []byte {
	s := w.shard
	switch {
	case f.kind == codec.Close:
		if w.awaitsPublications() {
			w.closeBehind(f.code, f.reason)
			return nil
		}
		if !w.closeSent(f.code, f.reason) {
			return nil
		}
		s.note()
		w.awaitClose()
		return f.buf
	case w.has(flagCloseSent):
		return nil
	case f.kind.Control():
		s.counts.Controls++
		s.note()
		return f.buf
	case f.compress:
		s.deflated = w.deflate.AppendFrame(trim(s.deflated), f.kind, f.buf)
		s.wrote(len(s.deflated))
		return s.deflated
	}
	s.wrote(len(f.buf))
	return f.buf
}

// closeBehind sends a close frame behind what was published before.
func (w *Conn) closeBehind(code Code, reason string) {
	w.behindPublications(func() {
		if !w.has(flagCloseSent) {
			w.sendClose(code, reason)
			w.awaitClose()
		}
	})
}
