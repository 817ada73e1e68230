package http1

import (
	"bytes"
	"encoding/binary"
)

// maxMethod is the length of the longest method that is not refused. The longest
// registered one has 17 characters.
const maxMethod = 32

// Parse parses the head that p begins with, and returns its length; 0 and no error
// if not all of it is there. It is then called again with more: the same bytes, at
// the same place or another one, and others behind them. Nothing that was looked
// at is looked for again, and wherever a head is cut, what comes of it is the same.
//
// The syntax is that of RFC 9112 without what it says a recipient may or should
// put up with, except one empty line in front: lines end in CR LF and nothing
// else, and a head that two recipients could understand differently is an error.
// The error is an *Error; h has to be Reset then.
func (h *Head) Parse(p []byte) (n int, err error) {
	h.Limits.fill()
	if h.at == 0 {
		h.length = -1
	}
	n, failed := h.parse(p)
	if failed != nil {
		return 0, failed
	}
	return n, nil
}

// parse is Parse for a Head that was Reset.
func (h *Head) parse(p []byte) (n int, err *Error) {
	at := h.at
	if h.scanned > at && bytes.IndexByte(p[h.scanned:], '\n') < 0 {
		return h.incomplete(p, at)
	}
	if h.flags&flagParsed == 0 {
		if at, err = h.requestLine(p); at == 0 {
			return 0, err
		}
	}
	for len(p)-at < 2 || p[at] != '\r' || p[at+1] != '\n' {
		next := h.fields.line(p, at)
		if next == 0 || next > h.Limits.Head {
			return h.stuck(p, at)
		}
		if len(h.fields.list) > h.Limits.Fields {
			return 0, errFieldCount
		}
		if e := &h.fields.list[len(h.fields.list)-1]; special(e.name) {
			if err = h.note(p, e); err != nil {
				return 0, err
			}
		}
		at = next
	}
	if n = at + 2; n > h.Limits.Head {
		return 0, errHeadLength
	}
	h.fields.src = p[:n:n]
	return n, h.check()
}

// stuck deals with the line at p[at], which is no good: it is not all there yet,
// too long, or wrong.
func (h *Head) stuck(p []byte, at int) (int, *Error) {
	i := bytes.IndexByte(p[at:], '\n')
	switch {
	case i < 0:
		return h.incomplete(p, at)
	case at+i+1 > h.Limits.Head:
		return 0, errHeadLength
	}
	return 0, fieldError(p[at : at+i+1])
}

// incomplete has the next call look for the end of the line at p[at].
func (h *Head) incomplete(p []byte, at int) (int, *Error) {
	h.at, h.scanned = at, len(p)
	switch {
	case h.flags&flagParsed == 0 && len(p)-at > h.Limits.RequestLine:
		return 0, errLineLength
	case len(p) > h.Limits.Head:
		return 0, errHeadLength
	}
	return 0, nil
}

// requestLine parses the first line, and returns the index behind it; 0 if it is
// not all there.
func (h *Head) requestLine(p []byte) (next int, err *Error) {
	at := h.at
	if at == 0 && len(p) > 1 && p[0] == '\r' && p[1] == '\n' {
		at = 2 // RFC 9112 section 2.2: some clients send it behind a body
	}
	if next = h.splitRequestLine(p, at); next == 0 {
		i := bytes.IndexByte(p[at:], '\n')
		switch {
		case i < 0:
			_, err = h.incomplete(p, at)
			return 0, err
		case i+1 > h.Limits.RequestLine:
			return 0, errLineLength
		case at+i+1 > h.Limits.Head:
			return 0, errHeadLength
		}
		return 0, requestLineError(p[at : at+i+1])
	}
	switch {
	case next-at > h.Limits.RequestLine:
		return 0, errLineLength
	case next > h.Limits.Head:
		return 0, errHeadLength
	}
	h.flags |= flagParsed
	if err = h.checkTarget(p); err != nil {
		return 0, err
	}
	return next, nil
}

// http11 is "HTTP/1.1" as a word.
var http11 = binary.LittleEndian.Uint64([]byte("HTTP/1.1"))

// splitRequestLine finds the parts of the request line at p[at], and returns the
// index behind it; 0 if it is not all there, or wrong.
func (h *Head) splitRequestLine(p []byte, at int) (next int) {
	i := at
	for i < len(p) && class[p[i]]&isToken != 0 {
		i++
	}
	if i == len(p) || p[i] != ' ' || i == at {
		return 0
	}
	h.method = span{uint32(at), uint32(i)}
	i++
	target := i
	for i < len(p) && class[p[i]]&isPath != 0 {
		i++
	}
	question := i
	for i < len(p) && class[p[i]]&isTarget != 0 {
		i++
	}
	rest := p[i:]
	if len(rest) < len(" HTTP/1.1\r\n") || rest[0] != ' ' || i == target || rest[9] != '\r' || rest[10] != '\n' {
		return 0
	}
	h.target = span{uint32(target), uint32(i)}
	h.question = uint32(question)
	if binary.LittleEndian.Uint64(rest[1:]) == http11 {
		h.minor = 1
	} else if !h.version(rest[1:9]) {
		return 0
	}
	return i + 11
}

// version reads a version that is not the usual one, and reports whether it is one
// of HTTP/1.
func (h *Head) version(p []byte) bool {
	if string(p[:7]) != "HTTP/1." || class[p[7]]&isDigit == 0 {
		return false
	}
	h.minor = min(p[7]-'0', 1)
	return true
}

// requestLineError returns what is wrong with a line that splitRequestLine did not
// accept. It ends in LF.
func requestLineError(line []byte) *Error {
	if !endsInCRLF(line) {
		return errLineEnd
	}
	method, rest, ok := bytes.Cut(line[:len(line)-2], []byte(" "))
	if !isTokenString(method) {
		return errMethod
	}
	target, version, versioned := bytes.Cut(rest, []byte(" "))
	if !ok || !versioned || len(target) == 0 {
		return errRequestLine
	}
	for _, c := range target {
		if class[c]&isTarget == 0 {
			return errTargetChar
		}
	}
	if len(version) != len("HTTP/1.1") || string(version[:5]) != "HTTP/" || version[6] != '.' ||
		class[version[5]]&class[version[7]]&isDigit == 0 {
		return errVersionSyntax
	}
	return errVersion
}
