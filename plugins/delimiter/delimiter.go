// Package delimiter is a [weir.Protocol] for messages that end with a
// separator: lines of text, or whatever ends with one byte or several.
//
// The payload is a window into what was received: nothing is copied. No byte is
// looked at twice, however small the pieces in which a message comes: how far
// the search has got is kept in the connection's ProtocolState.
//
// A message without bytes is delivered with an [Empty] as its ctx; all others
// have none. One that is too long closes the connection with
// [weir.ErrMessageTooLarge] as the cause, without waiting for its end.
package delimiter

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// DefaultMaxLength is the MaxLength of a Config that has none.
const DefaultMaxLength = 64 << 10

// Empty is the ctx of a message without bytes: without a ctx there would be no
// message.
type Empty struct{}

// Config says how messages end.
type Config struct {
	// Separator is what is after each message, at least one byte.
	Separator string

	// TrimCR takes a carriage return before the separator as a part of it: for
	// a Separator "\n" and peers that send "\r\n".
	TrimCR bool

	// Keep delivers the separator with the message.
	Keep bool

	// Last delivers what comes behind the last separator, if that is anything, when
	// the peer ends its stream: many programs don't end the last line of a text. It
	// may be a part of a message, of a peer that has crashed.
	Last bool

	// MaxLength is the most that a message may have, in bytes, without its
	// separator; 0: DefaultMaxLength. The server's MaxMessageSize bounds it too.
	MaxLength int
}

// Protocol cuts a stream where the separators are, and puts one after each
// message that is sent: a []byte or a string. It never changes: any number of
// servers can share it. NewServer refuses the zero value.
type Protocol struct {
	// set once
	separator []byte
	trimCR    bool
	keep      bool
	last      bool
	max       int
}

var (
	_ weir.Protocol       = (*Protocol)(nil)
	_ weir.ValidProtocol  = (*Protocol)(nil)
	_ weir.LastProtocol   = (*Protocol)(nil)
	_ weir.PacketAppender = (*Protocol)(nil)
)

// Lines returns the Protocol for lines of text, up to DefaultMaxLength. It takes
// those that end with "\n" and those that end with "\r\n", and sends "\n". The
// end of a line is not delivered.
func Lines() *Protocol {
	return &Protocol{separator: []byte("\n"), trimCR: true, max: DefaultMaxLength}
}

// New returns the Protocol for messages that end like that, or an error if none
// can.
func New(c Config) (*Protocol, error) {
	if c.MaxLength == 0 {
		c.MaxLength = DefaultMaxLength
	}
	switch {
	case c.Separator == "":
		return nil, errors.New("delimiter: Separator is empty")
	case c.MaxLength < 0:
		return nil, fmt.Errorf("delimiter: MaxLength is %d, must be at least 1", c.MaxLength)
	}
	return &Protocol{separator: []byte(c.Separator), trimCR: c.TrimCR, keep: c.Keep, last: c.Last, max: c.MaxLength}, nil
}

// Validate implements weir.ValidProtocol: it refuses the zero value, which has no
// separator.
func (p *Protocol) Validate() error {
	if len(p.separator) == 0 {
		return errors.New("delimiter: the zero Protocol has no separator, make one with New or Lines")
	}
	return nil
}

// search is how far the search for a connection's next separator has got. It
// is there once a message has come in pieces.
type search struct {
	// loop only
	from int // no separator begins before this offset in the buffer
}

// UnPacket takes the next message off buffer.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	s, _ := c.ProtocolState().(*search)
	from := 0
	if s != nil {
		from = s.from
	}
	at := buffer.IndexFrom(p.separator, from)
	if at < 0 {
		p.wait(c, s, buffer)
		return nil, nil
	}
	if s != nil {
		s.from = 0
	}
	size := at + len(p.separator)
	whole := buffer.View(size)
	length := at
	if p.trimCR && at > 0 && whole[at-1] == '\r' {
		length--
	}
	if length > p.max {
		p.refuse(c)
		return nil, nil
	}
	buffer.Retrieve(size)
	if payload = whole[:length]; p.keep {
		payload = whole
	}
	if len(payload) == 0 {
		return Empty{}, payload
	}
	return nil, payload
}

// wait notes that there is no separator in buffer, apart from what may be the
// beginning of one, unless the message is too long already.
func (p *Protocol) wait(c *weir.Connection, s *search, buffer *ringbuffer.RingBuffer) {
	from := max(buffer.Length()-len(p.separator)+1, 0)
	least := from // what the message has at least
	if p.trimCR {
		least-- // the last of it may be a carriage return
	}
	switch {
	case least > p.max:
		p.refuse(c)
	case s != nil:
		s.from = from
	case from > 0:
		c.SetProtocolState(&search{from})
	}
}

// UnPacketLast implements weir.LastProtocol, for Config.Last.
func (p *Protocol) UnPacketLast(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if !p.last {
		return nil, nil
	}
	whole := buffer.View(buffer.Length())
	payload = whole
	if p.trimCR {
		payload = bytes.TrimSuffix(whole, []byte{'\r'})
	}
	if len(payload) > p.max {
		p.refuse(c)
		return nil, nil
	}
	if p.keep {
		payload = whole
	}
	if len(payload) == 0 {
		return Empty{}, payload
	}
	return nil, payload
}

func (p *Protocol) refuse(c *weir.Connection) {
	c.CloseWithError(fmt.Errorf("delimiter: a message of more than %d bytes: %w", p.max, weir.ErrMessageTooLarge))
}

// Packet returns data, a []byte or a string, with the separator after it, unless
// that is kept and data has it. Anything else closes the connection with an
// error that says so.
//
// Data that has the separator within it is more than one message to the peer.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte { return p.AppendPacket(nil, c, data) }

// AppendPacket is Packet without a buffer of its own.
func (p *Protocol) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	start := len(dst)
	switch data := data.(type) {
	case []byte:
		dst = append(dst, data...)
	case string:
		dst = append(dst, data...)
	default:
		c.CloseWithError(fmt.Errorf("delimiter: can't send a %T, only a []byte or a string", data))
		return dst
	}
	if message := dst[start:]; p.keep && bytes.HasSuffix(message, p.separator) {
		return dst
	}
	return append(dst, p.separator...)
}
