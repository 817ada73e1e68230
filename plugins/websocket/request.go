package websocket

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// Request is a request for a WebSocket: its head (Path, Query, Header, Host and more
// are those of http1.Head) and where it comes from. It is loop only, and valid until
// the function that it was given to returns.
type Request struct {
	*http1.Head
	c        *weir.Connection
	origin   []byte
	listed   bool     // the two below are known
	offered  []string // by Sec-WebSocket-Protocol
	distinct bool     // they are different tokens
}

// Connection is the connection that the request came on. It is not the function's to
// write to or to close.
func (r *Request) Connection() *weir.Connection { return r.c }

// RemoteAddr is the peer's address, a *net.TCPAddr.
func (r *Request) RemoteAddr() net.Addr { return r.c.RemoteAddr() }

// Origin is the origin of the page that connects, such as "https://example.com"; empty
// if the client did not say, as only browsers do.
func (r *Request) Origin() string { return string(r.origin) }

// Subprotocols are those that the client offers, the ones that it prefers first.
func (r *Request) Subprotocols() []string {
	if !r.listed {
		r.listed = true
		r.offered, r.distinct = subprotocols(r.Head)
	}
	return r.offered
}

// subprotocols lists what the client offers, and reports whether all of it are tokens
// and no two the same (RFC 6455, section 4.1). Empty elements are ignored (RFC 9110,
// section 5.6.1). A head has room for thousands.
func subprotocols(h *http1.Head) (names []string, distinct bool) {
	for field, list := range h.Fields().All() {
		if !bytes.EqualFold(field, []byte("Sec-WebSocket-Protocol")) {
			continue
		}
		for item := range strings.SplitSeq(string(list), ",") {
			name := strings.Trim(item, " \t")
			if name == "" {
				continue
			}
			if !isToken(name) {
				return names, false
			}
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		return names, true
	}
	seen := make(map[string]struct{}, len(names))
	for _, name := range names {
		seen[name] = struct{}{}
	}
	return names, len(seen) == len(names)
}

// Cookie returns the value of the first cookie of that name, and whether there is one.
func (r *Request) Cookie(name string) (value string, ok bool) {
	for field, line := range r.Fields().All() {
		if !bytes.EqualFold(field, []byte("Cookie")) {
			continue
		}
		cookies, err := http.ParseCookie(string(line))
		if err != nil {
			continue
		}
		for _, c := range cookies {
			if c.Name == name {
				return c.Value, true
			}
		}
	}
	return "", false
}

// Answer is how a request is accepted. The zero value is good.
type Answer struct {
	// Header has fields for the reply. Those that are the handshake's own are left out.
	Header http.Header
	// Subprotocol is the one to speak, of those that the client offers; empty means
	// what the options say.
	Subprotocol string
	// UserData is what Conn.UserData returns.
	UserData any
}

// Refusal is the error with which an OnUpgrade function refuses a request.
type Refusal struct {
	Status int         // 400 to 599
	Header http.Header // fields of the reply; may be nil
	Body   string      // of the reply, as text/plain
}

func (e *Refusal) Error() string {
	return "websocket: refused with " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
}

// origin is a parsed Origin: scheme, and host with a port unless it is the scheme's.
type origin struct{ scheme, host string }

// parseOrigin parses what a browser writes, RFC 6454 section 7. "null" is none.
func parseOrigin(s string) (o origin, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return o, false
	}
	scheme := strings.ToLower(u.Scheme)
	return origin{scheme, trimPort(scheme, u.Host)}, true
}

// trimPort makes hosts comparable: in lower case, without the port that goes without
// saying.
func trimPort(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "http", "ws":
		host = strings.TrimSuffix(host, ":80")
	case "https", "wss":
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}

// originAllowed reports whether a page of the request's origin may connect.
func (o *options) originAllowed(r *Request) bool {
	if r.origin == nil {
		return true
	}
	if o.checkOrigin != nil {
		return o.checkOrigin(r)
	}
	from, ok := parseOrigin(string(r.origin))
	web := from.scheme == "http" || from.scheme == "https" // the name of an extension is not a host's
	if ok && web && from.host == trimPort(from.scheme, string(r.Host())) {
		return true
	}
	for _, s := range o.origins {
		if allowed, valid := parseOrigin(s); s == "*" || ok && valid && allowed == from {
			return true
		}
	}
	return false
}
