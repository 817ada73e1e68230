package metrics

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

const (
	maxViewers   = 16              // streams at a time
	viewerQueue  = 4               // samples that may wait for a viewer
	viewerWrites = 5 * time.Second // time that one write may take
)

// viewer is an open stream.
type viewer struct {
	samples chan []byte // events, shared by all viewers; closed when it is dropped
}

// stream sends the history, and then samples as they come.
func (l *Live) stream(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		http.Error(w, "another site's page may not open this stream", http.StatusForbidden)
		return
	}
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Now().Add(viewerWrites)); err != nil {
		http.Error(w, "streaming: "+err.Error(), http.StatusInternalServerError)
		return
	}
	v, history := l.join()
	if v == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many viewers, or the server has ended", http.StatusServiceUnavailable)
		return
	}
	defer l.leave(v)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")     // it ends with its write deadline set
	h.Set("X-Accel-Buffering", "no") // nginx would collect
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead {
		return
	}
	event := liveHistory{Samples: history}
	for data, ok := event.encode(), true; ok; {
		if rc.SetWriteDeadline(time.Now().Add(viewerWrites)) != nil {
			return
		}
		if _, err := w.Write(data); err != nil {
			return
		}
		if rc.Flush() != nil {
			return
		}
		select {
		case data, ok = <-v.samples:
		case <-r.Context().Done():
			return
		}
	}
}

// join adds a viewer and returns what it has missed; nil if there is no place.
func (l *Live) join() (*viewer, []liveSample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.viewers) >= maxViewers {
		return nil, nil
	}
	v := &viewer{samples: make(chan []byte, viewerQueue)}
	l.viewers[v] = struct{}{}
	return v, slices.Clone(l.history)
}

func (l *Live) leave(v *viewer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(v)
}

// drop ends a viewer's stream. The caller holds mu.
func (l *Live) drop(v *viewer) {
	if _, ok := l.viewers[v]; ok {
		delete(l.viewers, v)
		close(v.samples)
	}
}

// watched tells whether there is a viewer.
func (l *Live) watched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.viewers) > 0
}

// publish keeps a sample and passes it on to all viewers. One that has not taken
// the last few is not waited for: it is dropped, and its page asks anew when it
// finds the time.
func (l *Live) publish(s liveSample) {
	event := s.encode()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remember(s)
	for v := range l.viewers {
		select {
		case v.samples <- event:
		default:
			l.drop(v)
		}
	}
}

// encode makes an event of it.
func (h liveHistory) encode() []byte { return appendEvent("event: history\n", h) }

func (s liveSample) encode() []byte { return appendEvent("", s) }

func appendEvent(head string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("metrics: " + err.Error()) // neither cycles nor NaN are in it
	}
	event := make([]byte, 0, len(head)+len("data: \n\n")+len(data))
	event = append(append(event, head...), "data: "...)
	return append(append(event, data...), "\n\n"...)
}
