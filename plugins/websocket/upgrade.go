package websocket

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	"github.com/go-weir/weir/plugins/http1"
)

// serve answers a request: with an upgrade, a refusal, or by the Fallback.
func (p *Protocol) serve(w *http1.Response, r *http1.Request) {
	s := p.shard(r.Connection().Loop())
	wanted := r.Header("Sec-WebSocket-Key") != nil || asks(&r.Head)
	switch {
	case wanted:
		if err := p.upgrade(s, r); err != nil {
			refuse(w, err)
			s.refused(err.Status)
		}
	case p.options.fallback != nil:
		p.options.fallback(w, r)
	case r.Method() != http.MethodGet && r.Method() != http.MethodHead:
		refuse(w, errMethod)
		s.refused(errMethod.Status)
	default:
		refuse(w, errPlain)
		s.refused(errPlain.Status)
	}
}

// refuse writes the reply to a request that is not accepted.
func refuse(w *http1.Response, err *Refusal) {
	status := err.Status
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	w.Status(status)
	if status == http.StatusUpgradeRequired {
		w.Header("Upgrade", "websocket")
		w.Header("Sec-WebSocket-Version", "13")
	}
	if status == http.StatusMethodNotAllowed {
		w.Header("Allow", http.MethodGet)
	}
	for name, values := range err.Header {
		for _, v := range values {
			w.Header(name, v)
		}
	}
	if err.Header.Get("Content-Type") == "" {
		w.ContentType("text/plain; charset=utf-8")
	}
	_, _ = w.WriteString(err.Body) // never fails
	w.Close()
}

func malformed(reason string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Body: reason + "\n"}
}

// What can be wrong with a request for a WebSocket.
var (
	errPlain      = &Refusal{Status: http.StatusUpgradeRequired, Body: "this is a WebSocket\n"}
	errMethod     = &Refusal{Status: http.StatusMethodNotAllowed, Body: "the method of a WebSocket handshake is GET\n"}
	errHTTP10     = &Refusal{Status: http.StatusHTTPVersionNotSupported, Body: "a WebSocket needs HTTP/1.1\n"}
	errVersion    = &Refusal{Status: http.StatusUpgradeRequired, Body: "the version of WebSocket is 13\n"}
	errUpgrade    = malformed("no Upgrade: websocket")
	errConnection = malformed("no Connection: Upgrade")
	errNoVersion  = malformed("not one Sec-WebSocket-Version")
	errKey        = malformed("not one Sec-WebSocket-Key of 16 bytes")
	errBody       = malformed("a WebSocket handshake has no body")
	errHost       = malformed("the host is missing")
	errOrigins    = malformed("more than one Origin")
	errProtocols  = malformed("Sec-WebSocket-Protocol is not a list of different tokens")
	errExtensions = malformed("Sec-WebSocket-Extensions is not a list of extensions")
	errOrigin     = &Refusal{Status: http.StatusForbidden, Body: "pages of this origin may not connect\n"}
	errForbidden  = &Refusal{Status: http.StatusForbidden, Body: "refused\n"}
	errAnswer     = &Refusal{Status: http.StatusInternalServerError, Body: "something went wrong here\n"}
)

// check looks whether r is what RFC 6455, section 4.2.1, describes.
func check(r *http1.Request) *Refusal {
	key, keys := single(r, "Sec-WebSocket-Key")
	version, versions := single(r, "Sec-WebSocket-Version")
	var nonce [24]byte
	switch {
	case r.Method() != http.MethodGet:
		return errMethod
	case r.Minor() == 0:
		return errHTTP10
	case len(r.Host()) == 0:
		return errHost
	case !asks(&r.Head):
		return errUpgrade
	case r.Upgrade() == nil:
		return errConnection
	case versions != 1:
		return errNoVersion
	case string(version) != "13":
		return errVersion
	case keys != 1 || len(key) != len(nonce):
		return errKey
	case r.ContentLength() != 0 || r.ExpectsContinue():
		return errBody
	}
	if n, err := base64.StdEncoding.Strict().Decode(nonce[:], key); n != 16 || err != nil {
		return errKey
	}
	return nil
}

// asks reports whether an Upgrade field has websocket: a list in several fields is the
// same as in one (RFC 9110, section 5.3).
func asks(h *http1.Head) bool {
	for field, list := range h.Fields().All() {
		if bytes.EqualFold(field, []byte("Upgrade")) && hasToken(list, "websocket") {
			return true
		}
	}
	return false
}

// single returns the value of a field, and how many of the name there are.
func single(r *http1.Request, name string) (value []byte, n int) {
	for field, v := range r.Fields().All() {
		if bytes.EqualFold(field, []byte(name)) {
			value, n = v, n+1
		}
	}
	return value, n
}

// request checks r, and returns it as functions of the program see it. The origin comes
// before what is more work.
func (p *Protocol) request(r *http1.Request) (*Request, *Refusal) {
	if err := check(r); err != nil {
		return nil, err
	}
	origin, origins := single(r, "Origin")
	if origins > 1 {
		return nil, errOrigins
	}
	q := &Request{Head: &r.Head, c: r.Connection(), origin: origin}
	if !p.options.originAllowed(q) {
		return nil, errOrigin
	}
	if q.Subprotocols(); !q.distinct {
		return nil, errProtocols
	}
	return q, nil
}

// decide asks the program, and chooses the subprotocol.
func (p *Protocol) decide(q *Request) (a Answer, refusal *Refusal) {
	if p.options.onUpgrade != nil {
		var err error
		if a, err = p.options.onUpgrade(q); err != nil {
			if errors.As(err, &refusal) {
				return a, refusal
			}
			return a, errForbidden
		}
	}
	if a.Subprotocol != "" {
		if !slices.Contains(q.offered, a.Subprotocol) {
			return a, errAnswer
		}
		return a, nil
	}
	for _, name := range p.options.subprotocols {
		if slices.Contains(q.offered, name) {
			a.Subprotocol = name
			break
		}
	}
	return a, nil
}

// upgrade makes a WebSocket of the connection that r came on.
func (p *Protocol) upgrade(s *shard, r *http1.Request) *Refusal {
	q, refusal := p.request(r)
	if refusal != nil {
		return refusal
	}
	x := &s.exchange
	defer x.reset()
	x.head(r, q.offered)
	params, extensions, err := p.codec.Negotiate(x.offers...)
	if err != nil {
		return errExtensions
	}
	used := false
	defer func() { // a function of the program may have panicked
		if !used {
			p.codec.Forget(params)
		}
	}()
	a, refusal := p.decide(q)
	if refusal != nil {
		return refusal
	}
	u := p.upgrader
	if a.Subprotocol != "" {
		u.ProtocolCustom = func([]byte) (string, bool) { return a.Subprotocol, true }
	}
	agreed, err := u.Upgrade(x)
	c := r.Connection()
	r.Leave()
	if err != nil {
		_, _ = c.Write(x.reply) // an error means that it is ending already
		c.AwaitPeer()           // which may have sent more behind the request
		_ = c.Close()
		s.refused(x.status())
		return nil
	}
	if _, err := c.Write(x.finish(extensions, a.Header)); err != nil {
		_ = c.Close() // an error means that it is closed already
		return nil
	}
	used = true
	s.counts.Upgraded++
	c.SetProtocolState(newConn(s, c, params, agreed.Protocol, a.UserData))
	return nil
}
