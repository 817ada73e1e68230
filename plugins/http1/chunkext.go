package http1

// maxExtensions is how many bytes of extensions a body may have. Nobody uses them,
// and skipping them is not free.
const maxExtensions = 4 << 10

// extensionChar takes one character of chunk extensions, RFC 9112 section 7.1.1. They
// are ignored, but what is not one is refused: another recipient might look for the
// end of the line elsewhere.
func (d *chunked) extensionChar(c byte) *Error {
	if d.extensions++; d.extensions > maxExtensions {
		return errExtensions
	}
	next, ok := d.state.extension(c)
	if !ok {
		return errChunkLine
	}
	d.state = next
	return nil
}

// extension is the state behind c, if c may stand there. Blanks are accepted behind a
// name or a value, too, where the next extension could follow.
func (s chunkState) extension(c byte) (next chunkState, ok bool) {
	blank, token := c == ' ' || c == '\t', class[c]&isToken != 0
	switch {
	case s == inQuotes:
		return s.quoted(c)
	case s == atQuoted:
		return inQuotes, isText(c)
	case token && (s == atName || s == inName):
		return inName, true
	case token && (s == atValue || s == inValue):
		return inValue, true
	case blank && s == inName:
		return behindName, true
	case blank && s == inValue:
		return behindValue, true
	case blank:
		return s, true
	case c == '"' && s == atValue:
		return inQuotes, true
	case c == '=' && (s == inName || s == behindName):
		return atValue, true
	case c == ';' && s != atName && s != atValue:
		return atName, true
	case c == '\r' && s != inBlank && s != atName && s != atValue:
		return atSizeEnd, true
	}
	return s, false
}

// quoted is extension within a quoted string.
func (s chunkState) quoted(c byte) (next chunkState, ok bool) {
	switch c {
	case '"':
		return behindValue, true
	case '\\':
		return atQuoted, true
	}
	return s, isText(c)
}

// isText reports whether c may be in a field value.
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }
