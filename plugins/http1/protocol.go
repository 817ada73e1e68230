package http1

import (
	"errors"
	"fmt"
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// Handler answers a request. It runs on the connection's loop as soon as the head
// is there, and must not block. r and w, and what their methods return, are valid
// until it returns; the reply goes out then, unless the handler has asked for the
// body (Request.ReadBody), opened a stream (Response.Stream), or passed the
// request on to a Pool.
type Handler func(w *Response, r *Request)

// Protocol is HTTP/1.1 and 1.0 for a weir server, of which it is both the Protocol
// and the Handler. One may serve several servers, which call its methods. So may
// another Protocol that begins with HTTP, and passes on to this one's methods what
// it is given itself, until it calls Request.Leave. Until then the connection's
// ProtocolState is this one's.
type Protocol struct {
	// set once
	options options
	handler Handler
	stamps  stamps

	bodies    bodyMemory
	exchanges sync.Pool // of *exchange
	conns     sync.Pool // of *conn
}

// New makes a Protocol that has its requests answered by h. An option that can't
// be is an error.
func New(h Handler, opts ...Option) (*Protocol, error) {
	if h == nil {
		return nil, errors.New("http1: the Handler is nil")
	}
	p := &Protocol{handler: h, options: defaultOptions()}
	for _, opt := range opts {
		opt(&p.options)
	}
	if err := p.options.validate(); err != nil {
		return nil, err
	}
	p.options.limits.fill()
	p.bodies.limit = p.options.bodyMemory
	p.stamps.server = p.options.serverField
	return p, nil
}

// Validate implements weir.ValidProtocol: it refuses the zero value.
func (p *Protocol) Validate() error {
	if p.handler == nil {
		return errors.New("http1: the zero Protocol has no Handler, make one with New")
	}
	return nil
}

// OnConnect implements weir.Handler.
func (p *Protocol) OnConnect(c *weir.Connection) { p.conn(c) }

// conn returns the state of a connection, made if need be.
func (p *Protocol) conn(c *weir.Connection) *conn {
	if s, ok := c.ProtocolState().(*conn); ok {
		return s
	}
	s, ok := p.conns.Get().(*conn)
	if !ok {
		s = new(conn)
	}
	s.protocol, s.c = p, c
	c.SetProtocolState(s)
	s.watchIdle()
	return s
}

// recycle takes back the state of a connection that has left HTTP: where that is all
// that it is for, as with WebSocket, every connection does.
func (p *Protocol) recycle(s *conn) {
	*s = conn{clock: clock{fire: s.clock.fire}}
	p.conns.Put(s)
}

// UnPacket implements weir.Protocol. The ctx is a *Request, for OnMessage; the
// payload is the body, as far as it came together with the head.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	s := p.conn(c)
	switch s.phase {
	case inHead:
		return s.readHead(buffer)
	case inBody:
		return s.readBody(buffer)
	case inReply:
		s.wait(buffer)
	case over:
		buffer.RetrieveAll()
	}
	return nil, nil
}

// Packet implements weir.Protocol: it returns data, which is a []byte or a string,
// and HTTP already.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte {
	switch data := data.(type) {
	case []byte:
		return data
	case string:
		return []byte(data)
	}
	c.CloseWithError(fmt.Errorf("http1: can't send a %T", data))
	return nil
}

// OnMessage implements weir.Handler: it calls the Handler.
func (p *Protocol) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	r, ok := ctx.(*Request)
	switch {
	case ok:
		r.x.serve(data)
	case len(data) > 0:
		c.CloseWithError(errors.New("http1: this is not the server's Protocol: give it to weir.CustomProtocol, too"))
	}
	return nil
}

// OnHalfClose implements weir.HalfCloseHandler.
func (p *Protocol) OnHalfClose(c *weir.Connection) {
	if s, ok := c.ProtocolState().(*conn); ok {
		s.left = true
		if s.x != nil {
			s.x.halfClosed()
		}
	}
}

// OnShutdown implements weir.ShutdownHandler: a Stream may have no end.
func (p *Protocol) OnShutdown(c *weir.Connection) {
	if s, ok := c.ProtocolState().(*conn); ok {
		s.stopping = true
		if s.x != nil && s.x.stream != nil {
			s.release()
		}
	}
}

// OnClose implements weir.Handler.
func (p *Protocol) OnClose(c *weir.Connection) {
	if s, ok := c.ProtocolState().(*conn); ok {
		s.closed()
	}
}
