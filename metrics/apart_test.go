package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-weir/weir/metrics"
)

// stuck is a client that takes nothing until it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	writing chan<- struct{}
	free    <-chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	s.writing <- struct{}{}
	<-s.free
	return s.ResponseRecorder.Write(p)
}

// TestSlowScrapes: clients that don't read what they have asked for take nobody's place.
func TestSlowScrapes(t *testing.T) {
	h, err := metrics.Handler(twoLoops("chat"))
	if err != nil {
		t.Fatal(err)
	}
	writing, free, done := make(chan struct{}), make(chan struct{}), make(chan *stuck)
	const clients = 20
	for range clients {
		go func() {
			s := &stuck{httptest.NewRecorder(), writing, free}
			h.ServeHTTP(s, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			done <- s
		}()
		<-writing // one after the other: only so many may scrape at a time
	}
	if status, body := get(t, h, "/metrics"); status != http.StatusOK || !strings.Contains(body, "weir_connections") {
		t.Errorf("while %d don't read, another one gets %d %.100q", clients, status, body)
	}
	close(free)
	for range clients {
		if s := <-done; s.Code != http.StatusOK || !strings.Contains(s.Body.String(), "weir_connections") || s.Header().Get("Content-Type") == "" {
			t.Errorf("one that waited got %d %.100q", s.Code, s.Body)
		}
	}
}

// TestBodyRefused: nothing takes a body, whatever is in front of it.
func TestBodyRefused(t *testing.T) {
	source := twoLoops("chat")
	scrape, err := metrics.Handler(source)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := metrics.NewPages("/metrics", true, source)
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	live := metrics.NewLive(source)
	defer live.Close()
	for name, h := range map[string]http.Handler{"Handler": scrape, "Pages": pages, "Live": live} {
		for _, path := range []string{"/", "/live", "/metrics", "/debug/pprof/profile"} {
			r := httptest.NewRequest(http.MethodGet, path, strings.NewReader("x"))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusRequestEntityTooLarge || w.Header().Get("Connection") != "close" {
				t.Errorf("%s, %s: status %d, %v", name, path, w.Code, w.Header())
			}
		}
	}
}
