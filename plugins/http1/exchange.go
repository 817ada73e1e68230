package http1

import (
	"net/http"
	"strconv"

	"github.com/go-weir/weir"
)

// exchange is a request and its response. All of it is loop only, except that a
// call may look at the head.
type exchange struct {
	req  Request
	res  Response
	conn *conn

	state exchangeState

	// The body.
	body      []byte // all of it, if it is not pending
	pending   bool   // it was not all there when the Handler was called
	begun     bool   // some of it was
	onBody    func(*Response, *Request, []byte)
	chunked   chunked
	collected []byte // what is held of it until it is complete, in pooled storage
	discarded int    // bytes that nobody wanted
	came      int64  // bytes since the clock was last told

	own []byte // a copy of the head, when it is needed longer than it is in the buffer
	out []byte // scratch: the reply

	// What makes the reply, when the Handler does not.
	call   *call
	stream *Stream
}

// exchangeState is what happens when the Handler returns.
type exchangeState uint8

const (
	replies   exchangeState = iota // the reply goes out
	awaits                         // the body is read, and then another function called
	elsewhere                      // the reply is made by somebody else
	late                           // the reply is made; how it is sent depends on what is left of the body
	left                           // nothing: the connection does not speak HTTP any more
)

// exchange returns one that waits for a head.
func (p *Protocol) exchange(s *conn) *exchange {
	x, ok := p.exchanges.Get().(*exchange)
	if !ok {
		x = new(exchange)
		x.req.x, x.res.x = x, x
		x.req.Limits = p.options.limits
		x.req.Reset()
	}
	x.conn = s
	return x
}

// release takes back one that was reset.
func (p *Protocol) release(x *exchange) {
	x.conn = nil
	p.exchanges.Put(x)
}

// keptBuffer is how large a buffer is at most that an exchange keeps.
const keptBuffer = 16 << 10

// reset makes x ready for the next request of the connection.
func (x *exchange) reset() {
	x.req.Reset()
	x.res.reset()
	x.out, x.body = keep(x.out), nil
	if x.state == replies && !x.pending && len(x.own) == 0 {
		return // nothing else was used
	}
	x.own = keep(x.own)
	x.dropBody()
	x.state, x.pending, x.begun, x.onBody = replies, false, false, nil
	x.discarded, x.came, x.call, x.stream = 0, 0, nil, nil
}

// halfClosed tells who makes the reply that the client may be gone.
func (x *exchange) halfClosed() {
	switch {
	case x.state == late: // no more of the body will come
		x.answer(false)
	case x.call != nil:
		x.call.halfClosed()
	case x.stream != nil:
		x.stream.clientLeft()
	}
}

// abandon tells it that the connection has ended.
func (x *exchange) abandon() {
	x.dropBody()
	switch {
	case x.call != nil:
		x.call.abandon()
	case x.stream != nil:
		x.stream.clientLeft()
	}
}

// keep empties a buffer, and gives up one that a large message has made large.
func keep(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b[:0]
}

// serve has the request answered, or goes on with it when its body is there.
func (x *exchange) serve(body []byte) {
	returned := false
	defer func() {
		if !returned {
			x.panicked()
		}
	}()
	x.body = body
	if f := x.onBody; f != nil {
		x.onBody, x.pending, x.state = nil, false, replies
		x.conn.clock.state = noClock
		f(&x.res, &x.req, body)
	} else {
		x.conn.protocol.handler(&x.res, &x.req)
	}
	returned = true
	switch x.state {
	case replies:
		x.reply()
	case awaits:
		x.await()
	case elsewhere:
		x.body = nil
		x.dropBody() // unless it is a call's now
	case left:
		s := x.conn
		x.reset()
		s.protocol.release(x)
		s.protocol.recycle(s)
	}
}

// keepHead keeps the head when what it was parsed from is used for something else.
func (x *exchange) keepHead() {
	if len(x.own) == 0 {
		x.own = append(x.own[:0], x.req.fields.src...)
		x.req.fields.src = x.own
	}
}

// await has the body read that the Handler wants.
func (x *exchange) await() {
	s := x.conn
	if x.req.ContentLength() > s.protocol.bodies.most() {
		s.refuse(errBodyLength)
		return
	}
	x.keepHead()
	if x.wantsContinue() {
		_, _ = s.c.Write(continueLine) // an error means that the connection is ending
	}
	s.phase, s.sink = inBody, toMemory
}

var continueLine = []byte(statusLine(http.StatusContinue) + "\r\n")

// wantsContinue reports whether the client waits for a 100 before it sends the body.
func (x *exchange) wantsContinue() bool {
	return x.pending && !x.begun && x.req.ExpectsContinue()
}

// reply sends the response, now or when it is clear whether the connection can be used
// again: how much there is of a chunked body that nobody wants shows when it is read.
func (x *exchange) reply() {
	again := x.reusable()
	if again && x.pending && x.req.Chunked() {
		x.keepHead()
		if w := &x.res; w.ref != nil { // which is the Handler's again
			w.body, w.ref = append(w.body[:0], w.ref...), nil
		}
		x.postpone()
		return
	}
	x.answer(again)
}

// postpone has the rest of the body read, for a while, and then answer called.
func (x *exchange) postpone() {
	x.state = late
	x.conn.phase, x.conn.sink = inBody, toNobody
	x.conn.clock.state = noClock
}

// awaitRest is behind postpone when no UnPacket follows by itself.
func (x *exchange) awaitRest() {
	s := x.conn
	if s.left && s.c.ReadBufferLength() == 0 {
		x.answer(false)
		return
	}
	s.clock.start(s, bodyClock)
	s.resume()
}

// answer sends the response and goes on with what follows the request.
func (x *exchange) answer(again bool) {
	s := x.conn
	if !x.send(again) {
		s.phase = over
		return
	}
	switch {
	case !again:
		s.finish()
	case x.pending:
		s.phase, s.sink = inBody, toNobody
	default:
		s.next()
	}
}

// reusable reports whether another request may follow: the client wants it, the
// Handler does, and there is not too much of a body in between.
func (x *exchange) reusable() bool {
	switch {
	case !x.req.KeepAlive() || x.res.close:
		return false
	case x.pending:
		return !x.wantsContinue() && x.conn.remaining <= maxDiscard
	}
	return true
}

// send writes the response, and reports whether it could.
func (x *exchange) send(again bool) bool {
	if x.call != nil {
		return x.conn.sent(x.call.sendLate(again))
	}
	w := &x.res
	body := w.content()
	out := w.appendHead(x.out[:0], again)
	if !bodyAllowed(w.status) {
		body = nil
	} else {
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
		out = append(out, "\r\n"...)
	}
	out = append(out, "\r\n"...)
	if len(body) > 0 && x.req.isHead() {
		body = nil
	}
	const worthCopying = 4 << 10
	if len(body) <= worthCopying {
		out = append(out, body...)
		body = nil
	}
	x.out = out
	_, err := x.conn.c.Write(out)
	if err == nil && len(body) > 0 {
		_, err = x.conn.c.Write(body)
	}
	return x.conn.sent(err)
}

// sent deals with the error of a Write: without all of the reply, the client would
// misunderstand what follows.
func (s *conn) sent(err error) bool {
	if err != nil {
		s.c.CloseWithError(weir.ErrSlowConsumer) // no effect on one that is ending already
	}
	return err == nil
}

// bodyAllowed reports whether a response of that status may have a body, RFC 9110
// section 6.4.1.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// refuse answers a request that is none, or whose body is not as it should be.
func (x *exchange) refuse(err *Error) {
	w := &x.res
	w.reset()
	w.Status(err.Status)
	w.ContentType("text/plain; charset=utf-8")
	_, _ = w.WriteString(err.text()) // never fails
	x.send(false)
}

// panicked answers a request whose Handler has panicked. The server closes the
// connection and logs the panic.
func (x *exchange) panicked() {
	x.dropBody() // after Leave, no end of the connection would
	x.conn.phase = over
	if x.state == replies || x.state == awaits {
		x.refuse(errPanic)
		x.conn.c.AwaitPeer()
	}
}

var errPanic = &Error{http.StatusInternalServerError, "something went wrong here"}
