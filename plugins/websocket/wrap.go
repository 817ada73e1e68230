package websocket

import (
	"errors"
	"net/http"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// Wrap makes a Handler a weir.Handler, for a server whose Protocol is made by New:
//
//	weir.NewServer(websocket.Wrap(h), weir.CustomProtocol(websocket.New(nil)))
func Wrap(h Handler) weir.Handler {
	w := &wrapped{handler: h}
	w.writable, _ = h.(WritableHandler)
	return w
}

// wrapped hands on to a Handler what a server tells.
type wrapped struct {
	// set once
	handler  Handler
	writable WritableHandler // handler, if it is one
}

var errProtocol = errors.New("websocket: the server's Protocol is not one of New: give it to weir.CustomProtocol")

// protocol is the one of c's server; nil if it is another one.
func protocol(c *weir.Connection) *Protocol {
	if p, ok := c.Protocol().(interface{ websocket() *Protocol }); ok {
		return p.websocket()
	}
	return nil
}

// OnConnect implements weir.Handler.
func (w *wrapped) OnConnect(c *weir.Connection) {
	p := protocol(c)
	if p == nil {
		c.CloseWithError(errProtocol)
		return
	}
	p.enter(c.Loop(), w)
	p.http.OnConnect(c)
}

// OnMessage implements weir.Handler.
func (w *wrapped) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	if s, ok := ctx.(*Conn); ok {
		w.handler.OnMessage(s, s.kind, data)
		s.decoder.Done() // it may pause reading, and then hold memory for nothing
		return nil
	}
	p := protocol(c)
	if _, ok := ctx.(*http1.Request); !ok || p == nil {
		return nil
	}
	p.http.OnMessage(c, ctx, data)
	if s, ok := c.ProtocolState().(*Conn); ok {
		s.begin()
	}
	return nil
}

// OnWritable implements weir.WritableHandler.
func (w *wrapped) OnWritable(c *weir.Connection) {
	if s, ok := c.ProtocolState().(*Conn); ok && w.writable != nil && s.has(flagOpened) {
		w.writable.OnWritable(s)
	}
}

// OnHalfClose implements weir.HalfCloseHandler.
func (w *wrapped) OnHalfClose(c *weir.Connection) {
	if p := protocol(c); p != nil {
		p.http.OnHalfClose(c)
	}
}

// OnShutdown implements weir.ShutdownHandler.
func (w *wrapped) OnShutdown(c *weir.Connection) {
	s, ok := c.ProtocolState().(*Conn)
	if ok && s.has(flagOpened) {
		s.goAway()
		return
	}
	if p := protocol(c); p != nil && !ok {
		p.http.OnShutdown(c)
	}
}

// OnClose implements weir.Handler.
func (w *wrapped) OnClose(c *weir.Connection) {
	p := protocol(c)
	if p == nil {
		return
	}
	defer p.leave(c.Loop())
	if s, ok := c.ProtocolState().(*Conn); ok {
		defer s.end() // even if the Broker panics
		s.unsubscribeAll()
		return
	}
	p.http.OnClose(c)
	var err *http1.Error
	switch {
	case errors.As(c.Err(), &err):
		p.shard(c.Loop()).refused(err.Status)
	case p.options.fallback == nil && errors.Is(c.Err(), weir.ErrIdleTimeout):
		p.shard(c.Loop()).refused(http.StatusRequestTimeout)
	}
}
