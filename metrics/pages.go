package metrics

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
)

// Pages is a handler of everything that there is to see of servers: at the path
// that it is given the metrics, at / the live page, at /healthz "ok" as long as the process
// answers, at /readyz 200 only while every source serves, and 503 before, and
// while it drains or has stopped. With profiling, /debug/pprof/ has the runtime's
// profiles.
//
// Whoever can reach it sees how much the server has to do and who its peers are,
// so it is not for an open network. That can be a page of another site, in a browser
// that can reach it, whose own name is made to lead here (DNS rebinding): a server
// option MetricsServer looks at Host for that, Pages doesn't.
//
// A request with a body is refused. Whose http.Server serves Pages sets its times: a
// ReadTimeout and a WriteTimeout, which streams and profiles, that last longer, put off.
type Pages struct {
	mux  *http.ServeMux
	live *Live
}

// NewPages makes the pages of the sources, with the metrics at a path. The live page
// asks the sources from now on, until Close. An invalid path is an error, and so
// are two sources of one name.
func NewPages(at string, profiling bool, sources ...Source) (*Pages, error) {
	if err := CheckPath(at); err != nil {
		return nil, err
	}
	scrape, err := Handler(sources...)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+at, scrape)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, sources) })
	live := NewLive(sources...)
	for _, part := range []string{"/{$}", "/live", "/live/"} {
		mux.Handle("GET "+part, live)
	}
	if profiling {
		mux.Handle("GET /debug/pprof/", profiles())
	}
	return &Pages{mux, live}, nil
}

// Close ends what the live page streams, and its goroutine. Any goroutine; again is
// nothing.
func (p *Pages) Close() { p.live.Close() }

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !refuseBody(w, r) {
		p.mux.ServeHTTP(w, r)
	}
}

// CheckPath reports why metrics can't be served at p: it is one path, and none of those
// of the other pages.
func CheckPath(p string) error {
	switch {
	case len(p) < 2 || p[0] != '/' || path.Clean(p) != p:
		return fmt.Errorf("metrics: the path %q must begin with a slash, have something other behind it, and be clean", p)
	case p == "/healthz" || p == "/readyz" || below(p, "/live") || below(p, strings.TrimSuffix(profilePath, "/")):
		return fmt.Errorf("metrics: the path %q is taken", p)
	case strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("{}?#%", r) }):
		return fmt.Errorf("metrics: the path %q has a character that is not allowed there", p)
	}
	return nil
}

// below reports whether p is dir or in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// ready answers whether to send the sources new connections.
func ready(w http.ResponseWriter, sources []Source) {
	for _, s := range sources {
		if st := s.Stats(); st.State != Serving {
			http.Error(w, string(st.State), http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = io.WriteString(w, string(Serving)+"\n")
}
