package resp

import (
	"bytes"
	"math"
	"strconv"
)

// What lineEnd returns instead of an index.
const (
	incomplete = -1
	tooLong    = -2
)

// lineEnd returns where in p its first line ends: the index of mark. It looks at
// no byte twice, however often it is called while the line grows.
func (d *decoder) lineEnd(p []byte, mark byte) int {
	end := incomplete
	if i := bytes.IndexByte(p[d.scanned:], mark); i >= 0 {
		d.scanned += i
		end = d.scanned
	} else {
		d.scanned = len(p)
	}
	if d.scanned > d.maxInline {
		return tooLong
	}
	return end
}

// oneDigit reads a line such as "$1\r\n", which most arguments begin with: kind and
// one digit. What it returns is a digit only if p begins with such a line.
func oneDigit(p []byte, kind byte) int {
	if len(p) < len("$1\r\n") || p[0] != kind || p[2] != '\r' {
		return -1
	}
	return int(p[1]) - '0'
}

// shortLength reads a line such as "$12\r\n": kind and a number of one to four
// digits. If p begins with anything else, or not with all of it, next is 0.
func shortLength(p []byte, kind byte) (next, n int) {
	if len(p) < len("$1\r\n") || p[0] != kind {
		return 0, 0
	}
	n = int(p[1] - '0')
	if n > 9 || n == 0 && p[2] != '\r' {
		return 0, 0
	}
	for i, c := range p[2:min(len(p)-1, len("$1234\r"))] {
		if c == '\r' {
			return i + len("$1\r\n"), n
		}
		if c -= '0'; c > 9 {
			break
		}
		n = n*10 + int(c)
	}
	return 0, 0
}

// parseLength reads a number as Redis does: no plus sign, no zero in front. One that
// is larger than any limit may be returned as a smaller one, which is so too.
func parseLength(p []byte) (n int, ok bool) {
	digits := bytes.TrimPrefix(p, minus)
	if len(digits) == 0 || digits[0] == '+' || digits[0] == '0' && len(p) > 1 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil {
		return 0, false
	}
	return int(max(-1, min(i, math.MaxInt32))), true
}

var minus = []byte("-")
