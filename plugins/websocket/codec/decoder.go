package codec

// A Decoder cuts what one peer sends into messages. It is for one goroutine at a time.
// Its zero value is not usable, see Init; it must not be copied once it is used. An
// idle one is all that it is: it points at no buffer.
type Decoder struct {
	codec   *Codec // set once
	part    *part  // the message that is not complete, or was not given back yet; nil as a rule
	err     *Error // what Next returns from now on
	head    [MaxHeader]byte
	n       uint8 // how many bytes of head are there; or one of the two below
	deflate bool  // set once
}

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
func (d *Decoder) Next(p []byte) (m Message, n int, err error) { return m, len(p), nil }

// Pinned returns how many bytes of memory the unfinished message takes.
func (d *Decoder) Pinned() int { return 0 }

// Release gives back what an unfinished message takes. It ends the use of d: a
// connection that has ended calls it once, after the last use of a Message.
func (d *Decoder) Release() {}

type part struct{}

type buffers struct{}
