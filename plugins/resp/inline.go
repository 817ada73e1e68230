package resp

import (
	"bytes"
	"encoding/hex"
	"slices"
)

// inline decodes a command as people type it: a line of words, some in quotes.
func (d *decoder) inline(p []byte) (n int, err ProtocolError) {
	end := d.lineEnd(p, '\n')
	switch end {
	case tooLong:
		return 0, errLongInline
	case incomplete:
		return 0, ""
	}
	d.scanned = 0
	if !d.split(p[:end]) {
		return 0, errQuotes
	}
	if args := d.command.Args; len(args) > 0 && isHTTP(args[0]) {
		return 0, errHTTP
	}
	return end + 1, ""
}

// isHTTP reports whether an inline command is what Redis takes for HTTP. Any page can
// have its reader's browser send a POST to an address that only the reader can reach,
// and the body, which the page has written, would be more commands. A browser begins
// every other request, whose first line may be carried out, with the field Host.
func isHTTP(name []byte) bool {
	return bytes.EqualFold(name, []byte("post")) || bytes.EqualFold(name, []byte("host:"))
}

// split makes arguments of the words in line, and reports whether it can: every
// quote must have its end, and a blank or nothing behind that.
func (d *decoder) split(line []byte) (ok bool) {
	args := d.command.Args[:0]
	words := slices.Grow(d.words[:0], len(line)) // it must not move any more
	for {
		if line = bytes.TrimLeft(line, " \t\n\v\f\r"); len(line) == 0 {
			break
		}
		start := len(words)
		if words, line, ok = appendWord(words, line); !ok {
			return false
		}
		args = append(args, words[start:len(words):len(words)])
	}
	d.found(args)
	d.words = words
	return true
}

// appendWord appends the word that line begins with to dst, and returns both, the
// line without the word. A quote ends the word, wherever it began.
func appendWord(dst, line []byte) (word, rest []byte, ok bool) {
	for i, c := range line {
		switch c {
		case ' ', '\t', '\n', '\r':
			return dst, line[i:], true
		case '"', '\'':
			return appendQuoted(dst, line[i+1:], c)
		}
		dst = append(dst, c)
	}
	return dst, nil, true
}

// appendQuoted is appendWord behind the opening quote.
func appendQuoted(dst, line []byte, quote byte) (word, rest []byte, ok bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == quote:
			rest = line[i+1:]
			return dst, rest, len(rest) == 0 || bytes.IndexByte([]byte(" \t\n\v\f\r"), rest[0]) >= 0
		case c != '\\' || i+1 == len(line):
		case quote == '\'' && line[i+1] == '\'':
			i++
			c = '\''
		case quote == '"':
			var n int
			c, n = escaped(line[i+1:])
			i += n
		}
		dst = append(dst, c)
	}
	return dst, nil, false
}

// escaped returns the character that p stands for behind a backslash, and how much
// of p that takes.
func escaped(p []byte) (c byte, n int) {
	switch p[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'a':
		return '\a', 1
	case 'x':
		var b [1]byte
		if len(p) > 2 {
			if _, err := hex.Decode(b[:], p[1:3]); err == nil {
				return b[0], 3
			}
		}
	}
	return p[0], 1
}
