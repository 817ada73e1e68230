package codec

import "compress/flate"

// sending is the state of what we send.
type sending struct {
	takeover  bool    // set once
	bits      uint8   // set once
	level     int8    // set once
	threshold int     // set once
	w         *writer // the one with the context; nil: there is none yet, or never
}

// A writer is a compressor with what it writes to. Making one costs over a megabyte, so
// they are pooled.
type writer struct {
	flate *flate.Writer
	level int
	out   []byte
}

// Write appends to out.
func (w *writer) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// writer returns one without context.
func (d *deflate) writer(level int) *writer {
	if w, ok := d.writers[level-flate.HuffmanOnly].Get().(*writer); ok {
		w.flate.Reset(w)
		return w
	}
	w := &writer{level: level}
	w.flate, _ = flate.NewWriter(w, level) // the level was checked
	return w
}

// put gives back what writer has returned.
func (d *deflate) put(w *writer) {
	w.out = nil
	d.writers[w.level-flate.HuffmanOnly].Put(w)
}

// tail is what ends every flush of a compressor. It is not sent, and is appended by who
// inflates (RFC 7692, section 7.2).
const tail = "\x00\x00\xff\xff"

// deflate appends the compressed payload.
func (z *Compression) deflate(dst, payload []byte) []byte {
	w := z.out.w
	if w == nil {
		w = z.codec.deflate.writer(int(z.out.level))
	}
	w.out = dst
	// A smaller window is kept to by forgetting everything before it is full: then no
	// distance is larger. The data so far ends at a byte boundary, within the stream.
	for window := 1 << z.out.bits; z.out.bits < maxBits && len(payload) > window; payload = payload[window:] {
		w.write(payload[:window])
		w.flate.Reset(w)
	}
	w.write(payload)
	dst, w.out = w.out[:len(w.out)-len(tail)], nil
	if z.out.takeover {
		z.out.w = w
	} else {
		z.codec.deflate.put(w)
	}
	return dst
}

// write compresses p, all of it. Errors can only be those of Write, which has none.
func (w *writer) write(p []byte) {
	_, _ = w.flate.Write(p)
	_ = w.flate.Flush()
}
