package codec_test

import "fmt"

// inflate is a plain inflater of RFC 1951, for what compress/flate can't tell: how far
// back the data refers. The data may refer to window, and ends where it ends.
func inflate(window, data []byte) (out []byte, farthest int, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%v", e)
		}
	}()
	b := &bitReader{data: data}
	out = append(out, window...)
	for !b.ended() {
		if b.bits(1) != 0 {
			return nil, 0, fmt.Errorf("a block is marked as the last")
		}
		switch b.bits(2) {
		case 0:
			b.n = (b.n + 7) &^ 7
			n := b.bits(16)
			if b.bits(16) != n^0xffff {
				return nil, 0, fmt.Errorf("a stored block's length is wrong")
			}
			for range n {
				out = append(out, byte(b.bits(8)))
			}
		case 1:
			var lengths [320]int
			for i := range 288 { // section 3.2.6
				switch {
				case i < 144 || i >= 280:
					lengths[i] = 8
				case i < 256:
					lengths[i] = 9
				default:
					lengths[i] = 7
				}
			}
			for i := range 32 {
				lengths[288+i] = 5
			}
			out, farthest = b.block(out, farthest, tree(lengths[:288]), tree(lengths[288:]))
		case 2:
			literals, distances := b.trees()
			out, farthest = b.block(out, farthest, literals, distances)
		default:
			return nil, 0, fmt.Errorf("a block's type is reserved")
		}
	}
	return out[len(window):], farthest, nil
}

type bitReader struct {
	data []byte
	n    int // in bits
}

// ended reports whether only padding is left.
func (b *bitReader) ended() bool { return b.n >= 8*len(b.data) }

func (b *bitReader) bits(n int) (v int) {
	for i := range n {
		v |= int(b.data[b.n/8]>>(b.n%8)&1) << i
		b.n++
	}
	return v
}

// code is one of Huffman's, by its length.
type code struct{ length, bits int }

// tree makes the canonical codes of RFC 1951, section 3.2.2.
func tree(lengths []int) map[code]int {
	var count, next [16]int
	for _, l := range lengths {
		count[l]++
	}
	count[0] = 0
	for l := 1; l < 16; l++ {
		next[l] = (next[l-1] + count[l-1]) << 1
	}
	codes := make(map[code]int)
	for symbol, l := range lengths {
		if l != 0 {
			codes[code{l, next[l]}] = symbol
			next[l]++
		}
	}
	return codes
}

func (b *bitReader) symbol(codes map[code]int) int {
	var c code
	for c.length < 16 {
		c.length++
		c.bits = c.bits<<1 | b.bits(1)
		if s, ok := codes[c]; ok {
			return s
		}
	}
	panic("no such code")
}

// trees reads those of a block that has its own (section 3.2.7).
func (b *bitReader) trees() (literals, distances map[code]int) {
	nl, nd, nc := b.bits(5)+257, b.bits(5)+1, b.bits(4)+4
	var short [19]int
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nc] {
		short[i] = b.bits(3)
	}
	codes := tree(short[:])
	var lengths []int
	for len(lengths) < nl+nd {
		s, again, l := b.symbol(codes), 1, 0
		switch s {
		case 16:
			l, again = lengths[len(lengths)-1], 3+b.bits(2)
		case 17:
			again = 3 + b.bits(3)
		case 18:
			again = 11 + b.bits(7)
		default:
			l = s
		}
		for range again {
			lengths = append(lengths, l)
		}
	}
	return tree(lengths[:nl]), tree(lengths[nl:])
}

func (b *bitReader) block(out []byte, farthest int, literals, distances map[code]int) ([]byte, int) {
	for {
		s := b.symbol(literals)
		switch {
		case s == 256:
			return out, farthest
		case s < 256:
			out = append(out, byte(s))
			continue
		}
		length := 258
		if s < 265 {
			length = s - 254
		} else if s < 285 {
			extra := (s - 261) / 4
			length = 3 + (4+(s-261)%4)<<extra + b.bits(extra)
		}
		d := b.symbol(distances)
		distance := d + 1
		if d >= 4 {
			extra := d/2 - 1
			distance = 1 + (2+d%2)<<extra + b.bits(extra)
		}
		farthest = max(farthest, distance)
		for range length {
			out = append(out, out[len(out)-distance])
		}
	}
}
