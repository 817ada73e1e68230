package websocket

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// CloseError is the cause (see weir.Connection.Err) of an end that the peer has asked
// for with a close frame; then it is io.EOF, too. With the code AbnormalClosure, which
// Client.Read returns, there was none, and it is io.ErrUnexpectedEOF.
type CloseError struct {
	Code   Code // NoStatus: there was none in the frame
	Reason string
}

func (e *CloseError) Error() string {
	if e.Code == AbnormalClosure {
		return "websocket: the stream has ended without a close frame"
	}
	return fmt.Sprintf("websocket: closed by the peer with %d %q", e.Code, e.Reason)
}

// Is reports whether target stands for all ends that a peer wanted, or for all others.
func (e *CloseError) Is(target error) bool {
	if e.Code == AbnormalClosure {
		return target == io.ErrUnexpectedEOF
	}
	return target == io.EOF
}

// Causes of the end of a connection.
var (
	// ErrPongTimeout is the cause when nothing was received in time after a ping, or the
	// peer's system has taken nothing for as long of what was written.
	ErrPongTimeout = errors.New("websocket: no pong in time")
	// ErrCloseTimeout is the cause when the peer has not answered a close frame in
	// time.
	ErrCloseTimeout = errors.New("websocket: no answer to the close frame in time")
)

// errMessageTime is what the peer is told past MessageTimeout.
var errMessageTime = &codec.Error{Code: PolicyViolation, Reason: "message not complete in time"}

var errCode = errors.New("websocket: this close code can't be sent")

// Close asks the peer to end the connection: it queues a close frame, behind what was
// queued by this goroutine before. From now on nothing else is accepted for sending and
// no message is delivered. The connection ends when the peer has answered, or past
// the CloseTimeout. NoStatus is for a frame without a code; a reason has 123 bytes, and
// is cut there.
//
// A second Close, and one after the end, returns weir.ErrConnectionClosed; a code that
// can't be sent is an error, too. If the peer has so much unsent that not even this
// frame is accepted, the connection is closed without, and the error is
// weir.ErrWriteBufferFull.
func (w *Conn) Close(code Code, reason string) error {
	if code != NoStatus && !code.Valid() {
		return errCode
	}
	if w.bits.Or(bitClosing)&bitClosing != 0 {
		return weir.ErrConnectionClosed
	}
	f := takeFrame()
	f.kind, f.code = codec.Close, code
	var payload [codec.MaxControl]byte
	f.reason = reason
	f.buf = codec.AppendFrame(f.buf[:0], codec.Close, 0, codec.AppendClose(payload[:0], code, reason))
	err := w.c.Send(f)
	if errors.Is(err, weir.ErrWriteBufferFull) {
		w.c.CloseWithError(weir.ErrSlowConsumer)
	}
	return err
}

// CloseNow ends the connection without a close frame. What was accepted for sending
// before is still sent, for at most the server's Linger time. On one that is ending
// already it returns weir.ErrConnectionClosed.
func (w *Conn) CloseNow() error {
	w.bits.Or(bitClosing)
	return w.c.Close()
}

// closeSent notes that a close frame of ours goes out, and reports whether it may: it
// is the last frame, and the only one.
func (w *Conn) closeSent(code Code, reason string) bool {
	if w.has(flagCloseSent) {
		return false
	}
	w.flags |= flagCloseSent
	w.bits.Or(bitClosing)
	w.record(code, reason)
	w.shard.counts.Controls++
	return true
}

// record keeps the code and the reason of the first close frame.
func (w *Conn) record(code Code, reason string) {
	if m := w.rare(); !m.ended {
		m.ended, m.code, m.reason = true, code, reason
	}
}

// sendClose writes a close frame, unless there was one.
func (w *Conn) sendClose(code Code, reason string) {
	if !w.closeSent(code, reason) {
		return
	}
	var payload [codec.MaxControl]byte
	s := w.shard
	s.header = codec.AppendFrame(s.header[:0], codec.Close, 0, codec.AppendClose(payload[:0], code, reason))
	_ = w.c.WriteFrame(s.header, nil) // an error means that it is ending, or takes nothing anyway
}

// awaitClose waits for the answer to our close frame, which has to be read even if the
// program reads no messages.
func (w *Conn) awaitClose() {
	w.ResumeRead()
	w.c.SinceProgress() // which watches it from now on
	w.awaitAnswer()
}

// awaitAnswer waits for a part of the CloseTimeout. That is a time without progress
// until the peer's system has the frame, with all that is before it, and then the time
// for the answer, which begins when that was first seen.
func (w *Conn) awaitAnswer() {
	const parts = 4
	limit := w.shard.protocol.options.closing
	m, part := w.rare(), limit/parts
	m.timer = w.c.RunAfter(part, func() {
		over := false
		switch {
		case w.c.WriteBufferLength() > 0 || w.c.Unacknowledged() > 0:
			m.told, m.waited = false, 0
			over = w.c.SinceProgress() >= limit
		case !m.told:
			m.told = true
		default:
			m.waited += part
			over = m.waited >= limit
		}
		if !over {
			w.awaitAnswer()
			return
		}
		m.timer = nil
		w.shard.counts.CloseTimeouts++
		w.shard.note()
		w.endWith(ErrCloseTimeout)
	})
}

// goAway is Close because the server drains: the connection stays for the answer.
func (w *Conn) goAway() {
	w.flags |= flagGoingAway
	w.c.Hold(true)
	_ = w.Close(GoingAway, "the server shuts down") // an error means that it is closing already
}

// closedByPeer deals with a close frame: it is answered with the same code, or is the
// answer.
func (w *Conn) closedByPeer(code Code, reason string) {
	if w.has(flagCloseSent) {
		w.conclude(weir.ErrConnectionClosed)
		return
	}
	if w.bits.Load()&bitClosing == 0 { // else Close was first, and its frame is on its way
		w.record(code, reason)
	}
	w.finish(func() {
		if w.has(flagCloseSent) {
			w.conclude(weir.ErrConnectionClosed)
			return
		}
		w.sendClose(code, "")
		w.endWith(&CloseError{code, reason})
	})
}

// finish has end, which ends the connection because of what the peer has sent, called
// behind what was accepted for sending before that was looked at: Conn's methods queue
// tasks, so this is one, too, and there may be publications before it. It is held for
// that long, or the end of the peer's stream would come first.
func (w *Conn) finish(end func()) {
	w.stopReading()
	w.c.Hold(true)
	_ = w.c.Execute(func() { w.behindPublications(end) }) // an error means that it is ending already
}

// stopReading is the end of all messages, a half received one included.
func (w *Conn) stopReading() {
	w.flags |= flagSettled
	w.bits.Or(bitClosing)
	w.decoder.Release()
	w.noteHeld()
}

// endWith ends the connection behind what was written, the close frame included: weir
// sends all of it, ends its side of the stream, and goes on to read for a while, so
// that no reset overtakes the frame. A peer that has not answered one may be in the
// middle of sending, and has yet to read why.
func (w *Conn) endWith(cause error) {
	w.c.AwaitPeer()
	w.conclude(cause)
}

// conclude is endWith for a peer that has sent all it had to.
func (w *Conn) conclude(cause error) {
	w.stopReading()
	if w.more != nil && w.more.timer != nil {
		w.more.timer.Stop()
		w.more.timer = nil
	}
	w.c.CloseWithError(cause)
}
