package codec

import (
	"encoding/binary"
	"math/bits"
)

// Flags are what a frame's first byte says besides its kind. 0 is a whole message that
// is not compressed.
type Flags uint8

// The flags of a frame.
const (
	// More says that the message goes on in another frame, a Continuation.
	More Flags = 0x80
	// Deflated says that the message is compressed; it stands on its first frame.
	Deflated Flags = 0x40
)

// MaxHeader is the largest number of bytes in front of a payload.
const MaxHeader = 14

// AppendHeader appends the header of a server's frame whose payload has n bytes.
func AppendHeader(dst []byte, k Kind, f Flags, n int) []byte { return appendHeader(dst, k, f, 0, n) }

// AppendFrame appends a frame as a server sends it. The caller answers for the rules:
// a control frame has at most MaxControl bytes and no flags, and text is UTF-8.
func AppendFrame(dst []byte, k Kind, f Flags, payload []byte) []byte {
	return append(appendHeader(dst, k, f, 0, len(payload)), payload...)
}

// AppendMasked appends a frame as a client sends it, masked with key, which a client
// takes from a source that cannot be guessed (RFC 6455, section 10.3), anew for each
// frame. payload is left as it is.
func AppendMasked(dst []byte, k Kind, f Flags, key [4]byte, payload []byte) []byte {
	dst = appendHeader(dst, k, f, masked, len(payload))
	dst = append(dst, key[0], key[1], key[2], key[3])
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], binary.LittleEndian.Uint32(key[:]))
	return dst
}

// AppendClose appends the payload of a close frame: code and reason, or nothing if code
// is 0 or NoStatus. A reason is cut, between two characters, to what fits.
func AppendClose(dst []byte, code Code, reason string) []byte {
	if code == 0 || code == NoStatus {
		return dst
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(code)), fit(reason, MaxControl-2)...)
}

// fit cuts s to at most n bytes, not within a character.
func fit(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

const masked = 0x80 // in the second byte of a header

func appendHeader(dst []byte, k Kind, f Flags, mask byte, n int) []byte {
	first := byte(k) | byte(f)&byte(Deflated) | ^byte(f)&byte(More)
	switch {
	case n < 126:
		return append(dst, first, mask|byte(n))
	case bits.Len(uint(n)) <= 16:
		return append(dst, first, mask|126, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, first, mask|127), uint64(n))
}
