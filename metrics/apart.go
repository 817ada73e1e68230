package metrics

import (
	"bytes"
	"net/http"
	"strconv"
)

// apart has h answer into memory, and the answer sent when h is through: what h holds
// while it answers, a place among those that may scrape, is held for no client that
// sends or reads slowly.
func apart(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuseBody(w, r) {
			return
		}
		a := answer{header: make(http.Header), status: http.StatusOK}
		h.ServeHTTP(&a, r)
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body.Bytes()) // fails when the client has gone
	})
}

// answer is a ResponseWriter that keeps what it is given.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	begun  bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.begun {
		a.status, a.begun = status, true
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.body.Write(p)
}

// refuseBody answers a request that announces a body, and reports whether it has. Nothing
// here takes one, and a server of net/http waits for it before it sends an answer, in
// the middle of the handler.
func refuseBody(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength == 0 {
		return false
	}
	w.Header().Set("Connection", "close")
	http.Error(w, "a request for metrics has no body", http.StatusRequestEntityTooLarge)
	return true
}
