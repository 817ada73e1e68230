package codec

import "bytes"

// extensionName is permessage-deflate in the fields of a handshake.
const extensionName = "permessage-deflate"

// terms are the parameters of one permessage-deflate, as they are written (RFC 7692,
// section 7.1).
type terms struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             uint8 // 0: not there
	bare                               bool  // client_max_window_bits, without a value
}

// set takes up a parameter; a nil value is none. It reports false for one that is
// unknown, there twice or out of range.
func (t *terms) set(name, value []byte) (ok bool) {
	switch string(name) {
	case "server_no_context_takeover":
		ok = value == nil && !t.serverNoTakeover
		t.serverNoTakeover = true
	case "client_no_context_takeover":
		ok = value == nil && !t.clientNoTakeover
		t.clientNoTakeover = true
	case "server_max_window_bits":
		ok = t.serverBits == 0
		t.serverBits = windowBits(value)
		ok = ok && t.serverBits != 0
	case "client_max_window_bits":
		ok = t.clientBits == 0 && !t.bare
		t.bare, t.clientBits = value == nil, windowBits(value)
		ok = ok && (t.bare || t.clientBits != 0)
	}
	return ok
}

// windowBits is 8 to 15, without a zero in front; 0 stands for all else.
func windowBits(value []byte) uint8 {
	switch {
	case len(value) == 1 && (value[0] == '8' || value[0] == '9'):
		return value[0] - '0'
	case len(value) == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5':
		return 10 + value[1] - '0'
	}
	return 0
}

// extensions calls f for each extension that the fields of a handshake name. known
// says whether it is permessage-deflate with parameters that may be agreed on. It
// reports false if a field is malformed, for which the handshake has to fail (RFC 6455,
// section 9.1). Elements with nothing in them are ignored (RFC 9110, section 5.6.1).
// The work is linear in what the peer has sent.
func extensions(fields [][]byte, f func(t terms, known bool)) (ok bool) {
	for _, field := range fields {
		s := scanner{field}
		for more := true; more; more = s.take(',') {
			name := s.token()
			if len(name) == 0 {
				continue
			}
			t, known, ok := s.parameters()
			if !ok {
				return false
			}
			f(t, known && string(name) == extensionName)
		}
		if len(s.rest) > 0 {
			return false
		}
	}
	return true
}

// A scanner takes apart a field that is a list of tokens with parameters.
type scanner struct{ rest []byte }

// parameters takes what follows the name of an extension: each a semicolon and a
// token, and perhaps a value.
func (s *scanner) parameters() (t terms, known, ok bool) {
	known = true
	for s.take(';') {
		name := s.token()
		if len(name) == 0 {
			return t, false, false
		}
		var value []byte
		if s.take('=') {
			if value = s.value(); len(value) == 0 {
				return t, false, false
			}
		}
		known = known && t.set(name, value)
	}
	return t, known, true
}

// take takes c and the blanks around it, if it is next.
func (s *scanner) take(c byte) bool {
	s.blanks()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	s.blanks()
	return true
}

func (s *scanner) blanks() { s.rest = bytes.TrimLeft(s.rest, " \t") }

// token takes a token; it is empty if none is next.
func (s *scanner) token() []byte {
	s.blanks()
	n := 0
	for n < len(s.rest) && tokenByte(s.rest[n]) {
		n++
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token
}

// value takes a token or a quoted string, whose content has to be a token as well (RFC
// 6455, section 9.1). It is empty if neither is next.
func (s *scanner) value() []byte {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return s.token()
	}
	var content []byte
	for i := 1; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.rest = s.rest[i+1:]
			return content
		}
		if c == '\\' && i+1 < len(s.rest) {
			i++
			c = s.rest[i]
		}
		if !tokenByte(c) {
			break
		}
		content = append(content, c)
	}
	return nil
}

// tokenByte reports whether a token may have c (RFC 9110, section 5.6.2).
func tokenByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	case c == '"', c == '(', c == ')', c == ',', c == '/', c >= ':' && c <= '@', c >= '[' && c <= ']', c == '{', c == '}':
		return false
	}
	return c > ' ' && c < 0x7f
}
