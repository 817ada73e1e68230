package load

import "encoding/binary"

// WebSocket (RFC 6455), as far as a client needs it that knows beforehand what it says: the request that a connection
// begins with, and frames of one binary message each. Frames are made once, so that nothing is masked while it is measured.

// MaxFrameHeader is the most that a frame has in front of its payload.
const MaxFrameHeader = 14

// Upgrade is the request for a WebSocket. UpgradeEnd is what a server's answer to it ends with.
const (
	Upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	UpgradeEnd = "\r\n\r\n"
)

// Welcome is the first message on a WebSocket of a server that broadcasts: from then on it gets what is sent to all.
const Welcome = "!"

// Frame is a message as a server sends it.
func Frame(payload []byte) []byte { return append(frameHeader(payload, 0), payload...) }

// MaskedFrame is a message as a client sends it. The key is always the same; no server can know.
func MaskedFrame(payload []byte) []byte {
	const masked = 0x80
	key := [4]byte{0x5a, 0xc3, 0x0f, 0x96}
	f := append(frameHeader(payload, masked), key[:]...)
	for i, b := range payload {
		f = append(f, b^key[i%len(key)])
	}
	return f
}

// frameHeader begins the only frame of a binary message (RFC 6455, section 5.2).
func frameHeader(payload []byte, masked byte) []byte {
	const finalBinary = 0x82
	f := make([]byte, 0, MaxFrameHeader+len(payload))
	switch n := len(payload); {
	case n < 126:
		return append(f, finalBinary, masked|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(f, finalBinary, masked|126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(f, finalBinary, masked|127), uint64(n))
	}
}
