package codec

import (
	"compress/flate"
	"errors"
	"io"
	"slices"
)

// receiving is the state of what we receive.
type receiving struct {
	takeover bool   // set once
	bits     uint8  // set once
	window   []byte // with takeover, the end of what was inflated, at most 1<<bits bytes
}

// maxWindow is how far back deflated data can refer.
const maxWindow = 1 << maxBits

// Inflate appends the data of a compressed message to dst. It is called once for each
// compressed message, in their order, by any goroutine, one at a time: with context
// takeover, a message is the context of the next. Nothing else of the connection is
// used, so the Decoder can go on meanwhile if m.Data was copied.
//
// It stops as soon as there is more than Limits.Inflated, whatever is still to come. The
// errors are ErrInflate, ErrInflatedTooBig and ErrUTF8; the connection has to be closed
// after them.
func (z *Compression) Inflate(dst []byte, m Message) ([]byte, error) {
	return z.inflate(dst, m, z.codec.limits.Inflated)
}

// InflateShort is Inflate for a message that may turn out to be long: short is false if
// it has more than most bytes, which a few can be inflated to. It is for an event loop,
// which leaves such a message to a goroutine: nothing has changed then, and Inflate has
// to be called.
func (z *Compression) InflateShort(dst []byte, m Message, most int) (data []byte, short bool, err error) {
	limit := z.codec.limits.Inflated
	data, err = z.inflate(dst, m, min(most, limit))
	if most < limit && errors.Is(err, ErrInflatedTooBig) {
		return data, false, nil
	}
	return data, true, err
}

// inflate is Inflate with a limit. After ErrInflatedTooBig nothing has changed.
func (z *Compression) inflate(dst []byte, m Message, limit int) ([]byte, error) {
	start := len(dst)
	r := z.codec.deflate.reader(m.Data, z.in.window)
	dst, err := r.inflate(dst, z.in.window, limit)
	r.source = source{}
	z.codec.deflate.readers.Put(r)
	switch {
	case err != nil:
		return dst[:start], err
	case m.Kind == Text && !validUTF8(dst[start:]):
		return dst[:start], ErrUTF8
	case z.in.takeover:
		z.in.window = slide(z.in.window, dst[start:], 1<<z.in.bits)
	}
	return dst, nil
}

// slide returns the window after p.
func slide(window, p []byte, size int) []byte {
	if len(p) >= size {
		return append(window[:0], p[len(p)-size:]...)
	}
	if over := len(window) + len(p) - size; over > 0 {
		window = window[:copy(window, window[over:])]
	}
	if need := len(window) + len(p); need > cap(window) {
		window = append(make([]byte, 0, min(size, max(need, 2*cap(window)))), window...)
	}
	return append(window, p...)
}

// A reader inflates. Making one costs about 40 KiB, so they are pooled.
type reader struct {
	flate io.ReadCloser
	source
}

func (d *deflate) reader(data, window []byte) *reader {
	r, ok := d.readers.Get().(*reader)
	if !ok {
		r = new(reader)
		r.flate = flate.NewReader(&r.source)
	}
	r.source = source{data: data}
	r.reset(window)
	return r
}

// reset begins anew where the source stands. The error is always nil.
func (r *reader) reset(window []byte) { _ = r.flate.(flate.Resetter).Reset(&r.source, window) }

// inflate appends all that the source has. It stops once that is more than limit bytes,
// and makes no room for more than one of those.
func (r *reader) inflate(dst, window []byte, limit int) ([]byte, error) {
	start, left := len(dst), limit
	again := 8 + limit/maxWindow
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(left, max(512, 2*len(r.data)))+1)
		}
		n, err := r.flate.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		left -= n
		switch {
		case left < 0:
			return dst, ErrInflatedTooBig
		case err == nil:
			continue
		case err != io.EOF:
			return dst, ErrInflate
		case r.ended():
			return dst, nil
		case r.at > len(r.data):
			return dst, ErrInflate // the last block has eaten of what we append
		}
		// The peer has marked a block as the last, as it may, and goes on with another
		// stream, which can refer to what came before (RFC 7692, section 7.2.3.4). To
		// begin anew costs as much as to inflate a window, and is limited like it.
		if again--; again == 0 {
			return dst, ErrInflatedTooBig
		}
		r.reset(last(window, dst[start:]))
	}
}

// last returns what the window is after p.
func last(window, p []byte) []byte {
	if len(p) >= maxWindow || len(window) == 0 {
		return p[max(0, len(p)-maxWindow):]
	}
	return slide(slices.Clone(window), p, maxWindow)
}

// A source is the data of a message and what has to come after it: the tail that its
// sender has taken away, and an empty block that is marked as the last, so that the end
// can be told from data that is cut.
type source struct {
	data []byte
	at   int
}

const ending = tail + "\x01\x00\x00\xff\xff"

// ended reports whether there was nothing wrong with where a stream ended: behind all
// of the ending, or behind a last block with nothing after it.
func (s *source) ended() bool {
	return s.at == len(s.data) || s.at == len(s.data)+len(ending)
}

// ReadByte is what flate calls nearly always.
func (s *source) ReadByte() (byte, error) {
	at := s.at
	s.at++
	if at < len(s.data) {
		return s.data[at], nil
	}
	if at -= len(s.data); at < len(ending) {
		return ending[at], nil
	}
	s.at--
	return 0, io.EOF
}

// Read is for the data of blocks that are not compressed.
func (s *source) Read(p []byte) (n int, err error) {
	if s.at < len(s.data) {
		n = copy(p, s.data[s.at:])
	} else if n = copy(p, ending[s.at-len(s.data):]); n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	s.at += n
	return n, nil
}
