package lengthfield

import (
	"fmt"

	"github.com/go-weir/weir"
)

// Packet returns data, a []byte or a string, as a frame. What can't be one
// closes the connection with an error that says why.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte { return p.AppendPacket(nil, c, data) }

// AppendPacket is Packet without a buffer of its own.
func (p *Protocol) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	var err error
	switch data := data.(type) {
	case []byte:
		dst, err = appendFrame(p, dst, data)
	case string:
		dst, err = appendFrame(p, dst, data)
	default:
		err = fmt.Errorf("lengthfield: can't send a %T, only a []byte or a string", data)
	}
	if err != nil {
		c.CloseWithError(err)
	}
	return dst
}

// AppendFrame appends data as a frame to dst, for a client, or for
// [weir.Connection.Write]. With an error, which says that it is too long or too
// short for a frame, dst is as it was.
func (p *Protocol) AppendFrame(dst, data []byte) ([]byte, error) { return appendFrame(p, dst, data) }

func appendFrame[T []byte | string](p *Protocol, dst []byte, data T) ([]byte, error) {
	if p.field.width < 1 {
		return appendVariable(p, dst, data)
	}
	// The bytes that are not stripped are data's, the place of the length
	// among them if it is delivered too.
	size := len(p.lead) + len(data)
	end := p.offset + p.field.width
	value := int64(size-end) - p.adjust
	switch {
	case size > p.max:
		return dst, fmt.Errorf("lengthfield: can't send %d bytes, a frame has at most %d: %w", len(data), p.max, weir.ErrMessageTooLarge)
	case size < end || !p.field.fits(value):
		return dst, fmt.Errorf("lengthfield: can't send %d bytes, their length would be %d in %d bytes", len(data), value, p.field.width)
	}
	start := len(dst)
	dst = append(dst, p.lead...)
	dst = append(dst, data...)
	p.field.put(dst[start+p.offset:], value)
	return dst, nil
}

// appendVariable is appendFrame for a length that isn't a number of fixed
// width. The header is stripped, so all of data comes after it.
func appendVariable[T []byte | string](p *Protocol, dst []byte, data T) ([]byte, error) {
	start := len(dst)
	value := int64(len(data)) - p.adjust
	frame := append(dst, p.lead...)
	frame = p.field.append(frame, value)
	switch {
	case !p.field.fits(value):
		return dst, fmt.Errorf("lengthfield: can't send %d bytes, their length would be %d", len(data), value)
	case len(frame)-start+len(data) > p.max:
		return dst, fmt.Errorf("lengthfield: can't send %d bytes, a frame has at most %d: %w", len(data), p.max, weir.ErrMessageTooLarge)
	}
	return append(frame, data...), nil
}
