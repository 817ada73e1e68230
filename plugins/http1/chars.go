package http1

import (
	"encoding/binary"
	"math/bits"
)

// Classes of characters, as bits of class.
const (
	isToken  uint8 = 1 << iota // tchar, RFC 9110 section 5.6.2
	isTarget                   // in a request target: visible ASCII but '#', which begins no part of one
	isPath                     // in a request target before the query
	isHost                     // in a reg-name, RFC 3986 section 3.2.2
	isDigit
)

// class has the classes of each byte. It never changes.
var class = func() (t [256]uint8) {
	mark := func(chars string, bits uint8) {
		for i := range len(chars) {
			t[chars[i]] |= bits
		}
	}
	for c := '!'; c <= '~'; c++ {
		t[c] = isTarget | isPath
	}
	t['#'], t['?'] = 0, isTarget
	mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", isToken|isHost)
	mark("0123456789", isToken|isHost|isDigit)
	mark("!#$%&'*+-.^_`|~", isToken)
	mark("-._~%!$&'()*+,;=", isHost)
	return t
}()

// every is c in each byte of a word.
func every(c byte) uint64 { return 0x0101010101010101 * uint64(c) }

// valueEnd returns the index of the first byte of p, from index i on, that can't
// be in a field value: a control character other than the tab, one of which ends
// the line. It is len(p) if there is none.
func valueEnd(p []byte, i int) int {
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:])
		// The lowest bit of each term is exact: a borrow only goes upwards.
		control := (w - every(' ')) &^ w
		del := w ^ every(0x7f)
		del = (del - every(1)) &^ del
		if found := (control | del) & every(0x80); found != 0 {
			if i += bits.TrailingZeros64(found) / 8; p[i] != '\t' {
				return i
			}
			i -= 7 // on with the byte after the tab
		}
	}
	for ; i < len(p); i++ {
		if c := p[i]; c < ' ' && c != '\t' || c == 0x7f {
			return i
		}
	}
	return i
}

// equalFold reports whether a and b are the same but for the case of letters.
// ASCII only, as all that is compared so in HTTP.
func equalFold[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// isTokenString reports whether s is a token: a method, a field name.
func isTokenString[S ~string | ~[]byte](s S) bool {
	for i := range len(s) {
		if class[s[i]]&isToken == 0 {
			return false
		}
	}
	return len(s) > 0
}

// elements calls f for each element of a comma-separated list, without the blanks
// around it, until f returns false. RFC 9110 section 5.6.1 has empty ones ignored.
func elements(list []byte, f func(element []byte) bool) {
	for len(list) > 0 {
		end := 0
		for end < len(list) && list[end] != ',' {
			end++
		}
		element := trimBlanks(list[:end])
		if len(element) > 0 && !f(element) {
			return
		}
		list = list[min(end+1, len(list)):]
	}
}

func trimBlanks(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\t') {
		p = p[1:]
	}
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t') {
		p = p[:len(p)-1]
	}
	return p
}
