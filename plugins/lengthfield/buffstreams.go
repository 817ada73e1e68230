package lengthfield

import (
	"fmt"
	"math"
	"math/bits"
)

// BuffStreams returns the Protocol for what the library of that name has on the
// wire, for messages of at most size bytes. Both sides must have the same size,
// because it decides how long the header is: one byte more than the size
// itself has, the length in it as a zig-zag varint (Go's binary.PutVarint),
// and zeros to its end.
//
// A length that is negative or more than size closes the connection.
func BuffStreams(size int) (*Protocol, error) {
	if size < 1 || size > math.MaxInt32-5 {
		return nil, fmt.Errorf("lengthfield: BuffStreams for messages of %d bytes, must be from 1 to %d", size, math.MaxInt32-5)
	}
	header := (bits.Len(uint(size))+7)/8 + 1
	return &Protocol{
		field: field{width: padded, size: header},
		strip: StripHeader,
		max:   header + size,
	}, nil
}
