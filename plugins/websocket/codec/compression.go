package codec

import "encoding/binary"

// A Compression is both directions of permessage-deflate on one connection. They have
// nothing in common: one goroutine may inflate while another compresses.
type Compression struct {
	codec *Codec // set once
	cost  int    // set once
	in    receiving
	out   sending
}

// NewCompression makes what a connection needs, after what was agreed. It returns nil
// if p is not Agreed.
func (c *Codec) NewCompression(p Params) *Compression {
	if !p.Agreed() {
		return nil
	}
	z := &Compression{codec: c, cost: c.cost(p)}
	z.in.takeover, z.in.bits = c.receives(p)
	z.out.takeover, z.out.bits = c.sends(p)
	z.out.level = int8(c.deflate.level(z.out.takeover))
	z.out.threshold = c.deflate.threshold(z.out.takeover)
	return z
}

// Takeover reports whether what we send has a context that goes on from one message to
// the next. If it has none, a compressed frame is good for every connection whose Bits
// are the same or more.
func (z *Compression) Takeover() bool { return z.out.takeover }

// Bits is the size of the window of what we send, as a power of two: 8 to 15.
func (z *Compression) Bits() int { return int(z.out.bits) }

// Release gives back what the connection takes. It is called once, after the last use;
// only those of AppendFrame without Takeover, on other goroutines, need not have ended:
// they use nothing that is given back.
func (z *Compression) Release() {
	if z.out.w != nil {
		z.codec.deflate.put(z.out.w)
		z.out.w = nil
	}
	z.in.window = nil
	z.codec.deflate.memory.give(z.cost)
}

// Restart has the next message begin without a context. It is for a frame that was not
// sent: what refers to it would mean something else to the peer.
func (z *Compression) Restart() {
	if w := z.out.w; w != nil {
		w.flate.Reset(w)
	}
}

// AppendFrame appends a frame with the message, compressed if it is as long as
// Deflate.Threshold and compressing makes it shorter. A control frame is never
// compressed. Not to compress one message, use the function AppendFrame.
//
// If Takeover is true, calls have to be made one at a time, in the order in which the
// frames are sent, and every frame has to be sent, or Restart be called; otherwise by
// any goroutine.
func (z *Compression) AppendFrame(dst []byte, k Kind, payload []byte) []byte {
	if k.Control() || len(payload) < z.out.threshold {
		return AppendFrame(dst, k, 0, payload)
	}
	start := len(dst)
	dst, ok := z.appendDeflated(dst, k, 0, payload)
	if !ok {
		return AppendFrame(dst[:start], k, 0, payload)
	}
	return dst
}

// AppendMasked is AppendFrame for a client.
func (z *Compression) AppendMasked(dst []byte, k Kind, key [4]byte, payload []byte) []byte {
	if k.Control() || len(payload) < z.out.threshold {
		return AppendMasked(dst, k, 0, key, payload)
	}
	start := len(dst)
	dst, ok := z.appendDeflated(dst, k, masked, payload)
	if !ok {
		return AppendMasked(dst[:start], k, 0, key, payload)
	}
	// The header leaves room for the key.
	at := start + headerSize(dst[start:])
	copy(dst[at-4:at], key[:])
	mask(dst[at:], binary.LittleEndian.Uint32(key[:]))
	return dst
}

// appendDeflated appends a compressed frame, not yet masked, or reports that it would be
// no shorter, which is no reason if there is a context: the message is part of it now.
func (z *Compression) appendDeflated(dst []byte, k Kind, mask byte, payload []byte) ([]byte, bool) {
	var room [MaxHeader]byte // as much as fits any header; what is left over is taken back
	start := len(dst)
	dst = z.deflate(append(dst, room[:]...), payload)
	n := len(dst) - start - MaxHeader
	if n >= len(payload) && !z.out.takeover {
		return dst, false
	}
	head := appendHeader(room[:0], k, Deflated, mask, n)
	if mask != 0 {
		head = head[:len(head)+4]
	}
	copy(dst[start:], head)
	copy(dst[start+len(head):], dst[start+MaxHeader:])
	return dst[:start+len(head)+n], true
}

// headerSize is how many bytes of a frame are its header.
func headerSize(frame []byte) int {
	n := 2
	switch frame[1] & 0x7f {
	case 126:
		n = 4
	case 127:
		n = 10
	}
	if frame[1]&masked != 0 {
		n += 4
	}
	return n
}
