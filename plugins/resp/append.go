package resp

import (
	"math"
	"strconv"
)

// Each of these functions appends one reply to dst and returns the extended
// slice, as append does. They are the kinds that RESP2 and RESP3 share.

// AppendSimple appends a simple string, such as OK. Line ends in it, which it
// can't have, become blanks; AppendBulk takes any bytes.
func AppendSimple(dst []byte, s string) []byte {
	return appendLine(append(dst, '+'), s)
}

// AppendError appends an error. By convention its first word is a code in capital
// letters: "ERR syntax error". Line ends in it become blanks.
func AppendError(dst []byte, s string) []byte {
	return appendLine(append(dst, '-'), s)
}

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte {
	return appendNumber(dst, ':', n)
}

// AppendBulk appends a string of any bytes.
func AppendBulk[T ~[]byte | ~string](dst []byte, s T) []byte {
	dst = appendNumber(dst, '$', int64(len(s)))
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendArray appends the beginning of an array: the n replies that are appended
// next are its elements.
func AppendArray(dst []byte, n int) []byte {
	return appendNumber(dst, '*', int64(n))
}

func appendNumber(dst []byte, kind byte, n int64) []byte {
	if 0 <= n && n <= 9 {
		return append(dst, kind, '0'+byte(n), '\r', '\n')
	}
	dst = strconv.AppendInt(append(dst, kind), n, 10)
	return append(dst, '\r', '\n')
}

func appendLine(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[start:] {
		if c == '\r' || c == '\n' {
			dst[start+i] = ' '
		}
	}
	return append(dst, '\r', '\n')
}

// appendFloat appends the shortest number that reads as f, or inf, -inf, nan.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case math.IsNaN(f):
		return append(dst, "nan"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}
