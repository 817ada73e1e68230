package websocket

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/go-weir/weir/plugins/http1"
)

// exchange is a request and its reply as a ws.Upgrader reads and writes them. A loop
// has one, which it uses again for each handshake.
type exchange struct {
	request []byte
	read    int // how much of request was
	reply   []byte
	offers  [][]byte // the values of Sec-WebSocket-Extensions
}

// keptExchange is how large a buffer is at most that an exchange keeps.
const keptExchange = 16 << 10

// reset makes x ready for another handshake.
func (x *exchange) reset() {
	clear(x.offers)
	x.read, x.offers = 0, x.offers[:0]
	if x.request = x.request[:0]; cap(x.request) > keptExchange {
		x.request = nil
	}
	if x.reply = x.reply[:0]; cap(x.reply) > keptExchange {
		x.reply = nil
	}
}

// Read implements io.Reader.
func (x *exchange) Read(p []byte) (n int, err error) {
	if x.read == len(x.request) {
		return 0, io.EOF
	}
	n = copy(p, x.request[x.read:])
	x.read += n
	return n, nil
}

// Write implements io.Writer.
func (x *exchange) Write(p []byte) (n int, err error) {
	x.reply = append(x.reply, p...)
	return len(p), nil
}

// head writes down the head of r, with the fields that may be lists, or several, in
// the form that an Upgrader knows.
func (x *exchange) head(r *http1.Request, offered []string) {
	b := append(append(x.request, "GET "...), r.Target()...)
	b = append(b, " HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"...)
	if len(offered) > 0 {
		b = append(b, "Sec-WebSocket-Protocol: "+strings.Join(offered, ", ")+"\r\n"...)
	}
	for name, value := range r.Fields().All() {
		if bytes.EqualFold(name, []byte("Upgrade")) || bytes.EqualFold(name, []byte("Connection")) ||
			bytes.EqualFold(name, []byte("Sec-WebSocket-Protocol")) {
			continue
		}
		if bytes.EqualFold(name, []byte("Sec-WebSocket-Extensions")) {
			x.offers = append(x.offers, value)
		}
		b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
	}
	x.request = append(b, "\r\n"...)
}

// status is the status of a reply; 500 if it is none.
func (x *exchange) status() int {
	status := 0
	if line, ok := bytes.CutPrefix(x.reply, []byte("HTTP/1.1 ")); ok && len(line) > 3 {
		for _, c := range line[:3] {
			status = status*10 + int(c-'0')
		}
	}
	if status < 400 || status > 599 {
		return http.StatusInternalServerError
	}
	return status
}

// finish returns the reply with the fields that the Upgrader knows nothing of.
func (x *exchange) finish(extensions string, more http.Header) []byte {
	b := bytes.TrimSuffix(x.reply, []byte("\r\n")) // which makes room for more
	if extensions != "" {
		b = append(append(append(b, "Sec-WebSocket-Extensions: "...), extensions...), "\r\n"...)
	}
	for name, values := range more {
		if !isToken(name) || ours(name) {
			continue
		}
		for _, v := range values {
			b = append(append(b, name...), ": "...)
			for _, c := range []byte(v) {
				if c < ' ' && c != '\t' || c == 0x7f {
					c = ' '
				}
				b = append(b, c)
			}
			b = append(b, "\r\n"...)
		}
	}
	x.reply = append(b, "\r\n"...)
	return x.reply
}

// ours reports whether a field of the reply is the handshake's own.
func ours(name string) bool {
	for _, own := range []string{
		"Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
		"Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Sec-WebSocket-Version",
	} {
		if http.CanonicalHeaderKey(name) == http.CanonicalHeaderKey(own) {
			return true
		}
	}
	return false
}
