package http1

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// writer is the http.ResponseWriter of a call. It keeps the first bytes of the body
// until it is clear whether there are more of them: a short response then has a
// Content-Length. The handler's goroutine only.
type writer struct {
	k       *call
	header  http.Header
	status  int    // 0: WriteHeader was not called
	fields  []byte // the header's field lines, as they were then
	length  int64  // its Content-Length; -1: none
	written int64  // bytes of the body
	body    []byte // those that were not sent, in pooled storage
	err     error  // why nothing can be sent

	headSent  bool
	chunked   bool
	close     bool // the connection, behind the response
	dated     bool // the header has a Date of its own
	served    bool // and a Server
	typed     bool // and a Content-Type, or one can't be told
	announced []string
	finished  bool
	drained   chan struct{}         // has an element when something was written to the client
	sent      weir.ConnectionOption // has one put there
}

var (
	_ http.ResponseWriter = (*writer)(nil)
	_ http.Flusher        = (*writer)(nil)
	_ io.ReaderFrom       = (*writer)(nil)
	_ io.StringWriter     = (*writer)(nil)
)

// bodyBuffer is how much of the body is sent in one go: with what is around it, not
// more than 32 KiB.
const bodyBuffer = 31 << 10

// errFinished is what a writer gets that has outlived the handler.
var errFinished = errors.New("http1: the handler has returned")

func (w *writer) init(k *call) {
	*w = writer{k: k, header: make(http.Header), length: -1}
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// EnableFullDuplex is for http.ResponseController: the body of the request can be
// read while the response is written in any case.
func (w *writer) EnableFullDuplex() error { return nil }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(code int) {
	switch {
	case code < 100 || code > 999:
		panic("http1: invalid status code " + strconv.Itoa(code))
	case w.status != 0:
		return
	case code < 200 && code != http.StatusSwitchingProtocols:
		w.inform(code)
		return
	}
	w.status = code
	w.fields = w.render(w.fields[:0])
}

// inform sends an informational response.
func (w *writer) inform(code int) {
	k := w.k
	if k.x.req.Minor() == 0 {
		return
	}
	out := append([]byte(nil), statusLine(code)...)
	if code == http.StatusContinue {
		k.mu.Lock()
		k.expected = false
		k.mu.Unlock()
	} else {
		out = w.render(out)
	}
	w.send(append(out, "\r\n"...))
}

// render appends the header's field lines, and notes those that are the library's
// to write.
func (w *writer) render(dst []byte) []byte {
	w.length, w.announced = -1, w.announced[:0]
	w.dated, w.served, w.typed = false, false, false // an informational response may have said something else
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		values := w.header[name]
		if !isTokenString(name) || strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		switch name {
		case "Content-Length":
			w.noteLength(values)
			continue
		case "Transfer-Encoding":
			continue
		case "Connection":
			values = w.noteConnection(values)
		case "Date":
			w.dated = true
		case "Server":
			w.served = true
		case "Content-Type":
			w.typed = true
		case "Content-Encoding":
			w.typed = w.typed || len(values) > 0 && values[0] != ""
		case "Trailer":
			w.noteTrailer(values)
		}
		for _, v := range values {
			dst = appendField(dst, name, textproto.TrimString(v))
		}
	}
	return dst
}

func (w *writer) noteLength(values []string) {
	if len(values) == 0 {
		return
	}
	n, err := strconv.ParseUint(textproto.TrimString(values[0]), 10, 63)
	if err == nil {
		w.length = int64(n)
	}
}

// noteConnection returns the options of a Connection field that are not the
// library's to say.
func (w *writer) noteConnection(values []string) (rest []string) {
	for _, v := range values {
		elements([]byte(v), func(option []byte) bool {
			switch {
			case equalFold(option, "close"):
				w.close = true
			case !equalFold(option, "keep-alive"):
				rest = append(rest, string(option))
			}
			return true
		})
	}
	return rest
}

func (w *writer) noteTrailer(values []string) {
	for _, v := range values {
		elements([]byte(v), func(name []byte) bool {
			w.announced = append(w.announced, textproto.CanonicalMIMEHeaderKey(string(name)))
			return true
		})
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) { return write(w, p) }

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) { return write(w, s) }

func write[T ~[]byte | ~string](w *writer, p T) (n int, err error) {
	if err := w.admit(int64(len(p))); err != nil {
		return 0, err
	}
	for n < len(p) {
		room := w.room()
		taken := copy(room, p[n:])
		w.body = w.body[:len(w.body)+taken]
		w.written += int64(taken)
		n += taken
		if taken == len(room) {
			if err := w.flush(false); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// admit reports whether n more bytes of the body may be written.
func (w *writer) admit(n int64) error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.finished:
		return errFinished
	case w.err != nil:
		return w.err
	case !bodyAllowed(w.status):
		return http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+n > w.length:
		return http.ErrContentLength
	}
	return nil
}

// room is the free part of the buffer, which is never empty.
func (w *writer) room() []byte {
	if w.body == nil {
		w.body = ringbuffer.Acquire(bodyBuffer)[:0]
	}
	return w.body[len(w.body):bodyBuffer]
}

// ReadFrom implements io.ReaderFrom: it saves a copy.
func (w *writer) ReadFrom(src io.Reader) (n int64, err error) {
	for {
		if err := w.admit(0); err != nil {
			return n, err
		}
		room := w.room()
		if w.length >= 0 {
			room = room[:min(int64(len(room)), w.length-w.written)]
			if len(room) == 0 { // all that was announced is there: is there more?
				more, err := io.Copy(struct{ io.Writer }{w}, src)
				return n + more, err
			}
		}
		read, err := src.Read(room)
		n += int64(read)
		w.written += int64(read)
		w.body = w.body[:len(w.body)+read]
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err == nil && len(w.body) == bodyBuffer:
			err = w.flush(false)
		}
		if err != nil {
			return n, err
		}
	}
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.finished:
		return errFinished
	case w.err != nil:
		return w.err
	}
	return w.flush(false)
}
