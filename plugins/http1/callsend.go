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
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

const (
	// window is how much may be on its way to the client until the handler
	// waits.
	window = 256 << 10
	// longestWait and shortestWait bound the time until it looks again. What is
	// sent in large pieces wakes it earlier.
	shortestWait, longestWait = time.Millisecond, 50 * time.Millisecond
)

// flush sends what is there of the response; last means that it is complete.
func (w *writer) flush(last bool) error {
	const framing, statusAndOwn = 32, 512 // what may be around a chunk, and around the fields
	size := len(w.body) + framing
	if !w.headSent {
		size += len(w.fields) + statusAndOwn
	}
	out := ringbuffer.Acquire(size)[:0]
	if !w.headSent {
		out = w.appendHead(out, last)
	}
	if len(w.body) > 0 && !w.k.x.req.isHead() {
		if w.chunked {
			out = append(strconv.AppendUint(out, uint64(len(w.body)), 16), "\r\n"...)
		}
		out = append(out, w.body...)
		if w.chunked {
			out = append(out, "\r\n"...)
		}
	}
	w.body = w.body[:0]
	if last {
		if w.chunked {
			out = append(w.appendTrailer(append(out, "0\r\n"...)), "\r\n"...)
		}
		w.release()
	}
	if w.k.gap > 0 && last {
		w.k.postponed = out
		return nil
	}
	w.send(out)
	if w.err == nil && !last {
		w.err = w.await(window)
	}
	return w.err
}

// appendHead appends the head of the response.
func (w *writer) appendHead(dst []byte, last bool) []byte {
	w.headSent = true
	k := w.k
	stamps := &k.s.protocol.stamps
	dst = append(dst, statusLine(w.status)...)
	if !w.dated {
		dst = append(dst, stamps.get().date...)
	}
	if !w.served && stamps.server != "" {
		dst = appendField(dst, "Server", stamps.server)
	}
	dst = append(dst, w.fields...)
	if !w.typed && len(w.body) > 0 {
		dst = appendField(dst, "Content-Type", http.DetectContentType(w.body))
	}
	dst = w.appendFraming(dst, last)
	h := &k.x.req.Head
	w.close = w.close || w.status < 200 || !h.KeepAlive() // there is no way to speak another protocol after a 101
	if !w.close {
		switch k.rest() {
		case restStrands:
			w.close = true
		case restUnknown:
			if last { // the loop decides
				k.gap = len(dst)
			}
		}
	}
	switch {
	case w.close:
		dst = append(dst, closeLine...)
	case h.minor == 0:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// appendFraming decides how the client learns where the body ends.
func (w *writer) appendFraming(dst []byte, last bool) []byte {
	h := &w.k.x.req.Head
	allowed := bodyAllowed(w.status)
	if allowed && w.length < 0 && last && !w.hasTrailer() && (!h.isHead() || w.written > 0) {
		w.length = w.written
	}
	switch {
	case w.status < 200 || w.status == http.StatusNoContent:
	case w.length >= 0:
		dst = strconv.AppendInt(append(dst, "Content-Length: "...), w.length, 10)
		dst = append(dst, "\r\n"...)
	case h.isHead() || !allowed:
	case h.minor == 0:
		w.close = true
	default:
		w.chunked = true
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	return dst
}

// rest is what is left of a request's body when the response begins.
type rest uint8

const (
	restSkipped rest = iota // so little that it can be thrown away, or nothing
	restStrands             // so much that the connection can't be used again
	restUnknown             // either, as the body is chunked; once the response has begun, all of it is skipped
)

// rest looks at what is left of the body. No 100 is sent from now on.
func (k *call) rest() rest {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case errors.Is(k.inputErr, io.EOF):
		return restSkipped
	case k.inputErr != nil, k.expected, k.left > maxDiscard:
		k.expected = false
		return restStrands
	case k.left < 0:
		return restUnknown
	}
	return restSkipped
}

// hasTrailer reports whether fields are to follow the body.
func (w *writer) hasTrailer() bool {
	if len(w.announced) > 0 {
		return true
	}
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// appendTrailer appends the fields behind the body: those that the header has
// announced, and those that begin with http.TrailerPrefix.
func (w *writer) appendTrailer(dst []byte) []byte {
	add := func(name string, values []string) {
		if !isTokenString(name) || framesMessage([]byte(name)) {
			return
		}
		for _, v := range values {
			dst = appendField(dst, name, textproto.TrimString(v))
		}
	}
	for _, name := range w.announced {
		add(name, w.header[name])
	}
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		if bare, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			add(bare, w.header[name])
		}
	}
	return dst
}

// finish sends what is left when the handler has returned.
func (w *writer) finish() {
	if w.finished {
		return
	}
	var failed *Error
	if w.status == 0 && errors.As(w.k.failure(), &failed) {
		w.fail(failed)
		return
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.finished = true
	if w.length >= 0 && w.written != w.length && bodyAllowed(w.status) && !w.k.x.req.isHead() {
		w.close = true // or the client would take the next response for the rest
	}
	_ = w.flush(true) // nobody is left to be told
}

// delimited reports whether the client can tell a response that is cut short from a
// whole one: not, if it has begun and only the end of the stream ends it.
func (w *writer) delimited() bool {
	return !w.headSent || w.chunked || w.length >= 0 || !bodyAllowed(w.status) || w.k.x.req.isHead()
}

// fail answers with an error, if nothing was sent yet. The connection has to be
// closed.
func (w *writer) fail(err *Error) {
	w.close = true
	if w.headSent {
		w.finished = true
		w.release()
		return
	}
	w.body = w.body[:0]
	w.header = http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	w.status, w.written, w.dated, w.served = 0, 0, false, false
	w.WriteHeader(err.Status)
	_, _ = w.WriteString(err.text()) // goes to the buffer
	w.finished = true
	_ = w.flush(true) // nobody is left to be told
}

// release gives the buffer back.
func (w *writer) release() {
	ringbuffer.Recycle(w.body)
	w.body = nil
}

// send queues out, which is the server's from now on.
func (w *writer) send(out []byte) {
	if len(out) == 0 || w.err != nil {
		ringbuffer.Recycle(out)
		return
	}
	if w.drained == nil {
		drained := make(chan struct{}, 1)
		w.drained, w.sent = drained, weir.SendInLoop(func(out any) {
			ringbuffer.Recycle(out.([]byte))
			select {
			case drained <- struct{}{}:
			default:
			}
		})
	}
	err := w.k.c.Send(out, w.sent)
	if errors.Is(err, weir.ErrWriteBufferFull) { // the server allows less than the window
		if err = w.await(0); err == nil {
			err = w.k.c.Send(out, w.sent)
		}
	}
	if err != nil {
		w.err = err
		w.k.c.CloseWithError(weir.ErrSlowConsumer) // or the next response would follow half of this one
		ringbuffer.Recycle(out)
	}
}

// await waits while the client has more than most bytes to read. One that reads nothing
// is the connection's to notice.
func (w *writer) await(most int64) error {
	k := w.k
	pending := k.c.WriteBufferLength()
	if pending <= most {
		return nil
	}
	wait := shortestWait
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for ; pending > most; pending = k.c.WriteBufferLength() {
		select {
		case <-k.gone:
			return weir.ErrConnectionClosed
		case <-w.drained:
		case <-timer.C:
			wait = min(2*wait, longestWait)
			timer.Reset(wait)
		}
	}
	return nil
}
