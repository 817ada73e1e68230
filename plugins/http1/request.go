package http1

import "github.com/go-weir/weir"

// Request is a request whose head is there. All of it is loop only, and valid
// until the Handler returns.
type Request struct {
	Head
	x *exchange
}

// Connection is the connection that the request came on.
func (r *Request) Connection() *weir.Connection { return r.x.conn.c }

// ReadBody has f called with the whole body, which is empty if there is none: at
// once if it has come together with the head, else when it is complete, on the
// loop as well. A body that is too long or too late is answered with 413 or 408, one
// for which there is no memory left with 503 (BodyMemory), and f is then not called.
// The Handler returns after ReadBody; the reply, which it may have begun, goes out when
// f returns.
//
// A body that nobody reads is thrown away, up to 256 KiB; if it is longer, or the
// client waits with it for a 100, the connection is closed behind the reply, which
// says so. How long a chunked body is shows at its end only: the reply waits for that,
// for a second at most.
func (r *Request) ReadBody(f func(w *Response, r *Request, body []byte)) {
	x := r.x
	if !x.pending {
		f(&x.res, r, x.body)
		return
	}
	x.state, x.onBody = awaits, f
}

// Trailer returns the value of the first field of that name that came behind a
// chunked body; nil if there is none, or the body was not read yet.
func (r *Request) Trailer(name string) []byte {
	if r.x.pending || !r.Chunked() {
		return nil
	}
	return r.x.chunked.trailer.Get(name)
}

// Leave ends HTTP on the connection, without a reply: what follows the head is
// the caller's to read, as another Protocol, and what the client is told, too (with
// Connection.Write). The connection's ProtocolState is nil then.
//
// It is for protocols that begin with an HTTP request, whose UnPacket passes on to
// this one's until a request wants to be something else.
func (r *Request) Leave() {
	x := r.x
	x.state = left
	x.conn.phase = over
	x.conn.clock.stop()
	x.conn.release()
	x.conn.x = nil
	x.conn.c.SetProtocolState(nil)
}
