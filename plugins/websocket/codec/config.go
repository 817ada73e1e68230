package codec

import "fmt"

// Config is what [New] makes a [Codec] of. Its zero value is a server without
// compression, with the default limits.
type Config struct {
	// Client is the role: a client masks what it sends, a server is sent masked
	// frames.
	Client bool
	// Limits bound what a peer can make us hold; a zero means the default.
	Limits Limits
	// Deflate makes permessage-deflate available to Negotiate; nil: it is declined.
	Deflate *Deflate
}

// Limits bound what peers can make us hold. Zero means the default, and less than
// zero is an error of [New].
type Limits struct {
	// Message is how many bytes of payload one message may have in all its frames,
	// as they are sent: of a compressed one, that is before it is inflated.
	Message int
	// Frames is how many frames one message may have.
	Frames int
	// Inflated is how many bytes a compressed message may have when inflated.
	Inflated int
	// Pinned is how many bytes of memory the unfinished messages of all connections
	// of the Codec may take together.
	Pinned int
}

// The defaults of Limits.
const (
	DefaultMessage  = 16 << 20
	DefaultFrames   = 1 << 17
	DefaultInflated = 16 << 20
	DefaultPinned   = 256 << 20
)

// A Codec is what connections of one role share: the limits, what all of them hold
// together, the pools. Any goroutine may use it.
type Codec struct {
	client  bool
	limits  Limits
	pinned  budget
	buffers buffers
	deflate *deflate // nil: permessage-deflate is never agreed on
}

// New makes a Codec. It returns an error for settings that make no sense.
func New(c Config) (*Codec, error) {
	l := c.Limits
	for _, v := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"Message", &l.Message, DefaultMessage},
		{"Frames", &l.Frames, DefaultFrames},
		{"Inflated", &l.Inflated, DefaultInflated},
		{"Pinned", &l.Pinned, DefaultPinned},
	} {
		if *v.value < 0 {
			return nil, fmt.Errorf("websocket: limit %s is %d, less than zero", v.name, *v.value)
		}
		if *v.value == 0 {
			*v.value = v.standard
		}
	}
	codec := &Codec{client: c.Client, limits: l}
	codec.pinned.limit = int64(l.Pinned)
	if c.Deflate != nil {
		d, err := newDeflate(*c.Deflate)
		if err != nil {
			return nil, err
		}
		codec.deflate = d
	}
	return codec, nil
}

// Limits returns the limits in effect.
func (c *Codec) Limits() Limits { return c.limits }

// Pin counts n bytes more that messages take, besides what Decoders hold, until Unpin.
// It reports false, and doesn't count them, if that would be more than Limits.Pinned;
// ErrTooMuchPending is the error for it.
func (c *Codec) Pin(n int) bool { return c.pinned.take(n) }

// Unpin undoes Pin.
func (c *Codec) Unpin(n int) { c.pinned.give(n) }

// Pinned returns how many bytes of memory unfinished messages take at the moment.
func (c *Codec) Pinned() int { return c.pinned.taken() }

// Declined returns how many clients have got compression with fewer contexts than they
// have offered, because of Deflate.Memory.
func (c *Codec) Declined() uint64 {
	if c.deflate == nil {
		return 0
	}
	return c.deflate.declined.Load()
}

// Memory returns how many bytes of memory the contexts of compression may take at the
// moment, by what has been negotiated.
func (c *Codec) Memory() int {
	if c.deflate == nil {
		return 0
	}
	return c.deflate.memory.taken()
}
