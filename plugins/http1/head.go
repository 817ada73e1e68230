package http1

// Head is the head of a request, and its parser: the same for all that begins
// with HTTP. It reads nothing and keeps no copy: what its methods return are
// windows into the bytes that Parse was given, and valid as long as those are.
//
// The zero value is ready for Parse, with the default limits.
type Head struct {
	// Limits are set before Parse and stay as they are.
	Limits Limits

	fields Fields
	line

	// How far Parse has come: an incomplete head is gone on with.
	at      int // where the first line begins that is not parsed
	scanned int // up to here there is no end of that line
}

// line is what Head knows besides the fields.
type line struct {
	method, target span
	path, query    span
	question       uint32 // where in the target the query begins, or the end of it
	host           span   // of the target or the Host field
	length         int64  // Content-Length; -1: none
	minor          uint8
	flags          uint16
}

const (
	flagParsed       uint16 = 1 << iota // the request line
	flagHost                            // there is a Host field
	flagAuthority                       // the target has the host, and the Host field does not count
	flagClose                           // Connection: close
	flagKeepAlive                       // Connection: keep-alive
	flagUpgrade                         // Connection: upgrade
	flagContinue                        // Expect: 100-continue
	flagExpects                         // Expect: something else
	flagCoded                           // there is a Transfer-Encoding
	flagChunked                         // its last coding is chunked
	flagUnknownCoded                    // it has a coding that nobody here knows
	flagBadTrailer                      // Trailer: a field that can't be one
)

// Limits bound a head. 0 stands for the default.
type Limits struct {
	RequestLine int // bytes of the request line; 8 KiB; past it 414
	Head        int // bytes of the whole head, and of a trailer section; 32 KiB; past it 431
	Fields      int // number of fields, in each of the two; 100; past it 431
}

const (
	defaultRequestLine = 8 << 10
	defaultHead        = 32 << 10
	defaultFields      = 100
)

// fill replaces each 0 by its default.
func (l *Limits) fill() {
	if l.RequestLine == 0 {
		l.RequestLine = defaultRequestLine
	}
	if l.Head == 0 {
		l.Head = defaultHead
	}
	if l.Fields == 0 {
		l.Fields = defaultFields
	}
}

// Reset makes h ready for the next head. Its limits and its memory stay.
func (h *Head) Reset() {
	h.fields.reset()
	h.line = line{length: -1}
	h.at, h.scanned = 0, 0
}

// Method is the request's method, a valid token, as it was sent: methods are told
// apart by case. Unlike all else it is good for ever. The usual ones cost no
// allocation.
func (h *Head) Method() string {
	method := h.method.in(h.fields.src)
	switch string(method) {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	case "PATCH":
		return "PATCH"
	case "TRACE":
		return "TRACE"
	}
	return string(method)
}

// isHead reports whether the method is known to be HEAD.
func (h *Head) isHead() bool {
	return h.flags&flagParsed != 0 && string(h.method.in(h.fields.src)) == "HEAD"
}

// Target is the request target as it was sent: a path and perhaps a query, an
// absolute URL, or * with OPTIONS. It is visible ASCII without '#'; whether each
// '%' is followed by two digits has not been looked at.
func (h *Head) Target() []byte { return h.target.in(h.fields.src) }

// Path is the path of the target, as it was sent: percent-encoded, dots and all.
// It begins with a slash, except that OPTIONS may have *.
func (h *Head) Path() []byte {
	if h.path.from == h.path.to { // an absolute URL that has none
		return slash
	}
	return h.path.in(h.fields.src)
}

var slash = []byte("/")

// Query is what stands behind the first '?' of the target; nil if there is none.
func (h *Head) Query() []byte {
	if h.query.from == 0 {
		return nil
	}
	return h.query.in(h.fields.src)
}

// Host is the host that the client means, with a port if it sent one: that of the
// target if there is one, else the Host field. It may be empty.
func (h *Head) Host() []byte { return h.host.in(h.fields.src) }

// Header returns the value of the first field of that name, whatever the case of
// its letters; nil if there is none.
func (h *Head) Header(name string) []byte { return h.fields.Get(name) }

// Fields are all fields of the head.
func (h *Head) Fields() *Fields { return &h.fields }

// Minor is the minor version: 0 for HTTP/1.0, 1 for HTTP/1.1 and, as RFC 9110
// section 2.5 asks, for those that come after it.
func (h *Head) Minor() int { return int(h.minor) }

// ContentLength is the announced length of the body: 0 if there is none, -1 if it
// is chunked, so that its end is only known when it comes.
func (h *Head) ContentLength() int64 {
	switch {
	case h.Chunked():
		return -1
	case h.length < 0:
		return 0
	}
	return h.length
}

// Chunked reports whether the body is chunked.
func (h *Head) Chunked() bool { return h.flags&flagChunked != 0 }

// KeepAlive reports whether the client wants the connection to stay open.
func (h *Head) KeepAlive() bool {
	if h.flags&flagClose != 0 {
		return false
	}
	return h.minor > 0 || h.flags&flagKeepAlive != 0
}

// ExpectsContinue reports whether the client wants to hear a 100 before it sends
// the body.
func (h *Head) ExpectsContinue() bool { return h.flags&flagContinue != 0 && h.minor > 0 }

// Upgrade is the protocol that the client would rather speak: the value of the
// Upgrade field, nil if there is none, or if no "Connection: upgrade" goes with it.
func (h *Head) Upgrade() []byte {
	if h.flags&flagUpgrade == 0 || h.minor == 0 {
		return nil
	}
	return h.fields.Get("Upgrade")
}
