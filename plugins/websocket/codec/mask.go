package codec

import (
	"encoding/binary"
	"math/bits"

	"github.com/gobwas/ws"
)

// Mask applies the mask to p, in place: it masks what is clear and clears what is
// masked (RFC 6455, section 5.3). offset is how many bytes of the frame's payload come
// before p.
func Mask(p []byte, key [4]byte, offset int) {
	mask(p, bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(offset&3)))
}

// From here on the vector code of package ws is faster.
const vectorFrom = 256

// mask applies the mask, whose lowest byte is for p[0]. What it returns has a bit of
// 0x8080808080808080 set if p then has a byte that is not ASCII; for a long p, all are.
func mask(p []byte, key uint32) (or uint64) {
	n := len(p)
	if n >= vectorFrom {
		var k [4]byte
		binary.LittleEndian.PutUint32(k[:], key)
		ws.Cipher(p[:n&^15], k, 0)
		maskShort(p[n&^15:], key)
		return ^uint64(0)
	}
	return maskShort(p, key)
}

// maskShort is mask, 8 bytes at a time.
func maskShort(p []byte, key uint32) (or uint64) {
	k := uint64(key)<<32 | uint64(key)
	for len(p) >= 32 {
		b := p[:32:32]
		v0 := binary.LittleEndian.Uint64(b[0:8]) ^ k
		v1 := binary.LittleEndian.Uint64(b[8:16]) ^ k
		v2 := binary.LittleEndian.Uint64(b[16:24]) ^ k
		v3 := binary.LittleEndian.Uint64(b[24:32]) ^ k
		binary.LittleEndian.PutUint64(b[0:8], v0)
		binary.LittleEndian.PutUint64(b[8:16], v1)
		binary.LittleEndian.PutUint64(b[16:24], v2)
		binary.LittleEndian.PutUint64(b[24:32], v3)
		or |= v0 | v1 | v2 | v3
		p = p[32:]
	}
	for len(p) >= 8 {
		v := binary.LittleEndian.Uint64(p) ^ k
		binary.LittleEndian.PutUint64(p, v)
		or |= v
		p = p[8:]
	}
	if len(p) >= 4 {
		v := binary.LittleEndian.Uint32(p) ^ key
		binary.LittleEndian.PutUint32(p, v)
		or |= uint64(v)
		p = p[4:]
	}
	for i := range p {
		p[i] ^= byte(key)
		or |= uint64(p[i])
		key >>= 8
	}
	return or
}

// ascii is the bit of each of 8 bytes that ASCII leaves clear.
const ascii = 0x8080808080808080
