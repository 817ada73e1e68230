package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"
)

const (
	profilePath = "/debug/pprof/"
	// longestProfile bounds what one request can have recorded.
	longestProfile = 5 * time.Minute
	// profileWrites is how long a client may take to receive one, once it is recorded.
	profileWrites = time.Minute
)

// profiles serves what go tool pprof and go tool trace ask for. It is not
// net/http/pprof: whoever imports that has the same pages on the default mux,
// asked for or not.
func profiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch name := strings.TrimPrefix(r.URL.Path, profilePath); name {
		case "":
			listProfiles(w)
		case "cmdline":
			_, _ = io.WriteString(w, strings.Join(os.Args, "\x00"))
		case "profile":
			record(w, r, 30*time.Second, pprof.StartCPUProfile, pprof.StopCPUProfile)
		case "trace":
			record(w, r, time.Second, trace.Start, trace.Stop)
		default:
			writeProfile(w, r, name)
		}
	})
}

// listProfiles is the page that leads to all of them.
func listProfiles(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>Profiles</title><ul>\n")
	for _, p := range pprof.Profiles() {
		_, _ = fmt.Fprintf(w, "<li><a href=\"%s%s?debug=1\">%s</a> %d\n", profilePath, p.Name(), p.Name(), p.Count())
	}
	_, _ = io.WriteString(w, `<li><a href="/debug/pprof/profile?seconds=30">profile</a> 30 s of CPU time
<li><a href="/debug/pprof/trace?seconds=1">trace</a> 1 s
</ul>
`)
}

// record has something written for the time that the request asks for, or
// until its client goes.
func record(w http.ResponseWriter, r *http.Request, usual time.Duration, start func(io.Writer) error, stop func()) {
	d := usual
	if v := r.FormValue("seconds"); v != "" {
		seconds, err := strconv.ParseFloat(v, 64)
		if d = time.Duration(seconds * float64(time.Second)); err != nil || d <= 0 || d > longestProfile {
			http.Error(w, fmt.Sprintf("seconds=%q: want more than 0 and at most %v", v, longestProfile.Seconds()), http.StatusBadRequest)
			return
		}
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d + profileWrites)) // where there is one
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(w); err != nil { // somebody else is at it
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	defer stop()
	<-ctx.Done()
}

// writeProfile writes one of the runtime's profiles: as text with debug=1 or
// debug=2, else for go tool pprof.
func writeProfile(w http.ResponseWriter, r *http.Request, name string) {
	p := pprof.Lookup(name)
	if p == nil {
		http.NotFound(w, r)
		return
	}
	debug, _ := strconv.Atoi(r.FormValue("debug")) // 0 if it is none
	w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = p.WriteTo(w, debug) // fails when the client has gone
}
