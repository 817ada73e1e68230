package http1

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/go-weir/weir"
)

// Stream is a response whose body is sent piece by piece, for as long as it takes:
// chunked, or to a client of HTTP/1.0 until the connection is closed. It takes no
// goroutine. Its methods are for any goroutine.
//
// Other requests of the connection wait until it is closed. A client that has ended
// its half of the connection gets the rest of the body; one that has gone looks the
// same at first. Done tells of both. Server.Shutdown ends the connections of streams.
// To break a body off, so that it does not look whole, end the connection
// (Request.Connection) with CloseWithError.
type Stream struct {
	// set once
	s       *conn
	c       *weir.Connection
	chunked bool
	mute    bool // a body is not wanted or not allowed
	again   bool // another request may follow

	// guarded by mu
	mu     sync.Mutex
	closed bool
	err    error         // what Close has returned
	left   bool          // the client may be gone
	gone   chan struct{} // closed then; nil: nobody has asked
}

// Stream sends the head of the response, and what was written of its body, and
// leaves the rest of the body to the stream that it returns.
func (w *Response) Stream() *Stream {
	x := w.x
	s := x.conn
	t := &Stream{s: s, c: s.c, chunked: x.req.minor > 0, left: s.left}
	t.again = x.reusable() && t.chunked && !x.pending
	out := w.appendHead(x.out[:0], t.again)
	t.mute = x.req.isHead() || !bodyAllowed(w.status)
	if t.chunked && bodyAllowed(w.status) {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	out = append(out, "\r\n"...)
	if !t.mute {
		out = t.appendChunk(out, w.content())
	}
	x.out = out
	x.state, x.stream = elsewhere, t
	s.phase = inReply
	if s.stopping {
		s.release()
	} else {
		s.hold()
	}
	_, err := s.c.Write(out)
	s.sent(err)
	return t
}

// Write queues p, which is copied, as Connection.Send does, and returns its errors.
// What is refused with weir.ErrWriteBufferFull is left out of the body. Behind Close
// it returns weir.ErrConnectionClosed.
func (t *Stream) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, weir.ErrConnectionClosed
	}
	if t.mute || len(p) == 0 {
		return len(p), nil
	}
	const framing = 20 // what a chunk has around it at most
	if err := t.c.Send(t.appendChunk(make([]byte, 0, len(p)+framing), p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// appendChunk appends p as a chunk. An empty one would be the end of the body.
func (t *Stream) appendChunk(dst, p []byte) []byte {
	switch {
	case len(p) == 0:
		return dst
	case !t.chunked:
		return append(dst, p...)
	}
	dst = strconv.AppendUint(dst, uint64(len(p)), 16)
	dst = append(dst, "\r\n"...)
	dst = append(dst, p...)
	return append(dst, "\r\n"...)
}

// Done returns a channel that is closed when the client has ended its half of the
// connection, or the connection has ended: as a rule nobody reads the stream any more.
func (t *Stream) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone == nil {
		t.gone = make(chan struct{})
		if t.left {
			close(t.gone)
		}
	}
	return t.gone
}

// clientLeft is the reason for Done. Loop only.
func (t *Stream) clientLeft() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.left && t.gone != nil {
		close(t.gone)
	}
	t.left = true
}

// Close ends the body, behind all that was written; it does not wait. On a connection
// that has ended it returns weir.ErrConnectionClosed. Later calls do nothing, and
// return what the first one did.
func (t *Stream) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		t.err = t.c.Execute(t.end)
	}
	return t.err
}

// endRetry is how long the end of a body waits before it is written again, when there
// was no room for it among what the client has not read yet.
const endRetry = 50 * time.Millisecond

var lastChunk = []byte("0\r\n\r\n")

// end ends the body and goes on with the next request, on the loop.
func (t *Stream) end() {
	if t.s.phase == over {
		return
	}
	if t.chunked && !t.mute {
		_, err := t.c.Write(lastChunk)
		switch {
		case errors.Is(err, weir.ErrWriteBufferFull):
			t.c.RunAfter(endRetry, t.end)
			return
		case err != nil:
			return // the connection is ending
		}
	}
	if !t.again {
		t.s.finish()
		return
	}
	t.s.proceed()
}
