package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// bitWriter writes deflated data by hand (RFC 1951).
type bitWriter struct {
	data []byte
	n    int // in bits
}

// bits writes the low n bits of v, the lowest first.
func (b *bitWriter) bits(v, n int) {
	for i := range n {
		if b.n%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.n/8] |= byte(v>>i&1) << (b.n % 8)
		b.n++
	}
}

// code writes a Huffman code, the highest bit first.
func (b *bitWriter) code(v, n int) {
	for i := n - 1; i >= 0; i-- {
		b.bits(v>>i&1, 1)
	}
}

// stored is a message that is not compressed within its blocks.
func stored(p []byte) []byte {
	var out []byte
	for len(p) > 0 {
		n := min(len(p), 0xffff)
		out = append(out, 0, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		out, p = append(out, p[:n]...), p[n:]
	}
	return append(out, 0) // the beginning of the block whose rest is not sent
}

// reference is a message of three bytes, from so far back in what came before.
func reference(distance int) []byte {
	var b bitWriter
	b.bits(0, 1)
	b.bits(1, 2) // fixed codes
	b.code(1, 7) // a length of 3
	for code := 29; ; code-- {
		extra := max(code/2-1, 0)
		base := code + 1
		if code >= 4 {
			base = 1 + (2+code%2)<<extra
		}
		if distance >= base {
			b.code(code, 5)
			b.bits(distance-base, extra)
			break
		}
	}
	b.code(0, 7) // the end of the block
	b.bits(0, 3) // the beginning of the one whose rest is not sent
	return b.data
}

// TestWindowReach: a message can refer back to as far as was agreed on, and not farther,
// however many messages that far is.
func TestWindowReach(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, bits := range []int{8, 9, 12, 15} {
		size := 1 << bits
		for _, sizes := range [][]int{
			{size}, {size + 1}, {2 * size}, {3, size - 3}, {3, size - 4}, {3, size - 1}, {3, size + 7}, {size/2 + 5, size/2 + 5, size/2 + 5}, {size, 1, 1, 1}, {size - 3, 1, 1, 1}, {size - 3, 1, 1, 1, 1},
		} {
			k := newCodec(t, codec.Config{Deflate: &codec.Deflate{}})
			p, _, _ := k.Negotiate(fmt.Appendf(nil, "permessage-deflate; client_max_window_bits=%d", bits))
			z := k.NewCompression(p)
			inflated := func(data []byte) ([]byte, error) {
				return z.Inflate(nil, codec.Message{Kind: codec.Binary, Compressed: true, Data: data})
			}
			var all []byte
			for _, n := range sizes {
				message := make([]byte, n)
				for i := range message {
					message[i] = byte(r.Uint32())
				}
				got, err := inflated(stored(message))
				if err != nil || !bytes.Equal(got, message) {
					t.Fatalf("%d bits, %d bytes: %v", bits, n, err)
				}
				all = append(all, message...)
			}
			reach := min(size, len(all))
			if reach < 1<<15 { // farther there is no reference
				if got, err := inflated(reference(reach + 1)); !errors.Is(err, codec.ErrInflate) {
					t.Errorf("%d bits, %v: a reference to %d before gives %x, %v", bits, sizes, reach+1, got, err)
				}
			}
			got, err := inflated(reference(reach))
			if want := all[len(all)-reach:][:3]; err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bits, %v: a reference to %d before gives %x, %v, not %x", bits, sizes, reach, got, err, want)
			}
			z.Release()
		}
	}
}
