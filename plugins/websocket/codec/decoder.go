package codec

import (
	"encoding/binary"
	"math/bits"
)

// A Decoder cuts what one peer sends into messages. It is for one goroutine at a time.
// Its zero value is not usable, see Init; it must not be copied once it is used. An
// idle one is all that it is: it points at no buffer.
type Decoder struct {
	codec   *Codec // set once
	part    *part  // the message that is not complete, or was not given back yet; nil as a rule
	err     *Error // if n is failed
	head    [MaxHeader]byte
	n       uint8 // how many bytes of head are there, or one of the two states below
	deflate bool  // set once
}

// States in the place of the number of bytes of a header. Neither is left.
const (
	failed = 0xff // Next returns err
	closed = 0xfe // a Close has come: what follows is discarded
)

// Init makes d ready for a connection. deflate says that permessage-deflate was agreed
// on, so that messages may be compressed.
func (d *Decoder) Init(c *Codec, deflate bool) { *d = Decoder{codec: c, deflate: deflate} }

// Next takes bytes of the stream and returns the next message, and how many bytes of
// p are done with. Then it has to be called again, with the rest of p, even if that is
// empty, until it returns a Message of Kind 0: p is used up then, and Next wants to be
// called when more has come.
//
// Next writes to p. The message's Data, which may be a part of p, is valid until the
// next call, and belongs to the caller until then.
//
// The error is an [*Error] and says with what code to close the connection. Messages
// that were complete before it have been returned by earlier calls. After an error,
// every call returns it again. After a Close everything is discarded.
func (d *Decoder) Next(p []byte) (m Message, n int, err error) {
	// What nearly all messages are: one masked frame of less than 64 KiB, all of it
	// here. Whatever it is else, next deals with it.
	if d.n == 0 && d.part == nil && len(p) >= 6 && !d.codec.client {
		first, head, size := p[0], 6, int(p[1])-masked
		if size == 126 && len(p) >= 8 {
			if head, size = 8, int(binary.BigEndian.Uint16(p[2:])); size < 126 {
				return d.next(p)
			}
		} else if size >= 126 {
			return d.next(p)
		}
		if (first == 0x80|byte(Text) || first == 0x80|byte(Binary)) &&
			uint(size) <= uint(len(p)-head) && size <= d.codec.limits.Message {
			n = head + size
			m.Data = p[head:n:n]
			or := mask(m.Data, binary.LittleEndian.Uint32(p[head-4:]))
			if m.Kind = Kind(first & 0xf); m.Kind == Text && or&ascii != 0 && !validUTF8(m.Data) {
				return d.fail(ErrUTF8)
			}
			return m, n, nil
		}
	}
	return d.next(p)
}

// next is Next for all that may come.
func (d *Decoder) next(p []byte) (m Message, n int, err error) {
	d.Done()
	if d.n == failed {
		return m, 0, d.err
	}
	for n < len(p) && d.n != closed {
		var bad *Error
		used := 0
		if d.part != nil && d.part.left > 0 {
			used = min(len(p)-n, d.part.left)
			m, bad = d.payload(p[n : n+used])
		} else {
			m, used, bad = d.frame(p[n:])
		}
		if bad != nil {
			return d.fail(bad)
		}
		n += used
		if m.Kind != 0 {
			return m, n, nil
		}
	}
	return m, len(p), nil
}

// frame takes a header and, if the frame is a message and all of it is there, the
// payload. It returns how many bytes of p it has used.
func (d *Decoder) frame(p []byte) (m Message, used int, err *Error) {
	h, used, err := d.header(p)
	if err != nil || h.size == 0 {
		return m, used, err
	}
	if h.length > len(p)-used || !h.last || h.kind == Continuation {
		if err = d.begin(h); err == nil && h.length == 0 {
			m, err = d.endFrame()
		}
		return m, used, err
	}
	end := used + h.length
	data := p[used:end:end]
	d.unmask(data, h.key)
	if h.kind.Control() {
		m, err = d.control(h.kind, data)
		return m, end, err
	}
	if h.kind == Text && !h.deflated && !validUTF8(data) {
		return m, end, ErrUTF8
	}
	return Message{Kind: h.kind, Compressed: h.deflated, Data: data}, end, nil
}

// control makes a message of a control frame.
func (d *Decoder) control(k Kind, data []byte) (m Message, err *Error) {
	if k != Close {
		return Message{Kind: k, Data: data}, nil
	}
	code, reason, err := parseClose(data)
	if err != nil {
		return m, err
	}
	d.n = closed
	if d.part != nil {
		d.part.done = true // there is no message to go on with
	}
	return Message{Kind: Close, Code: code, Data: reason}, nil
}

// unmask clears p, if it is masked at all, and returns the mask for what follows.
func (d *Decoder) unmask(p []byte, key uint32) uint32 {
	if d.codec.client {
		return 0
	}
	mask(p, key)
	return bits.RotateLeft32(key, -8*(len(p)&3))
}

// fail ends the decoding.
func (d *Decoder) fail(err *Error) (Message, int, error) {
	d.release()
	d.n, d.err = failed, err
	return Message{}, 0, err
}

// Done gives back what the message takes that Next has returned last, if it has come in
// pieces. Next would do so with its next call, which may be long in coming.
func (d *Decoder) Done() {
	if d.part != nil && d.part.done {
		d.release()
	}
}

// Pinned returns how many bytes of memory the unfinished message takes.
func (d *Decoder) Pinned() int {
	if d.part == nil || d.part.buf == nil {
		return 0
	}
	return cap(d.part.buf.b)
}

// Partial reports whether a frame or a message has begun and is not complete: if the
// stream ends there, it was cut.
func (d *Decoder) Partial() bool {
	return d.n > 0 && d.n <= MaxHeader || d.part != nil && !d.part.done
}

// Mark tells how old the unfinished message is, if there is one: it returns the mark that
// the first call since the message began was given, or the last one with anew, and how
// many bytes of the message have come. A mark is whatever the caller counts in.
func (d *Decoder) Mark(now uint32, anew bool) (mark uint32, bytes int, ok bool) {
	p := d.part
	if p == nil || p.done {
		return 0, 0, false
	}
	if !p.marked || anew {
		p.mark, p.marked = now, true
	}
	return p.mark, p.len(), true
}

// Release gives back what an unfinished message takes. It ends the use of d: a
// connection that has ended calls it once, after the last use of a Message.
func (d *Decoder) Release() {
	d.release()
	d.n = closed
}

// parseClose takes apart the payload of a close frame. The code is NoStatus if it is
// empty (RFC 6455, section 7.1.5). The errors are ErrCloseFrame and ErrUTF8.
func parseClose(payload []byte) (code Code, reason []byte, err *Error) {
	if len(payload) == 0 {
		return NoStatus, nil, nil
	}
	if len(payload) == 1 {
		return 0, nil, ErrCloseFrame
	}
	code, reason = Code(binary.BigEndian.Uint16(payload)), payload[2:]
	if !code.Valid() {
		return 0, nil, ErrCloseFrame
	}
	if !validUTF8(reason) {
		return 0, nil, ErrUTF8
	}
	return code, reason, nil
}
