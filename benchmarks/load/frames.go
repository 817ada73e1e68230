package load

import "encoding/binary"

// Frames, as the server of one-way load gets them: four bytes that hold the length of the payload, big-endian, and the
// payload. A frame without payload asks for the count so far, which the server sends as eight bytes, big-endian.
const (
	FrameHeader = 4
	CountSize   = 8
)

// Frames are as many frames, with payloads of size bytes, as make about so many bytes.
func Frames(size, bytes int) (frames []byte, count int) {
	count = max(1, bytes/(FrameHeader+size))
	for range count {
		frames = binary.BigEndian.AppendUint32(frames, uint32(size))
		for i := range size {
			frames = append(frames, byte(i))
		}
	}
	return frames, count
}
