package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gobwas/ws"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket/codec"
	"github.com/go-weir/weir/ringbuffer"
)

// Protocol is WebSocket on a weir server (RFC 6455), and the HTTP that it begins
// with. Its methods are for any goroutine, except those that weir calls.
type Protocol struct {
	// set once
	err      error // why it can't work
	options  options
	upgrader ws.Upgrader
	http     *http1.Protocol
	codec    *codec.Codec
	hub      *Hub
	pool     workers
	holders  holders

	// guarded by mu
	mu     sync.RWMutex
	shards map[weir.Loop]*shard
	past   Stats // of shards that are gone
}

var _ weir.Protocol = (*Protocol)(nil)

// New makes a Protocol, for weir.CustomProtocol. What the upgrader's functions and
// fields say about a handshake holds, too, behind what the options say; nil means that
// there is nothing more to say. Its Negotiate, Extension and ExtensionCustom must be
// nil: extensions are the library's, see Compression.
//
// An invalid option is an error of weir.NewServer, and of Validate. A Protocol
// may serve several servers, whose connections then share its limits and its Hub.
func New(upgrader *ws.Upgrader, opts ...Option) *Protocol {
	p := &Protocol{options: defaultOptions(), shards: make(map[weir.Loop]*shard)}
	for _, opt := range opts {
		opt(&p.options)
	}
	if upgrader != nil {
		p.upgrader = *upgrader
	}
	p.hub = newHub(p)
	p.err = p.prepare()
	return p
}

// prepare makes what the options ask for.
func (p *Protocol) prepare() (err error) {
	o := &p.options
	if err := o.validate(); err != nil {
		return err
	}
	if u := &p.upgrader; u.Negotiate != nil || u.Extension != nil || u.ExtensionCustom != nil { //nolint:staticcheck // deprecated, and refused
		return errors.New("websocket: the Upgrader wants to negotiate extensions, which are the Protocol's: use Compression")
	}
	if p.codec, err = codec.New(o.codec); err != nil {
		return err
	}
	p.holders.init(p.codec)
	p.pool.most = o.inflaters
	var opts []http1.Option
	if o.fallback == nil {
		opts = append(opts, http1.IdleTimeout(o.handshake))
	}
	opts = append(opts, o.http...)
	opts = append(opts, http1.HeadTimeout(o.handshake), http1.HeadLimits(http1.Limits{Head: o.headLimit}))
	if p.http, err = http1.New(p.serve, opts...); err != nil {
		return fmt.Errorf("websocket: option Fallback: %w", err)
	}
	return nil
}

// Validate implements weir.ValidProtocol: it returns the error of an option, and refuses
// the zero value.
func (p *Protocol) Validate() error {
	if p.shards == nil {
		return errors.New("websocket: the zero Protocol can't work, make one with New")
	}
	return p.err
}

// Hub is where the connections' topics are.
func (p *Protocol) Hub() *Hub { return p.hub }

// UnPacket implements weir.Protocol. What it returns is for the handler that Wrap
// makes.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if s, ok := c.ProtocolState().(*Conn); ok {
		return s.read(buffer)
	}
	return p.http.UnPacket(c, buffer)
}

// Packet implements weir.Protocol.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte {
	if s, ok := c.ProtocolState().(*Conn); ok {
		return s.packet(data)
	}
	return p.http.Packet(c, data)
}

// websocket lets Wrap find the Protocol in whatever it is embedded in.
func (p *Protocol) websocket() *Protocol { return p }

// Handler hears of WebSocket connections. All calls for one connection are made on its
// loop, one after the other, and must not block; those for connections of different
// loops are made at the same time. One that panics loses that connection only.
type Handler interface {
	// OnOpen is the first that is heard of c: the handshake is done.
	OnOpen(c *Conn)
	// OnMessage hears of one whole message, Text or Binary. data is valid until it
	// returns, and its to change; see Conn.Retain. Text is valid UTF-8.
	OnMessage(c *Conn, kind Kind, data []byte)
	// OnClose is the last that is heard of c, once for each OnOpen. code and reason
	// are those of the first close frame, which either side has sent; without any, the
	// code is AbnormalClosure, and c.Connection().Err() says more. NoStatus means that
	// the frame had no code.
	OnClose(c *Conn, code Code, reason string)
}

// WritableHandler is a Handler that wants to know when a connection that was over its
// high-water mark (see weir.WriteBufferMarks), or refused a message with
// weir.ErrWriteBufferFull, has drained to the low one, and may be sent more.
type WritableHandler interface {
	// OnWritable runs on the loop, like all callbacks.
	OnWritable(c *Conn)
}

// Base is a Handler that does nothing, to be embedded in others.
type Base struct{}

// OnOpen implements Handler.
func (Base) OnOpen(*Conn) {}

// OnMessage implements Handler.
func (Base) OnMessage(*Conn, Kind, []byte) {}

// OnClose implements Handler.
func (Base) OnClose(*Conn, Code, string) {}

// Kind is what a message is: Text or Binary; Ping and Pong for control frames.
type Kind = codec.Kind

// The kinds of messages.
const (
	Text   = codec.Text
	Binary = codec.Binary
)

// Code says why a connection is closed (RFC 6455, section 7.4).
type Code = codec.Code

// The codes that programs use; package codec has them all, and 3000 to 4999 are free.
const (
	NormalClosure   = codec.NormalClosure
	GoingAway       = codec.GoingAway
	PolicyViolation = codec.PolicyViolation
	InternalError   = codec.InternalError
	TryAgainLater   = codec.TryAgainLater
	NoStatus        = codec.NoStatus
	AbnormalClosure = codec.AbnormalClosure
)

// hasToken reports whether a comma-separated list has a token, whatever the case.
func hasToken(list []byte, token string) bool {
	for item := range bytes.SplitSeq(list, []byte(",")) {
		if bytes.EqualFold(bytes.Trim(item, " \t"), []byte(token)) {
			return true
		}
	}
	return false
}

// isToken reports whether s is a token, RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
