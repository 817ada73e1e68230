package codec

// A part is a message of which something is still to come, or which has been handed out
// and waits for the next call of Next to be given back. A Decoder has one only then.
type part struct {
	kind     Kind // of the message; 0: there is none, but an unfinished control frame
	deflated bool
	last     bool // the frame under way is the last of the message
	done     bool // handed out
	control  Kind // of the control frame under way, or 0
	text     utf8Check
	key      uint32 // the mask, for the next byte of the frame under way
	left     int    // how many bytes of that frame are still to come
	frames   int
	buf      *buffer // the payload so far; nil: nothing
	small    [MaxControl]byte
	n        int // how many bytes of small there are
	mark     uint32
	marked   bool
}

func (p *part) len() int {
	if p.buf == nil {
		return 0
	}
	return len(p.buf.b)
}

// begin starts a frame that can't be handed out from where it lies. Bytes of its
// payload are not yet taken.
func (d *Decoder) begin(h header) *Error {
	if d.part == nil {
		d.part = d.codec.buffers.part()
	}
	part := d.part
	part.left, part.key = h.length, h.key
	if h.kind.Control() {
		part.control, part.n = h.kind, 0
		return nil
	}
	if h.kind != Continuation {
		part.kind, part.deflated = h.kind, h.deflated
	}
	part.last = h.last
	part.frames++
	if part.frames > d.codec.limits.Frames {
		return ErrTooManyFrames
	}
	return nil
}

// payload takes bytes of the frame under way, and returns the message if they complete
// it.
func (d *Decoder) payload(p []byte) (m Message, err *Error) {
	part := d.part
	if part.control != 0 {
		at := part.n
		part.n += copy(part.small[at:], p)
		part.key = d.unmask(part.small[at:part.n], part.key)
		if part.left -= len(p); part.left > 0 {
			return m, nil
		}
		m, err = d.control(part.control, part.small[:part.n])
		part.control = 0
		part.done = part.done || part.kind == 0
		return m, err
	}
	if err := d.gather(p); err != nil {
		return m, err
	}
	return d.endFrame()
}

// gather appends bytes to the message.
func (d *Decoder) gather(p []byte) *Error {
	part := d.part
	at := part.len()
	if part.buf == nil || at+len(p) > cap(part.buf.b) {
		most := d.codec.limits.Message
		if part.last {
			most = at + part.left
		}
		b := d.codec.grow(part.buf, at+len(p), most)
		if b == nil {
			return ErrTooMuchPending
		}
		part.buf = b
	}
	part.buf.b = append(part.buf.b, p...)
	part.left -= len(p)
	got := part.buf.b[at:]
	part.key = d.unmask(got, part.key)
	if part.kind == Text && !part.deflated && !part.text.valid(got) {
		return ErrUTF8
	}
	return nil
}

// endFrame returns the message if its last frame is complete.
func (d *Decoder) endFrame() (m Message, err *Error) {
	part := d.part
	if part.left > 0 || !part.last {
		return m, nil
	}
	if !part.text.done() {
		return m, ErrUTF8
	}
	part.done = true
	m = Message{Kind: part.kind, Compressed: part.deflated}
	if part.buf != nil {
		m.Data = part.buf.b
	}
	return m, nil
}

// release gives back the part, if there is one.
func (d *Decoder) release() {
	old := d.part
	if old == nil {
		return
	}
	d.part = nil
	if old.buf != nil {
		d.codec.free(old.buf)
	}
	*old = part{}
	d.codec.buffers.parts.Put(old)
}
