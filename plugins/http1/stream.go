package http1

import (
	"strconv"
	"sync"

	"github.com/go-weir/weir"
)

// Stream is a response whose body is sent piece by piece, for as long as it takes:
// chunked, or to a client of HTTP/1.0 until the connection is closed. Its methods
// are for any goroutine.
//
// Other requests of the connection wait until it is closed. A client that goes
// away, or ends its half of the connection, ends the stream too, and so does
// Server.Shutdown.
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
}

// Stream sends the head of the response, and what was written of its body, and
// leaves the rest of the body to the stream that it returns.
func (w *Response) Stream() *Stream {
	x := w.x
	s := x.conn
	t := &Stream{s: s, c: s.c, chunked: x.req.minor > 0}
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
	x.state = elsewhere
	s.phase = inReply
	s.letGo()
	_, err := s.c.Write(out)
	s.sent(err)
	return t
}

// Write queues p, which is copied, as Connection.Send does, and returns its errors.
// Behind Close it returns weir.ErrConnectionClosed.
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

// Close ends the body. The second Close does nothing; one on a connection that has
// ended returns weir.ErrConnectionClosed.
func (t *Stream) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if t.chunked && !t.mute {
		if err := t.c.Send("0\r\n\r\n"); err != nil {
			return err
		}
	}
	return t.c.Execute(t.end)
}

// end goes on with the next request, on the loop.
func (t *Stream) end() {
	if t.s.phase == over {
		return
	}
	if !t.again {
		t.s.finish()
		return
	}
	t.s.proceed()
}
