package metrics

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"sync"
	"time"
)

//go:embed live/*.html live/*.css live/*.js live/*.svg
var liveFiles embed.FS

// Live is a page that shows what servers do while they do it, as an
// http.Handler: the page at /, its parts below /live/, and at /live the samples
// that it draws, one per second, as server-sent events. The page asks for nothing
// from elsewhere, and finds its parts relative to itself, so that a prefix can be
// put before it: http.Handle("/weir/", http.StripPrefix("/weir", live)).
//
// One goroutine asks the sources, once per second for all viewers together, and
// keeps the last minutes, so that the page has something to show when it opens.
// Single connections are looked through while there are viewers only.
//
// The page names the addresses of peers. Whoever can reach it can read them: it
// belongs where the Prometheus endpoint is, not on the open network.
type Live struct {
	// set once
	sources []Source
	assets  map[string]asset // by path
	done    chan struct{}    // closed by Close
	stopped chan struct{}    // closed when the goroutine has returned

	// the goroutine's own
	before map[Source]Stats
	worst  worst

	// guarded by mu
	mu      sync.Mutex
	closed  bool
	viewers map[*viewer]struct{}
	history []liveSample // ascending; a sample is not changed any more
}

// NewLive makes the page of these servers, which it asks from now on, until
// Close.
func NewLive(sources ...Source) *Live {
	l := &Live{
		sources: sources,
		assets:  liveAssets(),
		done:    make(chan struct{}),
		stopped: make(chan struct{}),
		before:  make(map[Source]Stats),
		viewers: make(map[*viewer]struct{}),
	}
	go l.run()
	return l
}

// Close ends all streams and the goroutine that samples, and returns when that
// has. The page itself is still served; it says that it has lost the server. Any
// goroutine; idempotent.
func (l *Live) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
		for v := range l.viewers {
			l.drop(v)
		}
	}
	l.mu.Unlock()
	<-l.stopped
}

// ServeHTTP serves the page, its parts and the stream. A stream ends with its
// request, when its reader is too slow, and with Close. The ResponseWriter of a
// stream must be able to flush and to take a write deadline, as those of net/http
// are; wrapped ones say so with Unwrap.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuseBody(w, r) {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page is for reading", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/live" {
		l.stream(w, r)
		return
	}
	a, ok := l.assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	a.serve(w, r)
}

// asset is a file of the page.
type asset struct {
	name string
	body []byte
	tag  string
}

// liveAssets are the files of the page by their paths.
func liveAssets() map[string]asset {
	assets := make(map[string]asset)
	names, _ := fs.Glob(liveFiles, "live/*") // the pattern is well-formed, and an embedded directory can be read
	for _, name := range names {
		body, err := liveFiles.ReadFile(name)
		if err != nil {
			continue // a directory
		}
		sum := sha256.Sum256(body)
		a := asset{name: name, body: body, tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		if name == "live/index.html" {
			assets["/"] = a
		} else {
			assets["/"+name] = a
		}
	}
	return assets
}

// serve sends the file. The policy keeps the page to what its own server has.
func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch path.Ext(a.name) {
	case ".html":
		h.Set("Content-Type", "text/html; charset=utf-8")
	case ".css":
		h.Set("Content-Type", "text/css; charset=utf-8")
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".svg":
		h.Set("Content-Type", "image/svg+xml")
	}
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // asked for again after an update, which the tag makes cheap
	h.Set("ETag", a.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}
