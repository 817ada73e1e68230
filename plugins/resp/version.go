package resp

// Version is the version of RESP that a client speaks: RESP2 until it asks for
// RESP3 with "HELLO 3". Its methods append replies, like the package's functions,
// of the kinds that RESP3 has brought; to a client that doesn't know them, what
// Redis sends it in their place. The zero value is RESP2.
type Version uint8

// The versions, with their numbers in HELLO.
const (
	V2 Version = 2
	V3 Version = 3
)

// AppendNull appends the value that isn't there; in RESP2 a null string.
func (v Version) AppendNull(dst []byte) []byte {
	if v == V3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "$-1\r\n"...)
}

// AppendNullArray appends the array that isn't there; in RESP3 it is the same as
// AppendNull.
func (v Version) AppendNullArray(dst []byte) []byte {
	if v == V3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "*-1\r\n"...)
}

// AppendMap appends the beginning of a map: the 2n replies that are appended next
// are key, value, key, value, …; in RESP2 an array of 2n.
func (v Version) AppendMap(dst []byte, n int) []byte {
	if v == V3 {
		return appendNumber(dst, '%', int64(n))
	}
	return AppendArray(dst, 2*n)
}

// AppendSet appends the beginning of a set, whose n elements are appended next; in
// RESP2 an array.
func (v Version) AppendSet(dst []byte, n int) []byte {
	if v == V3 {
		return appendNumber(dst, '~', int64(n))
	}
	return AppendArray(dst, n)
}

// AppendPush appends the beginning of what is sent unasked, such as a message of a
// channel: first its kind, a string, n elements in all. In RESP2 it is an array,
// which a client can't tell from a reply: it has to expect it.
func (v Version) AppendPush(dst []byte, n int) []byte {
	if v == V3 {
		return appendNumber(dst, '>', int64(n))
	}
	return AppendArray(dst, n)
}

// AppendDouble appends a floating-point number; in RESP2 a string.
func (v Version) AppendDouble(dst []byte, f float64) []byte {
	if v == V3 {
		return append(appendFloat(append(dst, ','), f), '\r', '\n')
	}
	var buf [32]byte
	return AppendBulk(dst, appendFloat(buf[:0], f))
}

// AppendBool appends true or false; in RESP2 the number 1 or 0.
func (v Version) AppendBool(dst []byte, b bool) []byte {
	switch {
	case v == V3 && b:
		return append(dst, "#t\r\n"...)
	case v == V3:
		return append(dst, "#f\r\n"...)
	case b:
		return append(dst, ":1\r\n"...)
	}
	return append(dst, ":0\r\n"...)
}

// AppendBigNumber appends an integer of any size, written in decimal; in RESP2 a
// string.
func (v Version) AppendBigNumber(dst []byte, decimal string) []byte {
	if v == V3 {
		return appendLine(append(dst, '('), decimal)
	}
	return AppendBulk(dst, decimal)
}

// AppendVerbatim appends a text with its format, three letters such as "txt" or
// "mkd": for people to read, and not to be escaped. In RESP2 it is a string without
// the format.
func (v Version) AppendVerbatim(dst []byte, format, text string) []byte {
	if v == V3 {
		dst = appendNumber(dst, '=', int64(len(format)+1+len(text)))
		dst = append(append(dst, format...), ':')
		dst = append(dst, text...)
		return append(dst, '\r', '\n')
	}
	return AppendBulk(dst, text)
}
