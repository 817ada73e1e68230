package lengthfield

import (
	"encoding/binary"
	"fmt"
	"math"
)

// padded is the width of a zig-zag varint, padded with zeros to a fixed size.
const padded = -2

// field is the length itself.
type field struct {
	// set once
	width  int  // 1, 2, 3, 4, 8, Varint or padded
	little bool // for a fixed width
	size   int  // of a padded one
}

// read returns the length at the beginning of p, and how many bytes it takes
// there; 0 if more are needed. A value of 8 bytes that has the highest bit is
// negative.
func (f *field) read(p []byte) (value int64, n int, err error) {
	switch {
	case f.width == Varint:
		v, n := binary.Uvarint(p)
		if n < 0 || n > 0 && v > math.MaxInt64 {
			return 0, 0, fmt.Errorf("%w: the length does not fit into 63 bits", ErrCorrupt)
		}
		return int64(v), n, nil
	case f.width == padded:
		return f.readPadded(p)
	case len(p) < f.width:
		return 0, 0, nil
	case f.little:
		return int64(littleEndian(p[:f.width])), f.width, nil
	}
	return int64(bigEndian(p[:f.width])), f.width, nil
}

func (f *field) readPadded(p []byte) (value int64, n int, err error) {
	if len(p) < f.size {
		return 0, 0, nil
	}
	value, n = binary.Varint(p[:f.size])
	if n <= 0 {
		return 0, 0, fmt.Errorf("%w: the length does not end within the header", ErrCorrupt)
	}
	for _, b := range p[n:f.size] {
		if b != 0 {
			return 0, 0, fmt.Errorf("%w: the header is not filled with zeros", ErrCorrupt)
		}
	}
	return value, f.size, nil
}

// append appends the length.
func (f *field) append(dst []byte, value int64) []byte {
	switch f.width {
	case Varint:
		return binary.AppendUvarint(dst, uint64(value))
	case padded:
		start := len(dst)
		dst = binary.AppendVarint(dst, value)
		for len(dst) < start+f.size {
			dst = append(dst, 0)
		}
		return dst
	}
	var place [8]byte
	f.put(place[:], value)
	return append(dst, place[:f.width]...)
}

// put writes a length of fixed width to the beginning of p.
func (f *field) put(p []byte, value int64) {
	p = p[:f.width]
	for i := range p {
		shift := 8 * i
		if !f.little {
			shift = 8 * (f.width - 1 - i)
		}
		p[i] = byte(value >> shift)
	}
}

// fits reports whether the length can be written.
func (f *field) fits(value int64) bool {
	return value >= 0 && (f.width < 1 || value>>(8*f.width) == 0)
}

func bigEndian(p []byte) (v uint64) {
	for _, b := range p {
		v = v<<8 | uint64(b)
	}
	return v
}

func littleEndian(p []byte) (v uint64) {
	for i, b := range p {
		v |= uint64(b) << (8 * i)
	}
	return v
}
