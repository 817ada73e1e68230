package http1

import (
	"net/http"
	"strconv"
	"strings"
)

// Response is the reply to a Request, as it is being made. It goes out, with its
// length and the date, when the Handler returns. All of it is loop only.
type Response struct {
	x        *exchange
	status   int    // 0: 200
	fields   []byte // field lines
	body     []byte
	ref      []byte // the body, if it was given to SetBody
	close    bool
	switches bool // an Upgrade field was set
}

// Status sets the status code. The default is 200. It panics with a code that can't
// be that of a reply: one below 200 or of more than three digits.
func (w *Response) Status(code int) {
	if code < 200 || code > 999 {
		panic("http1: invalid status code " + strconv.Itoa(code))
	}
	w.status = code
}

// Header adds a field. Control characters in the value become blanks. A name that
// is not a token is left out, and so are Date, Content-Length and
// Transfer-Encoding, which are the library's, and Connection, which with the value
// "close" is Close. With Upgrade goes what RFC 9110, section 7.8, wants to go with it:
// that option of Connection.
func (w *Response) Header(name, value string) {
	if reserved(name) {
		if len(name) == len("Connection") && equalFold(strings.TrimSpace(value), "close") {
			w.close = true
		}
		return
	}
	if isTokenString(name) {
		w.switches = w.switches || equalFold(name, "upgrade")
		w.fields = appendField(w.fields, name, value)
	}
}

// ContentType adds the field Content-Type.
func (w *Response) ContentType(value string) {
	w.fields = appendField(w.fields, "Content-Type", value)
}

// Write adds a copy of p to the body. It never fails.
func (w *Response) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

// WriteString is Write for a string.
func (w *Response) WriteString(s string) (int, error) {
	w.body = append(w.body, s...)
	return len(s), nil
}

// SetBody makes p the body, instead of what was written. It is not copied: p must
// stay as it is until the Handler has returned.
func (w *Response) SetBody(p []byte) { w.ref = p }

// Close has the connection closed behind the reply.
func (w *Response) Close() { w.close = true }

// content is the body.
func (w *Response) content() []byte {
	if w.ref != nil {
		return w.ref
	}
	return w.body
}

func (w *Response) reset() {
	w.status, w.ref, w.close, w.switches = 0, nil, false, false
	w.fields, w.body = keep(w.fields), keep(w.body)
}

// appendHead appends status line and fields, all but those that say how long the
// body is, and not the empty line. again says whether another request may follow.
func (w *Response) appendHead(dst []byte, again bool) []byte {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	stamp := w.x.conn.protocol.stamps.get()
	if w.status == http.StatusOK {
		dst = append(dst, stamp.ok...)
	} else {
		dst = append(append(dst, statusLine(w.status)...), stamp.fields...)
	}
	dst = append(dst, w.fields...)
	switch {
	case !again && w.switches:
		dst = append(dst, "Connection: close, upgrade\r\n"...)
	case w.switches && w.x.req.minor > 0:
		dst = append(dst, "Connection: upgrade\r\n"...)
	case !again:
		dst = append(dst, "Connection: close\r\n"...)
	case w.x.req.minor == 0:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return dst
}

// appendField appends a field line.
func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	start := len(dst)
	dst = append(dst, value...)
	for i := valueEnd(dst, start); i < len(dst); i = valueEnd(dst, i) {
		dst[i] = ' '
	}
	return append(dst, "\r\n"...)
}

// isFieldValue reports whether s can be sent as it is.
func isFieldValue(s string) bool { return valueEnd([]byte(s), 0) == len(s) }

// reserved reports whether a field is not for handlers to set.
func reserved(name string) bool {
	switch len(name) {
	case len("Date"):
		return equalFold(name, "date")
	case len("Connection"):
		return equalFold(name, "connection")
	case len("Content-Length"):
		return equalFold(name, "content-length")
	case len("Transfer-Encoding"):
		return equalFold(name, "transfer-encoding")
	}
	return false
}
