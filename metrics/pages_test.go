package metrics_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-weir/weir/metrics"
)

func TestPages(t *testing.T) {
	source := twoLoops("chat")
	pages := func(profiling bool) http.Handler {
		p, err := metrics.NewPages("/prometheus", profiling, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p
	}
	plain, profiling := pages(false), pages(true)
	for _, tt := range []struct {
		path      string
		plain     int
		profiling int
		contains  string // by the answer of profiling
	}{
		{"/prometheus", 200, 200, `weir_connections{loop="0",server="chat"} 1`},
		{"/prometheus", 200, 200, "go_goroutines"},
		{"/prometheus", 200, 200, "process_open_fds"},
		{"/", 200, 200, "<title>weir</title>"},
		{"/live/main.js", 200, 200, "import"},
		{"/metrics", 404, 404, ""},
		{"/healthz", 200, 200, "ok"},
		{"/readyz", 200, 200, "serving"},
		{"/nothing", 404, 404, ""},
		{"/debug/pprof/", 404, 200, "goroutine"},
		{"/debug/pprof/cmdline", 404, 200, "metrics"},
		{"/debug/pprof/goroutine?debug=1", 404, 200, "goroutine profile"},
		{"/debug/pprof/heap", 404, 200, "\x1f\x8b"},
		{"/debug/pprof/trace?seconds=0.01", 404, 200, "trace"},
		{"/debug/pprof/profile?seconds=0.01", 404, 200, "\x1f\x8b"},
		{"/debug/pprof/profile?seconds=x", 404, 400, "seconds"},
		{"/debug/pprof/profile?seconds=-1", 404, 400, "seconds"},
		{"/debug/pprof/profile?seconds=1e9", 404, 400, "seconds"},
		{"/debug/pprof/profile?seconds=NaN", 404, 400, "seconds"},
		{"/debug/pprof/nothing", 404, 404, ""},
	} {
		if status, _ := get(t, plain, tt.path); status != tt.plain {
			t.Errorf("%s: status %d, want %d", tt.path, status, tt.plain)
		}
		status, body := get(t, profiling, tt.path)
		if status != tt.profiling || !strings.Contains(body, tt.contains) {
			t.Errorf("%s with profiling: status %d, want %d, with %q in it:\n%.500s", tt.path, status, tt.profiling, tt.contains, body)
		}
	}
	for state, want := range map[metrics.State]int{
		metrics.Bound: 503, metrics.Serving: 200, metrics.Draining: 503, metrics.Stopped: 503,
	} {
		source.set(state)
		if status, body := get(t, plain, "/readyz"); status != want || !strings.Contains(body, string(state)) {
			t.Errorf("/readyz while %s: %d %q", state, status, body)
		}
		if status, _ := get(t, plain, "/healthz"); status != 200 {
			t.Errorf("/healthz while %s: %d", state, status)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, path := range []string{"/metrics", "/a/b", "/livestock", "/debug", "/debug/vars", "/healthz/x"} {
		if err := metrics.CheckPath(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		p, err := metrics.NewPages(path, true, twoLoops("chat"))
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		p.Close()
	}
	for _, path := range []string{
		"", "/", "metrics", "/healthz", "/readyz", "/live", "/live/", "/live/x", "/debug/pprof", "/debug/pprof/", "/debug/pprof/x",
		"//", "///", "/metrics/", "/metrics//", "/readyz/", "/healthz/", "/.", "/..", "/./", "/a/.", "/{x}", "/a b", "/a%20b", "/a?b", "/a//b", "/a/../b",
	} {
		if _, err := metrics.NewPages(path, true, twoLoops("chat")); err == nil {
			t.Errorf("%q is no error", path)
		}
	}
}
