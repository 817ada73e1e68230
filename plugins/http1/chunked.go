package http1

import "bytes"

// chunked decodes a chunked body, RFC 9112 section 7.1, wherever it is cut.
type chunked struct {
	// set once
	limits *Limits

	// loop only
	state      chunkState
	digits     int   // of the size
	left       int64 // of the chunk: of its size, while that is being read, what has come
	room       int64 // bytes that the body may still have
	extensions int   // bytes of extensions in all chunks
	trailer    Fields
	raw        []byte // the bytes of trailer
	line       int    // where in raw the last line begins
}

type chunkState uint8

// What a chunked body goes on with.
const (
	inSize      chunkState = iota // a digit of a chunk's size, or what ends it
	inBlank                       // a blank behind the size, where only an extension may follow
	atName                        // the name of an extension, behind its semicolon
	inName                        // more of it
	behindName                    // a blank behind it
	atValue                       // the value, behind the equals sign
	inValue                       // more of it
	inQuotes                      // more of it, up to a quotation mark
	atQuoted                      // the character behind a backslash
	behindValue                   // what may follow an extension
	atSizeEnd                     // the LF behind it
	inData                        // the bytes of a chunk
	atDataCR                      // the CR behind them
	atDataLF                      // the LF behind that
	inTrailer                     // a line of the trailer section
	atEnd                         // nothing
)

const maxDigits = 16

// reset makes d ready for a body of at most so many bytes.
func (d *chunked) reset(limits *Limits, most int64) {
	d.trailer.reset()
	const keptRaw = 4 << 10
	if cap(d.raw) > keptRaw {
		d.raw = nil
	}
	*d = chunked{limits: limits, room: most, trailer: d.trailer, raw: d.raw[:0]}
}

// next decodes what p begins with. It takes n bytes of it, of which data, if
// there is any, is a part of the body: p's bytes, not a copy. It is called again
// until it has taken everything or done is true.
func (d *chunked) next(p []byte) (data []byte, n int, done bool, err *Error) {
	for n < len(p) && err == nil {
		switch d.state {
		case inData:
			data = p[n:min(len(p), n+int(min(d.left, int64(len(p)))))]
			if d.left -= int64(len(data)); d.left == 0 {
				d.state = atDataCR
			}
			return data, n + len(data), false, nil
		case inTrailer:
			var taken int
			taken, err = d.trailerLine(p[n:])
			n += taken
		case atEnd:
			return nil, n, true, nil
		default:
			err = d.char(p[n])
			n++
		}
	}
	return nil, n, d.state == atEnd && err == nil, err
}

// char takes one character of what is between the chunks.
func (d *chunked) char(c byte) *Error {
	switch d.state {
	case inSize:
		return d.sizeChar(c)
	case atSizeEnd:
		if c != '\n' {
			return errChunkLine
		}
		return d.begin()
	case atDataCR:
		if c != '\r' {
			return errChunkEnd
		}
		d.state = atDataLF
	case atDataLF:
		if c != '\n' {
			return errChunkEnd
		}
		d.state, d.digits, d.left = inSize, 0, 0
	default:
		return d.extensionChar(c)
	}
	return nil
}

func (d *chunked) sizeChar(c byte) *Error {
	v := hexDigit(c)
	switch {
	case v >= 0:
		if d.digits++; d.digits > maxDigits || d.left >= 1<<59 {
			return errChunkSize
		}
		d.left = d.left<<4 | int64(v)
	case d.digits == 0:
		return errChunkSize
	case c == '\r':
		d.state = atSizeEnd
	case c == ' ', c == '\t', c == ';':
		d.state = inBlank
		return d.extensionChar(c)
	default:
		return errChunkSize
	}
	return nil
}

// begin is behind the line with the size.
func (d *chunked) begin() *Error {
	if d.left == 0 {
		d.state = inTrailer
		return nil
	}
	if d.left > d.room {
		return errBodyLength
	}
	d.room -= d.left
	d.state = inData
	return nil
}

// trailerLine takes what p has of a line of the trailer section.
func (d *chunked) trailerLine(p []byte) (n int, err *Error) {
	i := bytes.IndexByte(p, '\n')
	if n = i + 1; i < 0 {
		n = len(p)
	}
	if len(d.raw)+n > d.limits.Head {
		return n, errHeadLength
	}
	d.raw = append(d.raw, p[:n]...)
	if i < 0 {
		return n, nil
	}
	line := d.raw[d.line:]
	if string(line) == "\r\n" {
		d.trailer.src = d.raw
		d.state = atEnd
		return n, nil
	}
	if d.trailer.line(d.raw, d.line) == 0 {
		return n, fieldError(line)
	}
	last := &d.trailer.list[len(d.trailer.list)-1]
	switch {
	case len(d.trailer.list) > d.limits.Fields:
		return n, errFieldCount
	case special(last.name) && framesMessage(last.name.in(d.raw)):
		return n, errTrailer
	}
	d.line = len(d.raw)
	return n, nil
}

// framesMessage reports whether a field of that name could make another request
// of what was understood as this one: RFC 9110 section 6.5.1 keeps it out of the
// trailer section.
func framesMessage(name []byte) bool {
	switch len(name) {
	case len("Host"):
		return equalFold(name, "host")
	case len("Trailer"):
		return equalFold(name, "trailer")
	case len("Content-Length"):
		return equalFold(name, "content-length")
	case len("Transfer-Encoding"):
		return equalFold(name, "transfer-encoding")
	}
	return false
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
