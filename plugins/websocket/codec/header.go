package codec

import "encoding/binary"

// A header is what stands in front of a payload (RFC 6455, section 5.2).
type header struct {
	kind     Kind
	last     bool // FIN
	deflated bool // RSV1
	size     int  // bytes of the header itself; 0: it is not complete
	length   int  // bytes of the payload
	key      uint32
}

// header takes a header from p, after what is there of it from earlier calls, and
// returns how many bytes of p it used: all, if the header is still not complete.
func (d *Decoder) header(p []byte) (h header, used int, err *Error) {
	kept := int(d.n)
	if kept > 0 {
		kept += copy(d.head[kept:], p)
		h, err = d.parse(d.head[:kept])
	} else {
		h, err = d.parse(p)
	}
	switch {
	case err != nil:
		return h, 0, err
	case h.size != 0:
		used, d.n = h.size-int(d.n), 0
		return h, used, nil
	case kept == 0:
		kept = copy(d.head[:], p)
	}
	d.n = uint8(kept)
	return h, len(p), nil
}

// parse reads a header and refuses it as early as its bytes allow.
func (d *Decoder) parse(p []byte) (h header, err *Error) {
	if len(p) < 2 {
		return h, nil
	}
	if err := d.check(p[0], p[1]); err != nil {
		return h, err
	}
	h = header{kind: Kind(p[0] & 0xf), last: p[0]&0x80 != 0, deflated: p[0]&byte(Deflated) != 0}
	size, length := 2, uint64(p[1]&0x7f)
	switch {
	case length < 126:
	case length == 126:
		if len(p) < 4 {
			return h, nil
		}
		if size, length = 4, uint64(binary.BigEndian.Uint16(p[2:])); length < 126 {
			return h, ErrLength
		}
	default:
		if len(p) < 10 {
			return h, nil
		}
		if size, length = 10, binary.BigEndian.Uint64(p[2:]); length < 1<<16 || length >= 1<<63 {
			return h, ErrLength
		}
	}
	if !h.kind.Control() && length > uint64(d.room()) {
		return h, ErrMessageTooBig
	}
	h.length = int(length)
	if !d.codec.client {
		if len(p) < size+4 {
			return h, nil
		}
		h.key = binary.LittleEndian.Uint32(p[size:])
		size += 4
	}
	h.size = size
	return h, nil
}

// check refuses a frame for its first two bytes.
func (d *Decoder) check(first, second byte) *Error {
	kind, within := Kind(first&0xf), d.part != nil && d.part.kind != 0
	if first&0x30 != 0 || first&byte(Deflated) != 0 && (!d.deflate || kind != Text && kind != Binary) {
		return ErrReservedBits
	}
	switch kind {
	case Continuation:
		if !within {
			return ErrContinuation
		}
	case Text, Binary:
		if within {
			return ErrInterleaved
		}
	case Close, Ping, Pong:
		if first&0x80 == 0 || second&0x7f > MaxControl {
			return ErrControlFrame
		}
	default:
		return ErrOpcode
	}
	switch {
	case d.codec.client && second&masked != 0:
		return ErrMasked
	case !d.codec.client && second&masked == 0:
		return ErrUnmasked
	}
	return nil
}

// room is how many bytes the message may still have.
func (d *Decoder) room() int {
	if d.part == nil {
		return d.codec.limits.Message
	}
	return d.codec.limits.Message - d.part.len()
}
