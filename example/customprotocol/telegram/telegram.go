// Package telegram is a protocol for short texts: one byte for the kind, two for
// the length of the text, big-endian, and the text.
package telegram

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// MaxText is how many bytes a text may have.
const MaxText = 1024

const headerSize = 3

// Kind says what a telegram is for. It is the ctx that OnMessage gets.
type Kind byte

// The kinds of telegrams.
const (
	Ask    Kind = '?'
	Answer Kind = '!'
)

// ErrKind is why a connection ends when a telegram is of no kind.
var ErrKind = errors.New("telegram: unknown kind")

// Protocol is the protocol. It keeps nothing, so there is nothing in it.
type Protocol struct{}

// UnPacket takes the next telegram off buffer.
func (Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	header := buffer.View(headerSize)
	if header == nil {
		return nil, nil // not all of it is there
	}
	kind, size := Kind(header[0]), int(binary.BigEndian.Uint16(header[1:]))
	switch {
	case kind != Ask && kind != Answer:
		c.CloseWithError(fmt.Errorf("%w: %q", ErrKind, kind))
		return nil, nil
	case size > MaxText:
		c.CloseWithError(fmt.Errorf("telegram: a text of %d bytes: %w", size, weir.ErrMessageTooLarge))
		return nil, nil
	}
	whole := buffer.View(headerSize + size)
	if whole == nil {
		return nil, nil // not all of it is there
	}
	buffer.Retrieve(len(whole))
	return kind, whole[headerSize:]
}

// Telegram is what is sent, as a pointer.
type Telegram struct {
	Kind Kind
	Text string
}

// Packet returns a *Telegram as bytes.
func (p Protocol) Packet(c *weir.Connection, data any) []byte { return p.AppendPacket(nil, c, data) }

// AppendPacket appends a *Telegram to dst.
func (Protocol) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	t, ok := data.(*Telegram)
	switch {
	case !ok:
		c.CloseWithError(fmt.Errorf("telegram: can't send a %T, only a *Telegram", data))
		return dst
	case len(t.Text) > MaxText:
		c.CloseWithError(fmt.Errorf("telegram: can't send a text of %d bytes: %w", len(t.Text), weir.ErrMessageTooLarge))
		return dst
	}
	return Append(dst, t.Kind, t.Text)
}

// Append appends a telegram to dst, as a client does it. The text has at most
// MaxText bytes.
func Append(dst []byte, kind Kind, text string) []byte {
	dst = append(dst, byte(kind))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}
