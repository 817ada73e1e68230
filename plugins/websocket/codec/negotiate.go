package codec

import (
	"strconv"
	"strings"
)

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

const maxBits = 15

// Agreed reports whether p is the outcome of a negotiation that had one.
func (p Params) Agreed() bool { return p.ServerBits != 0 }

// Negotiate is the server's part of the negotiation: it takes the values of the
// Sec-WebSocket-Extensions fields of a request, of which each may have several offers,
// and accepts the first offer that it can. answer is the value of that field in the
// reply, or empty: then there is none, and no compression. An offer with parameters that
// are unknown, twice there or out of range is declined, which is no reason to refuse the
// handshake (RFC 7692, section 5.1); fields that are no list of extensions are one: the
// error is ErrExtensionSyntax (RFC 6455, section 9.1).
//
// The answer has the parameters of the offer, all of which are honoured, and
// client_no_context_takeover if Deflate.NoPeerTakeover asks for it. A
// client_max_window_bits without a value, which leaves it to us, is not answered:
// windows of any size will do.
//
// What was agreed is counted against Deflate.Memory until the Compression that has to
// be made of it is released; see Forget for when none is. For want of memory, the answer
// forbids the client's context, or ours, or both: then nothing is counted.
func (c *Codec) Negotiate(offers ...[]byte) (p Params, answer string, err error) {
	ok := extensions(offers, func(t terms, known bool) {
		if known && c.deflate != nil && !p.Agreed() {
			p, answer = c.accept(t)
		}
	})
	if !ok {
		c.Forget(p)
		return Params{}, "", ErrExtensionSyntax
	}
	return p, answer, nil
}

// accept takes an offer, with as many contexts as there is memory for.
func (c *Codec) accept(offered terms) (p Params, answer string) {
	offered.clientNoTakeover = offered.clientNoTakeover || c.deflate.NoPeerTakeover
	offered.bare = false
	const client, server = 1, 2 // contexts to do without
	for without := 0; ; without++ {
		t := offered
		t.clientNoTakeover = t.clientNoTakeover || without&client != 0
		t.serverNoTakeover = t.serverNoTakeover || without&server != 0
		p = agree(t)
		if c.deflate.memory.take(c.cost(p)) || without == client|server {
			if t != offered {
				c.deflate.declined.Add(1)
			}
			return p, format(t)
		}
	}
}

// Forget takes back what Negotiate or Confirm has counted, when the handshake has
// failed for another reason, so that no Compression is made.
func (c *Codec) Forget(p Params) {
	if p.Agreed() {
		c.deflate.memory.give(c.cost(p))
	}
}

// Offer is the value of Sec-WebSocket-Extensions in a client's request, or empty if
// the Codec has no compression.
func (c *Codec) Offer() string {
	if c.deflate == nil {
		return ""
	}
	return format(terms{
		serverNoTakeover: c.deflate.NoPeerTakeover,
		clientNoTakeover: !c.deflate.Takeover,
		bare:             true,
	})
}

// Confirm is the client's part: it takes the values of the Sec-WebSocket-Extensions
// fields in a server's reply. Params are not Agreed if there is none. ErrExtension
// means that the server has answered what was not offered, or malformed, and that the
// connection has to be failed (RFC 6455, sections 4.1 and 9.1; RFC 7692, section 7.1).
//
// What was agreed is counted like what Negotiate returns, but never declined.
func (c *Codec) Confirm(answers ...[]byte) (p Params, err error) {
	ok := extensions(answers, func(t terms, known bool) {
		if !known || c.deflate == nil || p.Agreed() || t.bare || c.deflate.NoPeerTakeover && !t.serverNoTakeover {
			err = ErrExtension
		}
		p = agree(t)
	})
	if !ok || err != nil {
		return Params{}, ErrExtension
	}
	if p.Agreed() {
		c.deflate.memory.used.Add(int64(c.cost(p)))
	}
	return p, nil
}

// agree is what parameters mean when both sides have said them.
func agree(t terms) Params {
	p := Params{
		ServerNoTakeover: t.serverNoTakeover, ClientNoTakeover: t.clientNoTakeover,
		ServerBits: t.serverBits, ClientBits: t.clientBits,
	}
	if p.ServerBits == 0 {
		p.ServerBits = maxBits
	}
	if p.ClientBits == 0 {
		p.ClientBits = maxBits
	}
	return p
}

// format writes parameters as a value of the field.
func format(t terms) string {
	var b strings.Builder
	b.WriteString(extensionName)
	if t.serverNoTakeover {
		b.WriteString("; server_no_context_takeover")
	}
	if t.clientNoTakeover {
		b.WriteString("; client_no_context_takeover")
	}
	if t.serverBits != 0 {
		b.WriteString("; server_max_window_bits=" + strconv.Itoa(int(t.serverBits)))
	}
	switch {
	case t.bare:
		b.WriteString("; client_max_window_bits")
	case t.clientBits != 0:
		b.WriteString("; client_max_window_bits=" + strconv.Itoa(int(t.clientBits)))
	}
	return b.String()
}
