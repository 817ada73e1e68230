// Package http1 is the server's side of HTTP/1.1 and 1.0, on the loops of a weir
// server.
//
//	func hello(w *http1.Response, r *http1.Request) {
//		w.ContentType("text/plain")
//		w.WriteString("Hello, " + string(r.Header("User-Agent")))
//	}
//
//	p, err := http1.New(hello)
//	…
//	s, err := weir.NewServer(p, weir.CustomProtocol(p), weir.Address(":8080"))
//
// There are two ways to answer. A [Handler] runs on the loop, as soon as the head
// of a request is there, and must not block. It costs no allocation and next to no
// time: requests are parsed where they were received, and the reply is appended to
// what the connection sends. A [Pool] runs any [net/http.Handler] on goroutines,
// which may block, with bodies that are read and written while they are on their
// way. A Handler passes on to a Pool what it does not answer itself:
//
//	func handle(w *http1.Response, r *http1.Request) {
//		switch string(r.Path()) {
//		case "/plaintext":
//			w.WriteString("Hello, World!")
//		case "/sum":
//			r.ReadBody(sum) // called when all of the body is there
//		default:
//			pool.Serve(w, r)
//		}
//	}
//
// Requests of one connection are answered one after the other, in the order in
// which they came, however many the client sends at once.
//
// # Strictness
//
// Where two recipients of the same bytes could understand them differently, one of
// them can be deceived. So a request is what RFC 9112 says it is, and anything else
// is answered with a 400, and the connection closed. In particular:
//
//   - Lines end in CR LF. A bare LF is refused, and so is a CR anywhere else. One
//     empty line is accepted in front of a request.
//   - Field names are tokens, with the colon right behind them. Values have no
//     control characters but the tab. Folded lines are refused.
//   - A body has one length. Both a Content-Length and a Transfer-Encoding, or two
//     Content-Lengths even if they agree, or a Transfer-Encoding in HTTP/1.0, or
//     one in which chunked is not the last coding or occurs twice, are refused. A
//     coding other than chunked is answered with 501.
//   - HTTP/1.1 has one Host field; it and the host of an absolute target must be
//     well-formed. If there are both, the target's counts.
//   - Targets are visible ASCII without '#'. CONNECT is answered with 501, a
//     version other than 1.x with 505, an expectation other than 100-continue with
//     417.
//   - Sizes of chunks have at most 16 digits. Extensions are ignored, up to 4 KiB of
//     them, but must be extensions. Trailers that would reframe the message are
//     refused, and so is their announcement.
//
// Wherever the bytes of a request are cut into segments, the outcome is the same.
//
// # Limits
//
// All are on by default, and options of [New]:
//
//	limit                       option         default             past it
//	request line                HeadLimits     8 KiB               414
//	head, trailer section       HeadLimits     32 KiB              431
//	fields of each              HeadLimits     100                 431
//	body                        MaxBody        4 MiB               413
//	bodies held in memory       BodyMemory     256 MiB in all      503
//	time for the head           HeadTimeout    10 s                408
//	time for the body           BodyTimeout    30 s, then 1 KiB/s  408
//	time between requests       IdleTimeout    60 s                closed
//	body that nobody reads                     256 KiB             closed behind the answer
//	pipelined input that waits                 64 KiB              not read
//	requests handled at a time  Workers        256 in a Pool       wait
//	requests that wait          Queue          1024 in a Pool      503
//	time that they wait         QueueTimeout   10 s in a Pool      503
//	client that does not read   StallTimeout   30 s in a Pool      closed
//
// The cause of the end of a connection that was refused something is an [*Error].
//
// A client that does not read what a Handler or a Stream has sent is the server's to
// close: see weir.StallTimeout, which is off by default.
//
// The server's MaxMessageSize does not limit bodies. It bounds what of a connection's
// input waits, which is a head or pipelined requests: it must be 128 KiB at least, and
// more than the longest head.
package http1
