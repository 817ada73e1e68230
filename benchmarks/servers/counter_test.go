package servers

import (
	"encoding/binary"
	"testing"

	"github.com/go-weir/weir/benchmarks/load"
)

// FuzzCounter feeds the same stream in two ways, as a whole and in pieces.
func FuzzCounter(f *testing.F) {
	stream, _ := load.Frames(3, 30)
	f.Add(stream, 1)
	f.Add(append(stream, 0, 0, 0, 0), 5)
	f.Add([]byte{0, 0, 0}, 2)
	f.Add([]byte{255, 255, 255, 255, 1}, 3)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		piece = 1 + max(0, piece)%64
		var whole, pieces counter
		rest, _ := whole.feed(stream)
		var kept []byte
		for left := stream; len(left) > 0; {
			n := min(piece, len(left))
			kept = append(kept, left[:n]...)
			left = left[n:]
			r, _ := pieces.feed(kept)
			kept = append([]byte(nil), r...)
		}
		if whole.frames != pieces.frames || whole.bytes != pieces.bytes || string(rest) != string(kept) {
			t.Errorf("as a whole %d frames, %d bytes, %d left; in pieces %d, %d, %d",
				whole.frames, whole.bytes, len(rest), pieces.frames, pieces.bytes, len(kept))
		}
	})
}

func TestCounterAnswers(t *testing.T) {
	var c counter
	stream, n := load.Frames(110, 1000)
	if _, answer := c.feed(stream); answer != nil {
		t.Errorf("an answer that nobody asked for: %v", answer)
	}
	_, answer := c.feed(make([]byte, load.FrameHeader))
	if len(answer) != load.CountSize || binary.BigEndian.Uint64(answer) != uint64(n) {
		t.Errorf("%v, want %d frames", answer, n)
	}
}
