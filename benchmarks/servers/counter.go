package servers

import (
	"encoding/binary"

	"github.com/go-weir/weir/benchmarks/load"
)

// counter is what the Frame role does with a payload: it counts. A payload without bytes asks for the count.
type counter struct {
	frames uint64
	bytes  uint64
	answer [load.CountSize]byte
}

// take counts one frame, and returns what is to be sent: nil if nothing.
func (c *counter) take(payload []byte) []byte {
	if len(payload) == 0 {
		binary.BigEndian.PutUint64(c.answer[:], c.frames)
		return c.answer[:]
	}
	c.frames++
	c.bytes += uint64(len(payload))
	return nil
}

// feed counts the whole frames at the beginning of p. It returns what is left of p, and what is to be sent: nil if
// nothing.
func (c *counter) feed(p []byte) (rest, answer []byte) {
	for len(p) >= load.FrameHeader {
		end := load.FrameHeader + int(binary.BigEndian.Uint32(p))
		if len(p) < end {
			break
		}
		if a := c.take(p[load.FrameHeader:end]); a != nil {
			answer = a
		}
		p = p[end:]
	}
	return p, answer
}
