package codec

import "encoding/binary"

// A utf8Check is where a check of text stands that comes in pieces: within a character
// of which need bytes are still to come, the next of them from lo to hi.
type utf8Check struct{ need, lo, hi uint8 }

// done reports whether the text may end here.
func (s *utf8Check) done() bool { return s.need == 0 }

// valid goes on with p, and reports false at the first byte that no text can have there
// (RFC 3629, section 4). It is of no use after that.
func (s *utf8Check) valid(p []byte) bool {
	need, lo, hi := s.need, s.lo, s.hi
	for i := 0; i < len(p); {
		c := p[i]
		i++
		switch {
		case need != 0:
			if c < lo || c > hi {
				return false
			}
			need, lo, hi = need-1, 0x80, 0xbf
		case c < 0x80:
			if len(p)-i >= 8 && binary.LittleEndian.Uint64(p[i:])&ascii == 0 {
				i += asciiBlocks(p[i:])
			}
		case c >= 0xc2 && c < 0xe0 && i < len(p): // what follow says of these, faster
			if p[i]&0xc0 != 0x80 {
				return false
			}
			i++
		default:
			if need, lo, hi = follow(c); need == 0 {
				return false
			}
			if len(p)-i >= int(need) { // all of the character is here
				if p[i] < lo || p[i] > hi {
					return false
				}
				for end := i + int(need); i+1 < end; end-- {
					if p[end-1]&0xc0 != 0x80 {
						return false
					}
				}
				i += int(need)
				need = 0
			}
		}
	}
	s.need, s.lo, s.hi = need, lo, hi
	return true
}

// asciiBlocks returns how many bytes p begins with, in blocks of 8, that are all ASCII.
func asciiBlocks(p []byte) (n int) {
	for len(p) >= 32 {
		b := p[:32:32]
		if (binary.LittleEndian.Uint64(b[0:8])|binary.LittleEndian.Uint64(b[8:16])|
			binary.LittleEndian.Uint64(b[16:24])|binary.LittleEndian.Uint64(b[24:32]))&ascii != 0 {
			break
		}
		n, p = n+32, p[32:]
	}
	for len(p) >= 8 && binary.LittleEndian.Uint64(p)&ascii == 0 {
		n, p = n+8, p[8:]
	}
	return n
}

// follow says what comes after c, the first byte of a character that is not ASCII: how
// many bytes, and from where to where the first of them may be, so that there are no
// surrogates, nothing over U+10FFFF and no form that is longer than it need be. None:
// c can't be first.
func follow(c byte) (need, lo, hi uint8) {
	switch {
	case c < 0xc2:
		return 0, 0, 0
	case c < 0xe0:
		return 1, 0x80, 0xbf
	case c == 0xe0:
		return 2, 0xa0, 0xbf
	case c == 0xed:
		return 2, 0x80, 0x9f
	case c < 0xf0:
		return 2, 0x80, 0xbf
	case c == 0xf0:
		return 3, 0x90, 0xbf
	case c < 0xf4:
		return 3, 0x80, 0xbf
	case c == 0xf4:
		return 3, 0x80, 0x8f
	}
	return 0, 0, 0
}

// validUTF8 reports whether p is text, all of it.
func validUTF8(p []byte) bool {
	var s utf8Check
	return s.valid(p) && s.done()
}
