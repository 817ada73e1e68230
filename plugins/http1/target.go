package http1

import "bytes"

// checkTarget finds path, query and host in the target, and refuses what is none
// of the forms of RFC 9112 section 3.2.
func (h *Head) checkTarget(p []byte) *Error {
	method, target := h.method.in(p), h.target.in(p)
	if len(method) > maxMethod {
		return errMethodLength
	}
	connect := len(method) == 7 && string(method) == "CONNECT"
	switch {
	case connect && authorityForm(target):
		return errConnect
	case connect:
		return errTarget
	case target[0] == '/':
		h.splitPath(h.target.from)
		return nil
	case string(target) == "*" && string(method) == "OPTIONS":
		h.path = h.target
		return nil
	}
	return h.absoluteForm(target)
}

// splitPath takes the target from there on apart: path, query.
func (h *Head) splitPath(from uint32) {
	h.path = span{from, h.question}
	if h.question < h.target.to {
		h.query = span{h.question + 1, h.target.to}
	}
}

// absoluteForm reads a target such as "http://example.com/path". Its host counts
// more than the Host field, RFC 9112 section 3.2.2.
func (h *Head) absoluteForm(target []byte) *Error {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return errTarget
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if end == 0 || !validHost(rest[:end]) {
		return errHost
	}
	from := h.target.to - uint32(len(rest))
	h.host = span{from, from + uint32(end)}
	h.flags |= flagAuthority
	h.splitPath(h.host.to)
	return nil
}

// authorityForm reports whether a target is what CONNECT takes: a host and a port.
func authorityForm(target []byte) bool {
	i := bytes.LastIndexByte(target, ':')
	return i > 0 && i < len(target)-1 && target[len(target)-1] != ']' && validHost(target)
}

// validHost reports whether p is the host of a URL, with or without a port, and
// without a user. It may be empty: RFC 9112 section 3.2.
func validHost(p []byte) bool {
	i := 0
	if len(p) > 0 && p[0] == '[' {
		for i = 1; i < len(p) && (class[p[i]]&isHost != 0 || p[i] == ':'); {
			i++
		}
		if i < 3 || i == len(p) || p[i] != ']' {
			return false
		}
		i++
	} else {
		for i < len(p) && class[p[i]]&isHost != 0 {
			i++
		}
	}
	if i == len(p) {
		return true
	}
	if p[i] != ':' {
		return false
	}
	for _, c := range p[i+1:] {
		if class[c]&isDigit == 0 {
			return false
		}
	}
	return true
}
