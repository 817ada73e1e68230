package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir/metrics"
)

// script is a server whose counts are as a test wants them: a function of how
// often it was asked.
type script struct {
	stats       func(asked int) metrics.Stats
	connections func(walked int) iter.Seq[metrics.ConnectionStats]

	mu            sync.Mutex
	asked, walked int
}

func (s *script) Stats() metrics.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.stats(s.asked)
}

func (s *script) ConnectionStats() iter.Seq[metrics.ConnectionStats] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.walked++
	if s.connections == nil {
		return func(func(metrics.ConnectionStats) bool) {}
	}
	return s.connections(s.walked)
}

func (s *script) counts() (asked, walked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.walked
}

// plain is a server of one loop that counts how often it was asked.
func plain() *script {
	return &script{stats: func(asked int) metrics.Stats {
		st := metrics.Stats{Name: "plain", State: metrics.Serving, Loops: make([]metrics.LoopStats, 1)}
		st.Loops[0].MessagesIn = uint64(asked)
		return st
	}}
}

// connection is what a script tells of its connection number n.
func connection(n int, slowest time.Duration, output, input int64) metrics.ConnectionStats {
	return metrics.ConnectionStats{
		ID: uint64(n), Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(n)),
		SlowestCallback: slowest, Output: output, Input: input,
	}
}

// watcher is a viewer without a network: what a stream writes ends up here. It
// works inside a testing/synctest bubble.
type watcher struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when the handler has returned

	mu       sync.Mutex
	header   http.Header
	code     int
	got      bytes.Buffer
	deadline time.Time
	stalled  chan struct{} // if not nil, a Write waits for it to be closed, or for the deadline
}

// watch opens the stream until the test ends.
func watch(t *testing.T, h http.Handler) *watcher {
	w := &watcher{header: make(http.Header), code: http.StatusOK}
	w.open(t, h)
	return w
}

func (w *watcher) open(t *testing.T, h http.Handler) {
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel, w.ended = cancel, make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, "GET", "/live", nil)
	go func() {
		defer close(w.ended)
		h.ServeHTTP(w, r)
	}()
}

func (w *watcher) Header() http.Header { return w.header }

func (w *watcher) WriteHeader(code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.code = code
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	stalled, deadline := w.stalled, w.deadline
	w.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-time.After(time.Until(deadline)):
			return 0, os.ErrDeadlineExceeded
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.Write(p)
}

func (w *watcher) FlushError() error { return nil }

func (w *watcher) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return nil
}

func (w *watcher) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.String()
}

func (w *watcher) status() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.code
}

// messages are the counts of messages in the samples that came, those of the
// history first: what plain counts.
func (w *watcher) messages(t *testing.T) (history, samples []uint64) {
	t.Helper()
	type sample struct {
		Servers []struct {
			Loops []struct {
				Messages uint64 `json:"messages_in"`
			}
		}
	}
	for event := range strings.SplitSeq(strings.TrimSuffix(w.text(), "\n\n"), "\n\n") {
		var one sample
		if data, ok := strings.CutPrefix(event, "event: history\ndata: "); ok {
			var h struct{ Samples []sample }
			if err := json.Unmarshal([]byte(data), &h); err != nil {
				t.Fatal(err)
			}
			for _, s := range h.Samples {
				history = append(history, s.Servers[0].Loops[0].Messages)
			}
			continue
		}
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok {
			t.Fatalf("not an event: %q", event)
		}
		if err := json.Unmarshal([]byte(data), &one); err != nil {
			t.Fatal(err)
		}
		samples = append(samples, one.Servers[0].Loops[0].Messages)
	}
	return history, samples
}
