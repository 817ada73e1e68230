package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/go-weir/weir"
)

// PackMessage returns a message with that type and data. A type of more than
// 65535 bytes, or data that with it has more than 4 GiB, can't be told to a
// peer: PackMessage then panics. AppendMessage returns an error instead.
func PackMessage(msgType string, data []byte) []byte {
	wire, err := AppendMessage(make([]byte, 0, headerSize+len(msgType)+len(data)), msgType, data)
	if err != nil {
		panic(err)
	}
	return wire
}

// AppendMessage appends a message with that type and data to dst. With an error
// dst is as it was.
func AppendMessage(dst []byte, msgType string, data []byte) ([]byte, error) {
	start := len(dst)
	wire, err := appendHeader(dst, msgType)
	if err == nil {
		wire = append(wire, data...)
		err = finish(wire[start:], math.MaxUint32)
	}
	if err != nil {
		return dst, err
	}
	return wire, nil
}

// appendHeader appends what is before the data of a message, without its size.
func appendHeader(dst []byte, msgType string) ([]byte, error) {
	if len(msgType) > maxType {
		return dst, fmt.Errorf("protobuf: can't send a type of %d bytes, at most %d", len(msgType), maxType)
	}
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(msgType)))
	return append(dst, msgType...), nil
}

// finish writes the size of a message in front of it.
func finish(message []byte, most int64) error {
	if int64(len(message)) > most {
		return fmt.Errorf("protobuf: can't send a message of %d bytes, at most %d: %w", len(message), most, weir.ErrMessageTooLarge)
	}
	binary.BigEndian.PutUint32(message, uint32(len(message)-sizeLen))
	return nil
}

// appendProto appends m, under the given name, as a message to dst. With an
// error dst is as it was.
func appendProto(dst []byte, name string, m proto.Message, most int) ([]byte, error) {
	start := len(dst)
	wire, err := appendHeader(dst, name)
	if err == nil {
		wire, err = proto.MarshalOptions{}.MarshalAppend(wire, m)
	}
	if err == nil {
		err = finish(wire[start:], int64(most))
	}
	if err != nil {
		return dst, err
	}
	return wire, nil
}

// Packet returns data as it is if it is a []byte, which PackMessage has made, or
// as a message if it is a proto.Message. Anything else, and a proto.Message that
// can't be sent, closes the connection with an error that says why.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte {
	if packed, ok := data.([]byte); ok {
		return packed
	}
	return p.AppendPacket(nil, c, data)
}

// AppendPacket is Packet without a buffer of its own.
func (p *Protocol) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	return appendPacket(dst, c, data, p.max(), fullName)
}

func fullName(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }

func appendPacket(dst []byte, c *weir.Connection, data any, most int, name func(proto.Message) string) []byte {
	var err error
	switch data := data.(type) {
	case []byte:
		return append(dst, data...)
	case proto.Message:
		dst, err = appendProto(dst, name(data), data, most)
	default:
		err = fmt.Errorf("protobuf: can't send a %T, only a proto.Message or what PackMessage returns", data)
	}
	if err != nil {
		c.CloseWithError(err)
	}
	return dst
}
