package http1

import (
	"io"

	"github.com/go-weir/weir/ringbuffer"
)

// readBody takes from the buffer what is there of a body, and returns the request
// once more when all of it is there and wanted.
func (s *conn) readBody(b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	x := s.x
	s.resumed()
	for s.phase == inBody && !s.paused {
		first, _ := b.PeekAll()
		data, n, done, err := s.decode(first)
		if err == nil {
			err = s.take(data)
		}
		b.Retrieve(n)
		x.came += int64(n)
		switch {
		case err != nil:
			s.bodyFailed(err)
		case done && s.sink == toMemory:
			return &x.req, x.collected
		case done:
			s.bodyDone()
			if s.phase == inHead {
				return s.readHead(b)
			}
		case n == 0 && s.left && x.state == late: // no more will come
			x.answer(false)
		case n == 0:
			s.clock.start(s, bodyClock)
			switch {
			case x.state == late: // the answer is owed, whatever comes of the body
				s.hold()
			case s.sink != toHandler:
				s.release()
			}
			return nil, nil
		}
	}
	if s.phase == inBody {
		s.clock.start(s, bodyClock) // when reading goes on, there may be nothing to call UnPacket for
	}
	return nil, nil
}

// decode takes n bytes of the body off p; data are those of them that belong to
// its content.
func (s *conn) decode(p []byte) (data []byte, n int, done bool, err *Error) {
	if s.x.req.Chunked() {
		return s.x.chunked.next(p)
	}
	data = p[:min(int64(len(p)), s.remaining)]
	s.remaining -= int64(len(data))
	return data, len(data), s.remaining == 0, nil
}

// take puts data where it is wanted.
func (s *conn) take(data []byte) *Error {
	x := s.x
	switch s.sink {
	case toNobody:
		if x.discarded += len(data); x.discarded > maxDiscard && x.state == late {
			return errBodyLength // else the client was told that it can send another request
		}
	case toMemory:
		rest := s.protocol.options.maxBody
		if !x.req.Chunked() {
			rest = s.remaining
		}
		return x.collect(data, rest)
	case toHandler:
		s.paused = x.call.feed(data)
	}
	return nil
}

// resumed notes that a body is read again.
func (s *conn) resumed() {
	if s.paused {
		s.paused = false
		if d := s.protocol.options.bodyTime; d > 0 {
			s.clock.deadline, s.x.came = s.clock.now()+d, 0
		}
	}
}

// bodyDone is behind a body that was not wanted as a whole.
func (s *conn) bodyDone() {
	x := s.x
	s.clock.state = noClock
	switch {
	case s.sink == toHandler:
		s.phase = inReply
		x.call.feedEnd(io.EOF)
	case x.state == late:
		x.pending = false
		x.answer(true)
	default:
		s.next()
	}
}

// bodyFailed ends the connection, now or behind the reply that is being made.
func (s *conn) bodyFailed(err *Error) {
	x := s.x
	s.clock.state = noClock
	switch s.sink {
	case toMemory:
		s.refuse(err)
	case toNobody:
		if x.state == late && err == errBodyTime { // the answer has waited long enough
			x.answer(false)
			return
		}
		s.phase = over
		if x.state == late {
			x.send(false)
		}
		s.end(err)
	case toHandler:
		s.phase = over
		x.call.feedEnd(err)
	}
}
