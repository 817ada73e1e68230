package http1

import (
	"net/http"
	"net/textproto"
	"net/url"
)

// request makes the http.Request, as net/http makes it of the same head. nil: it
// was refused.
func (k *call) request() *http.Request {
	h := &k.x.req.Head
	head := string(h.fields.src) // what the Request has of it are parts of this
	in := func(s span) string { return head[s.from:s.to] }
	u, err := url.ParseRequestURI(in(h.target))
	if err != nil {
		k.writer.fail(errTargetEscape)
		return nil
	}
	r := &http.Request{
		Method: h.Method(), URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: h.Minor(),
		Header: make(http.Header, h.fields.Len()), Host: in(h.host), ContentLength: h.ContentLength(),
		Body: http.NoBody, Close: !h.KeepAlive(), RemoteAddr: k.c.PeerAddr(), RequestURI: in(h.target),
	}
	if h.minor == 0 {
		r.Proto = "HTTP/1.0"
	}
	values := make([]string, h.fields.Len())
	for i, f := range h.fields.list {
		key := textproto.CanonicalMIMEHeaderKey(in(f.name))
		switch key {
		case "Host", "Transfer-Encoding":
			continue
		case "Trailer":
			if h.Chunked() { // else it is a field like others
				r.Trailer = announced(r.Trailer, in(f.value))
				continue
			}
		}
		if before := r.Header[key]; before != nil {
			r.Header[key] = append(before, in(f.value))
			continue
		}
		values[i] = in(f.value)
		r.Header[key] = values[i : i+1 : i+1]
	}
	if h.Chunked() {
		r.TransferEncoding = []string{"chunked"}
	}
	r = r.WithContext(k.ctx)
	if r.ContentLength != 0 {
		r.Body = &body{k: k, r: r}
	}
	return r
}

var errTargetEscape = bad("the request target is not a URL")

// announced adds the names in a Trailer field to a Request's trailer, without
// values: those come with the end of the body.
func announced(trailer http.Header, names string) http.Header {
	elements([]byte(names), func(name []byte) bool {
		if trailer == nil {
			trailer = make(http.Header)
		}
		trailer[textproto.CanonicalMIMEHeaderKey(string(name))] = nil
		return true
	})
	return trailer
}

// trailer is a copy of the trailer section, nil if that is empty.
func (x *exchange) trailer() http.Header {
	if !x.req.Chunked() || x.chunked.trailer.Len() == 0 {
		return nil
	}
	t := make(http.Header)
	for name, value := range x.chunked.trailer.All() {
		t.Add(string(name), string(value))
	}
	return t
}

// body is a Request's Body.
type body struct {
	k      *call
	r      *http.Request
	closed bool // guarded by k.mu
}

// Read waits for a part of the body. The first one asks the client to send it, if
// it waits for that.
func (b *body) Read(p []byte) (int, error) {
	k := b.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	if k.expected && k.inputErr == nil {
		k.expected = false
		_ = k.c.Send(continueLine) // an error shows as the end of the body
	}
	for k.input.IsEmpty() && k.inputErr == nil && !k.ended && !b.closed {
		k.arrived.Wait()
	}
	switch {
	case k.ended || b.closed:
		return 0, http.ErrBodyReadAfterClose
	case k.input.IsEmpty():
		b.addTrailer()
		return 0, k.inputErr
	}
	n, _ := k.input.Read(p) // fails only on an empty one
	if k.paused && k.input.Length() <= lowInput {
		k.paused = false
		k.c.ResumeRead()
	}
	if k.input.IsEmpty() {
		k.input.Release()
	}
	return n, nil
}

// addTrailer adds what came behind the body, if anything has, to the request.
func (b *body) addTrailer() {
	if b.k.trailer == nil {
		return
	}
	if b.r.Trailer == nil {
		b.r.Trailer = make(http.Header)
	}
	for name, values := range b.k.trailer {
		b.r.Trailer[name] = values
	}
	b.k.trailer = nil
}

// Close implements io.Closer. What is left of the body is thrown away when the
// handler returns.
func (b *body) Close() error {
	b.k.mu.Lock()
	defer b.k.mu.Unlock()
	b.closed = true
	b.k.arrived.Broadcast()
	return nil
}
