package codec

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws/wsflate"
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
// reply, or empty: then there is none, and no compression. An offer that is malformed,
// or has parameters that are unknown, twice there or out of range, is declined, and
// never a reason to refuse the handshake (RFC 7692, section 5.1).
//
// The answer has the parameters of the offer, all of which are honoured, and
// client_no_context_takeover if Deflate.NoPeerTakeover asks for it. A
// client_max_window_bits without a value, which leaves it to us, is not answered:
// windows of any size will do.
//
// What was agreed is counted against Deflate.Memory until the Compression that has to
// be made of it is released; see Forget for when none is.
func (c *Codec) Negotiate(offers ...[]byte) (p Params, answer string) {
	if c.deflate == nil {
		return p, ""
	}
	acceptable := false
	for _, value := range offers {
		for element := range elements(value) {
			w, ok := parseParams(element)
			if !ok {
				continue
			}
			w.ClientNoContextTakeover = w.ClientNoContextTakeover || c.deflate.NoPeerTakeover
			if w.ClientMaxWindowBits == bare {
				w.ClientMaxWindowBits = 0
			}
			if p := agree(w); c.deflate.memory.take(c.cost(p)) {
				return p, format(w)
			}
			acceptable = true
		}
	}
	if acceptable {
		c.deflate.declined.Add(1)
	}
	return Params{}, ""
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
	return format(wsflate.Parameters{
		ServerNoContextTakeover: c.deflate.NoPeerTakeover,
		ClientNoContextTakeover: !c.deflate.Takeover,
		ClientMaxWindowBits:     bare,
	})
}

// Confirm is the client's part: it takes the values of the Sec-WebSocket-Extensions
// fields in a server's reply. Params are not Agreed if there is none. ErrExtension
// means that the server has answered what was not offered, and that the connection has
// to be failed (RFC 6455, section 4.1; RFC 7692, section 7.1).
//
// What was agreed is counted like what Negotiate returns, but never declined.
func (c *Codec) Confirm(answers ...[]byte) (p Params, err error) {
	for _, value := range answers {
		for element := range elements(value) {
			if len(bytes.Trim(element, " \t")) == 0 {
				continue // an empty element says nothing (RFC 9110, section 5.6.1)
			}
			w, ok := parseParams(element)
			if !ok || c.deflate == nil || p.Agreed() || w.ClientMaxWindowBits == bare ||
				c.deflate.NoPeerTakeover && !w.ServerNoContextTakeover {
				return Params{}, ErrExtension
			}
			p = agree(w)
		}
	}
	if p.Agreed() {
		c.deflate.memory.used.Add(int64(c.cost(p)))
	}
	return p, nil
}

// bare is how wsflate writes a client_max_window_bits without a value.
const bare wsflate.WindowBits = 1

// agree is what parameters mean when both sides have said them.
func agree(w wsflate.Parameters) Params {
	p := Params{
		ServerNoTakeover: w.ServerNoContextTakeover, ClientNoTakeover: w.ClientNoContextTakeover,
		ServerBits: maxBits, ClientBits: maxBits,
	}
	if w.ServerMaxWindowBits.Defined() {
		p.ServerBits = uint8(w.ServerMaxWindowBits)
	}
	if w.ClientMaxWindowBits.Defined() {
		p.ClientBits = uint8(w.ClientMaxWindowBits)
	}
	return p
}

// elements yields the elements of a list, which commas part that are not within quotes
// (RFC 9110, section 5.6).
func elements(list []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start, quoted := 0, false
		for i := 0; i < len(list); i++ {
			switch c := list[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == ',' && !quoted:
				if !yield(list[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(list[start:])
	}
}

// parseParams parses one element of the field. It is stricter than what it uses, which
// takes "08" and a second client_max_window_bits.
func parseParams(element []byte) (w wsflate.Parameters, ok bool) {
	options, ok := httphead.ParseOptions(bytes.Clone(element), nil)
	if !ok || len(options) != 1 || string(options[0].Name) != wsflate.ExtensionName {
		return w, false
	}
	var seen []string
	options[0].Parameters.ForEach(func(key, value []byte) bool {
		for _, k := range seen {
			ok = ok && k != string(key)
		}
		seen = append(seen, string(key))
		if value != nil {
			n, err := strconv.Atoi(string(value))
			ok = ok && err == nil && strconv.Itoa(n) == string(value)
		}
		return ok
	})
	return w, ok && w.Parse(options[0]) == nil
}

// format writes parameters as a value of the field.
func format(w wsflate.Parameters) string {
	var b strings.Builder
	b.WriteString(wsflate.ExtensionName)
	if w.ServerNoContextTakeover {
		b.WriteString("; server_no_context_takeover")
	}
	if w.ClientNoContextTakeover {
		b.WriteString("; client_no_context_takeover")
	}
	if w.ServerMaxWindowBits.Defined() {
		b.WriteString("; server_max_window_bits=" + strconv.Itoa(int(w.ServerMaxWindowBits)))
	}
	if w.ClientMaxWindowBits.Defined() {
		b.WriteString("; client_max_window_bits")
		if w.ClientMaxWindowBits != bare {
			b.WriteString("=" + strconv.Itoa(int(w.ClientMaxWindowBits)))
		}
	}
	return b.String()
}
