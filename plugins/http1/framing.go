package http1

// special reports whether a field of that name may be one that says where the
// request ends or what becomes of the connection: whether it is as long as one.
func special(name span) bool {
	const lengths = 1<<len("Host") | 1<<len("Expect") | 1<<len("Trailer") | 1<<len("Connection") |
		1<<len("Content-Length") | 1<<len("Transfer-Encoding")
	return lengths>>(name.to-name.from)&1 != 0
}

// note takes what such a field says. Each line counts on its own, so that what is
// found wrong does not depend on what comes behind it.
func (h *Head) note(p []byte, e *field) *Error {
	name, value := e.name.in(p), e.value.in(p)
	switch len(name) {
	case len("Host"):
		if equalFold(name, "host") {
			return h.noteHost(value, e.value)
		}
	case len("Expect"):
		if equalFold(name, "expect") {
			h.noteExpect(value)
		}
	case len("Trailer"):
		if equalFold(name, "trailer") {
			h.noteTrailer(value)
		}
	case len("Connection"):
		if equalFold(name, "connection") {
			h.noteConnection(value)
		}
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			return h.noteLength(value)
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			return h.noteCoding(value)
		}
	}
	return nil
}

func (h *Head) noteHost(value []byte, at span) *Error {
	switch {
	case h.flags&flagHost != 0:
		return errHosts
	case !validHost(value):
		return errHost
	case h.flags&flagAuthority == 0:
		h.host = at
	}
	h.flags |= flagHost
	return nil
}

// noteExpect reads a list of expectations, RFC 9110 section 10.1.1. It may be empty.
func (h *Head) noteExpect(value []byte) {
	elements(value, func(expectation []byte) bool {
		if equalFold(expectation, "100-continue") {
			h.flags |= flagContinue
		} else {
			h.flags |= flagExpects
		}
		return true
	})
}

// noteTrailer reads the names of the fields that are to come behind a chunked body.
// What would be refused there is refused when it is announced.
func (h *Head) noteTrailer(value []byte) {
	elements(value, func(name []byte) bool {
		if framesMessage(name) {
			h.flags |= flagBadTrailer
		}
		return true
	})
}

func (h *Head) noteConnection(value []byte) {
	elements(value, func(option []byte) bool {
		switch {
		case equalFold(option, "close"):
			h.flags |= flagClose
		case equalFold(option, "keep-alive"):
			h.flags |= flagKeepAlive
		case equalFold(option, "upgrade"):
			h.flags |= flagUpgrade
		}
		return true
	})
}

// noteLength reads a Content-Length. Two that agree could be taken for one (RFC
// 9110 section 8.6), but nobody sends them who means well.
func (h *Head) noteLength(value []byte) *Error {
	switch {
	case h.length >= 0:
		return errLengths
	case h.flags&flagCoded != 0:
		return errLengthCoding
	case len(value) == 0:
		return errLength
	}
	const enough = 1 << 59 // ten times that still fits
	var n int64
	for _, c := range value {
		if class[c]&isDigit == 0 {
			return errLength
		}
		if n < enough {
			n = n*10 + int64(c-'0')
		}
	}
	if n >= enough {
		return errBodyLength
	}
	h.length = n
	return nil
}

// noteCoding reads a Transfer-Encoding. Several lines are one list, in which
// nothing may follow chunked: RFC 9112 section 6.1.
func (h *Head) noteCoding(value []byte) (err *Error) {
	switch {
	case h.minor == 0:
		return errCodingVersion
	case h.length >= 0:
		return errLengthCoding
	}
	h.flags |= flagCoded
	for more := true; more; {
		coding := value
		if i := indexComma(value); i >= 0 {
			coding, value = value[:i], value[i+1:]
		} else {
			more = false
		}
		coding = trimBlanks(coding)
		switch {
		case !isTokenString(coding):
			return errCodingSyntax
		case h.flags&flagChunked != 0:
			return errCoding
		case equalFold(coding, "chunked"):
			h.flags |= flagChunked
		default:
			h.flags |= flagUnknownCoded
		}
	}
	return nil
}

func indexComma(p []byte) int {
	for i, c := range p {
		if c == ',' {
			return i
		}
	}
	return -1
}

// check looks at the head as a whole.
func (h *Head) check() *Error {
	switch {
	case h.minor > 0 && h.flags&flagHost == 0:
		return errNoHost
	case h.flags&(flagCoded|flagExpects) == 0:
		return nil
	case h.flags&flagBadTrailer != 0 && h.flags&flagChunked != 0:
		return errTrailer
	case h.flags&flagCoded != 0 && h.flags&flagChunked == 0:
		return errCoding
	case h.flags&flagUnknownCoded != 0:
		return errCodingUnknown
	case h.flags&flagExpects != 0 && h.minor > 0:
		return errExpect
	}
	return nil
}
