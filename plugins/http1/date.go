package http1

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// stamp is what the responses of one second have in common.
type stamp struct {
	date   []byte // the Date field
	fields []byte // the Date field, and the Server field if there is one
	ok     []byte // the same behind the status line of a 200
}

// stamps keeps the present stamp. Nobody asks for the time while it is good, and
// nothing runs while nobody asks for a stamp.
type stamps struct {
	// set once
	server string

	// any goroutine
	current atomic.Pointer[stamp] // nil: its second is over

	mu sync.Mutex // held to make one
}

func (s *stamps) get() *stamp {
	if st := s.current.Load(); st != nil {
		return st
	}
	return s.renew()
}

func (s *stamps) renew() *stamp {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.current.Load(); st != nil {
		return st
	}
	now := time.Now()
	st := &stamp{fields: append([]byte("Date: "), now.UTC().Format(http.TimeFormat)...)}
	st.fields = append(st.fields, "\r\n"...)
	st.date = st.fields[:len(st.fields):len(st.fields)]
	if s.server != "" {
		st.fields = append(append(append(st.fields, "Server: "...), s.server...), "\r\n"...)
	}
	st.ok = append(append(st.ok, statusLine(http.StatusOK)...), st.fields...)
	s.current.Store(st)
	time.AfterFunc(now.Truncate(time.Second).Add(time.Second).Sub(now), func() { s.current.Store(nil) })
	return st
}

// statusLines are those of the statuses that net/http knows. It never changes.
var statusLines = func() (lines [600]string) {
	for code := range lines {
		if text := http.StatusText(code); text != "" {
			lines[code] = "HTTP/1.1 " + strconv.Itoa(code) + " " + text + "\r\n"
		}
	}
	return lines
}()

func statusLine(code int) string {
	if 0 <= code && code < len(statusLines) && statusLines[code] != "" {
		return statusLines[code]
	}
	return "HTTP/1.1 " + strconv.Itoa(code) + " status code " + strconv.Itoa(code) + "\r\n"
}
