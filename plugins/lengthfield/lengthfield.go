// Package lengthfield is a [weir.Protocol] for frames that say how long they
// are: a length of 1, 2, 3, 4 or 8 bytes or a varint, anywhere in a header.
//
// [Config] has what users of Netty's LengthFieldBasedFrameDecoder know, under
// shorter names, and the encoder is the decoder's mirror: what it is given is
// what the decoder delivers. [BuffStreams] is a preset for another library's
// header.
//
// The payload is a window into what was received: nothing is copied. A frame
// without payload is delivered with an [Empty] as its ctx; all others have
// none. A frame that can't be one closes the connection with [ErrCorrupt] as
// the cause, and one that is too long with [weir.ErrMessageTooLarge], as soon
// as its header is there.
package lengthfield

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

const (
	// Varint is the Width of a base 128 varint, unsigned, as Protocol Buffers
	// and Go's binary.PutUvarint write it.
	Varint = -1

	// StripHeader is the Strip that leaves away everything up to the end of
	// the length.
	StripHeader = -1

	// DefaultMaxFrame is the MaxFrame of a Config that has none.
	DefaultMaxFrame = 1 << 20
)

// ErrCorrupt is in the cause of a connection's end when the length of a frame
// can't be: negative, shorter than the header, or no number at all.
var ErrCorrupt = errors.New("lengthfield: corrupt frame")

// Empty is the ctx of a frame without payload: without a ctx there would be no
// message.
type Empty struct{}

// Config is the layout of a frame. In parentheses, what Netty calls it.
//
// A frame is Offset bytes of something else, the length, and as many bytes as
// the length says, plus Adjustment. What is delivered is the frame without the
// first Strip bytes.
type Config struct {
	// Width is how many bytes the length has: 1, 2, 3, 4, 8 or Varint
	// (lengthFieldLength).
	Width int

	// LittleEndian is the byte order of the length (byteOrder).
	LittleEndian bool

	// Offset is how many bytes are before the length (lengthFieldOffset).
	Offset int

	// Adjustment is what has to be added to the length to get the number of
	// bytes that follow it (lengthAdjustment): minus the size of the header if
	// the length counts that too, plus what is between the length and the
	// content if it doesn't count that.
	Adjustment int

	// Strip is how many bytes at the beginning of a frame are not delivered
	// (initialBytesToStrip), or StripHeader, which it has to be for a Varint.
	Strip int

	// MaxFrame is the most that a frame may have, in bytes, with its header
	// (maxFrameLength); 0: DefaultMaxFrame. The server's MaxMessageSize bounds
	// it too.
	MaxFrame int

	// Prefix is what the encoder puts where the decoder strips: constants such
	// as a magic number. Its place for the length, and what it lacks, is 0 at
	// first. The decoder doesn't look at it.
	Prefix []byte
}

// Protocol cuts a stream into frames, and makes frames of what is sent: a
// []byte or a string. It never changes: any number of servers can share it, and
// AppendFrame is for any goroutine. NewServer refuses the zero value.
type Protocol struct {
	// set once
	field  field
	offset int
	adjust int64
	strip  int // StripHeader: the header, whose size varies
	max    int
	lead   []byte // what the encoder begins a frame with
}

var (
	_ weir.Protocol       = (*Protocol)(nil)
	_ weir.ValidProtocol  = (*Protocol)(nil)
	_ weir.Splitter       = (*Protocol)(nil)
	_ weir.PacketAppender = (*Protocol)(nil)
)

// New returns the Protocol for frames of that layout, or an error if there are
// none.
func New(c Config) (*Protocol, error) {
	if c.MaxFrame == 0 {
		c.MaxFrame = DefaultMaxFrame
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	p := &Protocol{
		field:  field{width: c.Width, little: c.LittleEndian},
		offset: c.Offset, adjust: int64(c.Adjustment), strip: c.Strip, max: c.MaxFrame,
	}
	size := c.Offset
	if c.Width != Varint {
		if c.Strip == StripHeader {
			p.strip = c.Offset + c.Width
		}
		size = p.strip
	}
	p.lead = make([]byte, size)
	copy(p.lead, c.Prefix)
	return p, nil
}

// validate rejects an invalid configuration. It changes nothing.
func (c *Config) validate() error {
	const most = math.MaxInt32
	end, stripped, largest := c.Offset+max(c.Width, 1), c.Strip, int64(math.MaxInt64/2)
	if c.Width > 0 && c.Width < 8 {
		largest = 1<<(8*c.Width) - 1
	}
	switch {
	case !slices.Contains([]int{1, 2, 3, 4, 8, Varint}, c.Width):
		return invalid("Width is %d, must be 1, 2, 3, 4, 8 or Varint", c.Width)
	case c.MaxFrame < 1 || c.MaxFrame > most:
		return invalid("MaxFrame is %d, must be from 1 to %d", c.MaxFrame, most)
	case c.Offset < 0 || c.Offset >= c.MaxFrame || end > c.MaxFrame:
		return invalid("Offset is %d, must be from 0, and leave room for a length within MaxFrame, %d", c.Offset, c.MaxFrame)
	case c.Adjustment > c.MaxFrame-end || c.Adjustment < -most || largest+int64(c.Adjustment) < int64(max(c.Strip-end, 0)):
		return invalid("Adjustment is %d: no length makes a frame that is long enough, and within MaxFrame, %d", c.Adjustment, c.MaxFrame)
	case c.Width == Varint && c.Strip != StripHeader:
		return invalid("Strip is %d, must be StripHeader for a Varint", c.Strip)
	case c.Strip < StripHeader || c.Strip > c.MaxFrame:
		return invalid("Strip is %d, must be StripHeader or from 0 to MaxFrame %d", c.Strip, c.MaxFrame)
	case c.Width == Varint:
		stripped = c.Offset
	case c.Strip == StripHeader:
		stripped = end
	}
	if len(c.Prefix) > stripped {
		return invalid("Prefix has %d bytes, must fit into the %d that are stripped", len(c.Prefix), stripped)
	}
	return nil
}

// Validate implements weir.ValidProtocol: it refuses the zero value, which has no
// layout.
func (p *Protocol) Validate() error {
	if p.max == 0 {
		return errors.New("lengthfield: the zero Protocol has no layout, make one with New or BuffStreams")
	}
	return nil
}

// invalid is an error of New.
func invalid(format string, args ...any) error {
	return fmt.Errorf("lengthfield: "+format, args...)
}

// UnPacket takes the next frame off buffer.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	return weir.UnPacketBySplit(p, c, buffer)
}

// Split implements weir.Splitter: it takes the next frame off data.
func (p *Protocol) Split(c *weir.Connection, data []byte) (n int, ctx any, payload []byte) {
	size, strip, err := p.header(data)
	if err != nil {
		c.CloseWithError(err)
		return 0, nil, nil
	}
	if size == 0 || len(data) < size {
		return 0, nil, nil
	}
	if payload = data[strip:size:size]; len(payload) == 0 {
		return size, Empty{}, payload
	}
	return size, nil, payload
}

// header returns the size of the frame at the beginning of data, and how many
// bytes of it are stripped; 0 while that isn't known.
func (p *Protocol) header(data []byte) (size, strip int, err error) {
	if len(data) <= p.offset {
		return 0, 0, nil
	}
	value, n, err := p.field.read(data[p.offset:])
	if n == 0 || err != nil {
		return 0, 0, err
	}
	end := p.offset + n
	if strip = p.strip; strip == StripHeader {
		strip = end
	}
	body := value + p.adjust // how many bytes follow; may overflow if value is out of bounds anyway
	switch {
	case value < 0:
		return 0, 0, fmt.Errorf("%w: the length is negative", ErrCorrupt)
	case value > math.MaxInt64/2 || body > int64(p.max-end):
		return 0, 0, fmt.Errorf("lengthfield: the length is %d, more than a frame of %d bytes has: %w", value, p.max, weir.ErrMessageTooLarge)
	case body < 0 || body < int64(strip-end):
		return 0, 0, fmt.Errorf("%w: the length is %d, less than the header has", ErrCorrupt, value)
	}
	return end + int(body), strip, nil
}
