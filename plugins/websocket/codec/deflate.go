package codec

// Params are what two peers have agreed on about permessage-deflate (RFC 7692, section
// 7.1). The zero value is: nothing, don't compress.
type Params struct {
	// ServerNoTakeover and ClientNoTakeover: that side compresses each message by
	// itself.
	ServerNoTakeover, ClientNoTakeover bool
	// ServerBits and ClientBits are the size of that side's window, as a power of two:
	// 8 to 15, where 15 is what holds if nothing was said.
	ServerBits, ClientBits uint8
}

// Agreed reports whether p is the outcome of a negotiation that had one.
func (p Params) Agreed() bool { return p.ServerBits != 0 }

// Negotiate is the server's part of the negotiation: it takes the values of the
// Sec-WebSocket-Extensions fields of a request, of which each may have several offers,
// and accepts the first offer that it can. answer is the value of that field in the
// reply, or empty: then there is none, and no compression. An offer that is malformed,
// or has parameters that are unknown, twice there or out of range, is declined, and
// never a reason to refuse the handshake (RFC 7692, section 5.1).
//
// What was agreed is counted against Deflate.Memory until the Compression that has to
// be made of it is released; see Forget for when none is.
func (c *Codec) Negotiate(offers ...[]byte) (p Params, answer string) { return Params{}, "" }

// Forget takes back what Negotiate has counted, when the handshake has failed for
// another reason.
func (c *Codec) Forget(p Params) {}

// Offer is the value of Sec-WebSocket-Extensions in a client's request, or empty if
// the Codec has no compression.
func (c *Codec) Offer() string { return "" }

// Confirm is the client's part: it takes the values of the Sec-WebSocket-Extensions
// fields in a server's reply. Params are not Agreed if there is none. An error means
// that the server has answered what was not offered, and that the connection has to be
// failed (RFC 6455, section 4.1; RFC 7692, section 7.1).
func (c *Codec) Confirm(answers ...[]byte) (Params, error) { return Params{}, nil }

// A Compression is both directions of permessage-deflate on one connection.
type Compression struct{}

// NewCompression makes what a connection needs, after what was agreed. It returns nil
// if p is not Agreed.
func (c *Codec) NewCompression(p Params) *Compression { return nil }

// Inflate appends the data of a compressed message to dst. It is called once for each
// compressed message, in their order, by any goroutine, one at a time: with context
// takeover, a message is the context of the next. Nothing else of the connection is
// used, so the Decoder can go on meanwhile if m.Data was copied.
//
// The errors are ErrInflate, ErrInflatedTooBig and ErrUTF8.
func (z *Compression) Inflate(dst []byte, m Message) ([]byte, error) { return dst, nil }

// AppendFrame appends a frame with the message, compressed if it is as long as
// Deflate.Threshold and compressing makes it shorter. A control frame is never
// compressed. If Takeover is true, calls have to be made one at a time, in the order in
// which the frames are sent, and every frame has to be sent; otherwise by any goroutine.
func (z *Compression) AppendFrame(dst []byte, k Kind, payload []byte) []byte { return dst }

// AppendMasked is AppendFrame for a client.
func (z *Compression) AppendMasked(dst []byte, k Kind, key [4]byte, payload []byte) []byte {
	return dst
}

// Takeover reports whether what we send has a context that goes on from one message to
// the next. If it has none, a compressed frame is good for every connection whose Bits
// are the same or more.
func (z *Compression) Takeover() bool { return false }

// Bits is the size of the window of what we send, as a power of two: 8 to 15.
func (z *Compression) Bits() int { return 15 }

// Release gives back what the connection takes. It is called once, after the last use.
func (z *Compression) Release() {}

type deflate struct{ memory budget }

func newDeflate(d Deflate) (*deflate, error) { return nil, nil }
