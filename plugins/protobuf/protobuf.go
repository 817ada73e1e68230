// Package protobuf is a [weir.Protocol] for Protocol Buffers, or anything else,
// with the name of its type in front of each message:
//
//	4 bytes  N, big-endian: how many bytes follow
//	2 bytes  T, big-endian: the length of the type
//	T bytes  the type
//	N-2-T    the data
//
// [Protocol] delivers the type as the ctx, a string, and the data as it is.
// [Typed] decodes it: the ctx is a proto.Message, and a proto.Message is what it
// sends. Decoding takes more memory than the bytes that come; see MaxMessage of
// [Config].
package protobuf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

const (
	// DefaultMaxMessage is how many bytes a message of a Protocol may have if nothing
	// else is said: type, data and the lengths of both.
	DefaultMaxMessage = 16 << 20

	sizeLen    = 4 // of N
	typeLen    = 2 // of T
	headerSize = sizeLen + typeLen
	maxType    = math.MaxUint16
)

// ErrCorrupt is in the cause of a connection's end when the lengths in a message
// contradict each other.
var ErrCorrupt = errors.New("protobuf: corrupt message")

// Protocol cuts a stream into messages and leaves them as they are. The ctx of
// each is its type, a string, and the payload its data: a window into what was
// received.
//
// It sends what PackMessage returned, and any proto.Message, under its full
// name. A message that is too long closes the connection with
// [weir.ErrMessageTooLarge] as the cause, as soon as its length is there.
//
// The zero value is the Protocol that New returns.
type Protocol struct {
	// set once
	limit int // 0: DefaultMaxMessage
}

var (
	_ weir.Protocol       = (*Protocol)(nil)
	_ weir.PacketAppender = (*Protocol)(nil)
)

// New returns a Protocol for messages of at most DefaultMaxMessage bytes.
func New() *Protocol { return new(Protocol) }

// NewLimit returns a Protocol for messages of at most that many bytes, on the
// wire. The server's MaxMessageSize bounds them too.
func NewLimit(bytes int) (*Protocol, error) {
	if bytes < headerSize || bytes > math.MaxInt32 {
		return nil, fmt.Errorf("protobuf: the limit is %d bytes, must be from %d to %d", bytes, headerSize, math.MaxInt32)
	}
	return &Protocol{limit: bytes}, nil
}

// max is how many bytes a message may have.
func (p *Protocol) max() int {
	if p.limit == 0 {
		return DefaultMaxMessage
	}
	return p.limit
}

// String names the protocol.
func (p *Protocol) String() string { return "protobuf protocol" }

// UnPacket takes the next message off buffer.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	name, data, err := p.next(buffer)
	if err != nil {
		c.CloseWithError(err)
	}
	if name == nil || err != nil {
		return nil, nil
	}
	return string(name), data
}

// next takes a message off b: windows into it. name is nil if it isn't all
// there.
func (p *Protocol) next(b *ringbuffer.RingBuffer) (name, data []byte, err error) {
	if b.Length() < sizeLen {
		return nil, nil, nil
	}
	size := uint64(b.PeekUint32())
	switch {
	case size+sizeLen > uint64(p.max()):
		return nil, nil, fmt.Errorf("protobuf: a message of %d bytes, at most %d are allowed: %w", size+sizeLen, p.max(), weir.ErrMessageTooLarge)
	case size < typeLen:
		return nil, nil, fmt.Errorf("%w: %d bytes, the length of the type has %d", ErrCorrupt, size, typeLen)
	case b.Length() < headerSize:
		return nil, nil, nil
	}
	// All of the header is looked at before the rest has come.
	end := headerSize + int(binary.BigEndian.Uint16(b.View(headerSize)[sizeLen:]))
	if total := sizeLen + int(size); end > total {
		return nil, nil, fmt.Errorf("%w: a type of %d bytes in a message of %d", ErrCorrupt, end-headerSize, total)
	}
	message := b.View(sizeLen + int(size))
	if message == nil {
		return nil, nil, nil
	}
	b.Retrieve(len(message))
	return message[headerSize:end], message[end:], nil
}
