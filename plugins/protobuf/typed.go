package protobuf

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// ErrUnknownType is in a DecodeError when the type is not registered.
var ErrUnknownType = errors.New("unknown type")

// DecodeError says that a message could not be decoded.
type DecodeError struct {
	Type string // as it was received
	Err  error  // ErrUnknownType, or what package proto said
}

func (e *DecodeError) Error() string { return fmt.Sprintf("protobuf: message %q: %v", e.Type, e.Err) }

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// Policy says what becomes of a message that can't be decoded.
type Policy int

const (
	// CloseUndecodable closes the connection, with the *DecodeError as the
	// cause.
	CloseUndecodable Policy = iota
	// DeliverUndecodable delivers it: the ctx is the *DecodeError, the payload
	// the data. The next message is none the worse for it.
	DeliverUndecodable
)

// Config says which messages a Typed knows.
type Config struct {
	// Messages are received under their full names. Only their types matter:
	// (*pb.Order)(nil) will do.
	Messages []proto.Message

	// Named are received, and sent, under other names.
	Named map[string]proto.Message

	// Undecodable is what becomes of messages of other types, and of data that
	// isn't what its type says.
	Undecodable Policy

	// MaxMessage is how many bytes a message may have on the wire; 0:
	// DefaultMaxTyped. The server's MaxMessageSize bounds it too.
	//
	// A peer chooses what its bytes decode to. Two of them can be an element of a
	// list that takes 70 bytes of memory, so a message of 1 MiB can become 35 MiB, and
	// occupy the loop for 70 ms meanwhile; larger ones more in proportion. Types
	// without repeated messages don't grow like that. Where large messages are mostly
	// data, Protocol leaves the decoding to the program, which may do it on another
	// goroutine.
	MaxMessage int
}

// DefaultMaxTyped is the MaxMessage of a Config that has none. It is less than
// DefaultMaxMessage because decoded messages are larger than their bytes.
const DefaultMaxTyped = 1 << 20

// Typed is a Protocol that decodes. The ctx of each message is a proto.Message
// of a registered type, a new one, which may be kept; the payload is the data
// that it was decoded from. It sends any proto.Message, registered or not, and
// what PackMessage returned. NewTyped makes one; NewServer refuses the zero value.
type Typed struct {
	// set once
	framing     *Protocol
	types       map[string]protoreflect.MessageType
	names       map[protoreflect.FullName]string // of those in Named
	undecodable Policy
}

var (
	_ weir.Protocol       = (*Typed)(nil)
	_ weir.ValidProtocol  = (*Typed)(nil)
	_ weir.PacketAppender = (*Typed)(nil)
)

// NewTyped returns a Protocol for those messages, or an error if two of them
// have the same name.
func NewTyped(c Config) (*Typed, error) {
	if c.MaxMessage == 0 {
		c.MaxMessage = DefaultMaxTyped
	}
	framing, err := NewLimit(c.MaxMessage)
	if err != nil {
		return nil, err
	}
	if c.Undecodable != CloseUndecodable && c.Undecodable != DeliverUndecodable {
		return nil, fmt.Errorf("protobuf: Undecodable is %d, must be CloseUndecodable or DeliverUndecodable", c.Undecodable)
	}
	p := &Typed{
		framing: framing, undecodable: c.Undecodable,
		types: make(map[string]protoreflect.MessageType), names: make(map[protoreflect.FullName]string),
	}
	for _, m := range c.Messages {
		if m == nil {
			return nil, errors.New("protobuf: one of Messages is nil, and has no type")
		}
		if err := p.register(fullName(m), m); err != nil {
			return nil, err
		}
	}
	for name, m := range c.Named {
		if err := p.register(name, m); err != nil {
			return nil, err
		}
		full := m.ProtoReflect().Descriptor().FullName()
		if other, ok := p.names[full]; ok {
			return nil, fmt.Errorf("protobuf: %s would be sent as %q and as %q", full, name, other)
		}
		p.names[full] = name
	}
	return p, nil
}

// Validate implements weir.ValidProtocol: it refuses the zero value, which knows no
// messages.
func (p *Typed) Validate() error {
	if p.framing == nil {
		return errors.New("protobuf: the zero Typed knows no messages, make one with NewTyped")
	}
	return nil
}

// register makes m known under name.
func (p *Typed) register(name string, m proto.Message) error {
	switch {
	case m == nil:
		return fmt.Errorf("protobuf: message %q is nil, and has no type", name)
	case len(name) > maxType:
		return fmt.Errorf("protobuf: a type of %d bytes, at most %d", len(name), maxType)
	case p.types[name] != nil:
		return fmt.Errorf("protobuf: type %q is registered twice", name)
	}
	p.types[name] = m.ProtoReflect().Type()
	return nil
}

// UnPacket takes the next message off buffer and decodes it.
func (p *Typed) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	name, data, err := p.framing.next(buffer)
	if err != nil {
		c.CloseWithError(err)
	}
	if name == nil || err != nil {
		return nil, nil
	}
	m, err := p.decode(name, data)
	switch {
	case err == nil:
		return m, data
	case p.undecodable == DeliverUndecodable:
		return err, data
	}
	c.CloseWithError(err)
	return nil, nil
}

// decode returns data as the message that its type says it is, or a
// *DecodeError.
func (p *Typed) decode(name, data []byte) (proto.Message, error) {
	t := p.types[string(name)]
	if t == nil {
		return nil, &DecodeError{Type: string(name), Err: ErrUnknownType}
	}
	m := t.New().Interface()
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, &DecodeError{Type: string(name), Err: err}
	}
	return m, nil
}

// Packet returns data, a proto.Message, as a message. What PackMessage has made
// is returned as it is. Anything else, and a proto.Message that can't be sent,
// closes the connection with an error that says why.
func (p *Typed) Packet(c *weir.Connection, data any) []byte {
	if packed, ok := data.([]byte); ok {
		return packed
	}
	return p.AppendPacket(nil, c, data)
}

// AppendPacket is Packet without a buffer of its own.
func (p *Typed) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	return appendPacket(dst, c, data, p.framing.max(), p.name)
}

// name is what m is sent as.
func (p *Typed) name(m proto.Message) string {
	if name, ok := p.names[m.ProtoReflect().Descriptor().FullName()]; ok {
		return name
	}
	return fullName(m)
}

// Append appends m as a message to dst, as a client does it. With an error dst
// is as it was.
func (p *Typed) Append(dst []byte, m proto.Message) ([]byte, error) {
	return appendProto(dst, p.name(m), m, p.framing.max())
}
