package ringbuffer

import "encoding/binary"

// The methods here look at a number at the beginning of the unread bytes and read nothing. The caller drops it with
// Retrieve.

// PeekUint8 returns the first unread byte, 0 when there is none.
func (r *RingBuffer) PeekUint8() uint8 {
	if r.size == 0 {
		return 0
	}
	return r.buf[r.head]
}

// PeekUint16 returns the first 2 unread bytes as a big-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint16() uint16 {
	var scratch [2]byte
	return binary.BigEndian.Uint16(r.fixed(scratch[:]))
}

// PeekUint32 returns the first 4 unread bytes as a big-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint32() uint32 {
	var scratch [4]byte
	return binary.BigEndian.Uint32(r.fixed(scratch[:]))
}

// PeekUint64 returns the first 8 unread bytes as a big-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint64() uint64 {
	var scratch [8]byte
	return binary.BigEndian.Uint64(r.fixed(scratch[:]))
}

// PeekUint16LE returns the first 2 unread bytes as a little-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint16LE() uint16 {
	var scratch [2]byte
	return binary.LittleEndian.Uint16(r.fixed(scratch[:]))
}

// PeekUint32LE returns the first 4 unread bytes as a little-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint32LE() uint32 {
	var scratch [4]byte
	return binary.LittleEndian.Uint32(r.fixed(scratch[:]))
}

// PeekUint64LE returns the first 8 unread bytes as a little-endian number, 0 when there are fewer.
func (r *RingBuffer) PeekUint64LE() uint64 {
	var scratch [8]byte
	return binary.LittleEndian.Uint64(r.fixed(scratch[:]))
}

// PeekUvarint decodes an unsigned varint, as [binary.Uvarint] does: n is its length in bytes, 0 when more bytes are needed,
// negative when it does not fit into 64 bits.
func (r *RingBuffer) PeekUvarint() (v uint64, n int) {
	var scratch [maxVarint]byte
	return binary.Uvarint(r.leading(scratch[:]))
}

// PeekVarint decodes a signed (zig-zag) varint, as [binary.Varint] does; n is that of PeekUvarint.
func (r *RingBuffer) PeekVarint() (v int64, n int) {
	var scratch [maxVarint]byte
	return binary.Varint(r.leading(scratch[:]))
}

// maxVarint is one byte more than a varint can have, because that byte is what tells an overlong one from one that is not
// complete.
const maxVarint = binary.MaxVarintLen64 + 1

// fixed returns the first len(scratch) unread bytes, in scratch if they wrap; scratch as it is if there are fewer.
func (r *RingBuffer) fixed(scratch []byte) []byte {
	if r.size < len(scratch) {
		return scratch
	}
	return r.leading(scratch)
}

// leading returns up to len(scratch) unread bytes in one piece, in scratch if they wrap.
func (r *RingBuffer) leading(scratch []byte) []byte {
	first, end := r.Peek(len(scratch))
	if len(end) == 0 {
		return first
	}
	return scratch[:copy(scratch, first)+copy(scratch[len(first):], end)]
}
