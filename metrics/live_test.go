package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/go-weir/weir/metrics"
)

// TestLiveAssets: the page and all that it is made of are there, with their
// types, and nothing is asked of another server.
func TestLiveAssets(t *testing.T) {
	l := metrics.NewLive()
	defer l.Close()
	reference := regexp.MustCompile(`(?:href="|src="|from ')(?:\./)?([\w./]+)(?:#\w+)?['"]`)
	wait, seen := []string{"/"}, map[string]bool{"/": true}
	for len(wait) > 0 {
		name := wait[0]
		wait = wait[1:]
		w := ask(l, name)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", name, w.Code)
			continue
		}
		want := map[string]string{
			"": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
			".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		}[path.Ext(name)]
		if got := w.Header().Get("Content-Type"); got != want {
			t.Errorf("%s: Content-Type %q, want %q", name, got, want)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'self';") {
			t.Errorf("%s: the policy lets it ask other servers", name)
		}
		body := w.Body.String()
		if i := strings.Index(strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""), "//w"); i >= 0 {
			t.Errorf("%s names another server", name)
		}
		for _, m := range reference.FindAllStringSubmatch(body, -1) {
			next := path.Join(path.Dir(name), m[1])
			if !seen[next] {
				seen[next] = true
				wait = append(wait, next)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("the page refers to %d files only: %v", len(seen), seen)
	}
}

func TestLiveStatus(t *testing.T) {
	l := metrics.NewLive()
	defer l.Close()
	for _, c := range []struct {
		method, path, header string
		want                 int
	}{
		{"GET", "/nothing", "", http.StatusNotFound},
		{"GET", "/live/", "", http.StatusNotFound},
		{"GET", "/live/index.html", "", http.StatusNotFound},
		{"GET", "/live/browsertest/package.json", "", http.StatusNotFound},
		{"POST", "/", "", http.StatusMethodNotAllowed},
		{"DELETE", "/live", "", http.StatusMethodNotAllowed},
		{"GET", "/live", "Sec-Fetch-Site: cross-site", http.StatusForbidden},
		{"GET", "/live", "", http.StatusInternalServerError}, // a recorder takes no deadline
		{"HEAD", "/", "", http.StatusOK},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s %s: status %d, want %d", c.method, c.path, c.header, w.Code, c.want)
		}
	}
}

// TestLiveCache: what the browser has is not sent again.
func TestLiveCache(t *testing.T) {
	l := metrics.NewLive()
	defer l.Close()
	r := httptest.NewRequest("GET", "/live/main.js", nil)
	r.Header.Set("If-None-Match", ask(l, "/live/main.js").Header().Get("ETag"))
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified {
		t.Errorf("status %d, want 304", w.Code)
	}
}

func ask(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}
