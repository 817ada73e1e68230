package http1

import (
	"errors"
	"os"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// phase is what a connection does with its input.
type phase uint8

const (
	inHead  phase = iota // a head is awaited or has begun → inBody, inReply, inHead again, over
	inBody               // a body is read or thrown away → inReply, inHead, over
	inReply              // input waits until a reply is complete that is made elsewhere → inHead, over
	over                 // input is thrown away
)

// conn is the state of a connection: all of it is loop only.
type conn struct {
	// set once
	protocol *Protocol
	c        *weir.Connection

	x         *exchange // the present request; nil: none has begun
	phase     phase
	sink      sink  // inBody: where the body goes
	remaining int64 // inBody, not chunked: bytes to come
	paused    bool  // reading is paused because of the input that waits
	held      bool  // the connection is kept open for a reply
	left      bool  // the client has ended its half
	stopping  bool  // the server shuts down
	clock     clock
}

// sink is where a body goes.
type sink uint8

const (
	toNobody  sink = iota // the request was answered without it
	toMemory              // all of it is wanted: Request.ReadBody
	toHandler             // it is read while it comes, by an http.Handler
)

const (
	// maxDiscard is how much of a body that nobody wants is read, so that the
	// connection can be used again.
	maxDiscard = 256 << 10
	// maxHeld is how much input may wait for the end of a reply before reading
	// is paused. Until then a client that goes away is noticed.
	maxHeld = 64 << 10
)

// readHead parses the next head.
func (s *conn) readHead(b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	n := b.Length()
	if n == 0 {
		s.idle()
		return nil, nil
	}
	x := s.x
	if x == nil {
		x = s.protocol.exchange(s)
		s.x = x
	}
	in := b.View(n)
	size, err := x.req.parse(in)
	switch {
	case err != nil:
		x.req.fields.src = in // for the method, if it was seen
		s.refuse(err)
		return nil, nil
	case size == 0:
		s.clock.start(s, headClock)
		s.release()
		return nil, nil
	}
	s.clock.state = noClock
	b.Retrieve(size)
	if x.req.flags&flagChunked == 0 && x.req.length <= 0 {
		return &x.req, nil
	}
	return s.beginBody(b, x)
}

// idle lets go of what is only needed while a request is being served.
func (s *conn) idle() {
	if s.x != nil {
		s.protocol.release(s.x)
		s.x = nil
	}
	s.clock.idle()
	s.release()
}

// beginBody decides about a body: it may be there already.
func (s *conn) beginBody(b *ringbuffer.RingBuffer, x *exchange) (ctx any, payload []byte) {
	most := s.protocol.options.maxBody
	length := x.req.ContentLength()
	if length > most {
		s.refuse(errBodyLength)
		return nil, nil
	}
	if length >= 0 && int64(b.Length()) >= length {
		payload = b.View(int(length))
		b.Retrieve(int(length))
		return &x.req, payload
	}
	s.remaining = length
	if length < 0 {
		x.chunked.reset(&x.req.Limits, most)
	}
	x.pending = true
	x.begun = b.Length() > 0
	return &x.req, nil
}

// wait leaves input where it is.
func (s *conn) wait(b *ringbuffer.RingBuffer) {
	if b.Length() > maxHeld && !s.paused {
		s.paused = true
		s.c.PauseRead()
	}
}

// next goes on with the input behind a request that is done with.
func (s *conn) next() {
	s.phase = inHead
	s.x.reset()
}

// proceed is next when no UnPacket follows by itself.
func (s *conn) proceed() {
	s.next()
	s.resume()
}

// resume has UnPacket called for input that waits.
func (s *conn) resume() {
	if s.c.ReadBufferLength() == 0 && !s.paused {
		switch {
		case s.phase == inHead:
			s.idle()
		case s.x.state != late:
			s.release()
		}
		return
	}
	s.paused = false
	s.c.PauseRead() // for the effect that it has together with ResumeRead
	s.c.ResumeRead()
}

// hold keeps the connection open although the client may have ended its half.
func (s *conn) hold() {
	s.held = true
	s.c.Hold(true)
}

// release undoes hold when nothing is left to be answered.
func (s *conn) release() {
	if s.held {
		s.held = false
		s.c.Hold(false)
	}
}

// finish closes the connection behind the reply. A client may be in the middle of
// sending: a body that was answered before its end, or the next request, if the end
// comes as a surprise. A reset could cost it the reply.
func (s *conn) finish() {
	s.phase = over
	if s.x.pending || s.x.req.KeepAlive() {
		s.c.AwaitPeer()
	}
	_ = s.c.Close() // an error means that it is closed already
}

// refuse answers what is no request, and ends the connection.
func (s *conn) refuse(err *Error) {
	s.phase = over
	s.clock.state = noClock
	s.x.refuse(err)
	s.x.dropBody()
	s.end(err)
}

// end closes the connection behind an answer that the client may not expect. It may be
// sending, and has yet to read the answer; one that takes too long is not waited for.
func (s *conn) end(err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.c.AwaitPeer()
	}
	s.c.CloseWithError(err)
}

// closed is the end.
func (s *conn) closed() {
	s.phase = over
	if s.x != nil {
		s.x.abandon()
	}
	s.x = nil
}
