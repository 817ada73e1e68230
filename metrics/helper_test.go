package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// fixed is a source whose figures don't change, but for its state.
type fixed struct {
	mu         sync.Mutex
	stats      metrics.Stats
	collectors []prometheus.Collector
}

func (f *fixed) Stats() metrics.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

func (f *fixed) set(state metrics.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.State = state
}

func (f *fixed) Collectors() []prometheus.Collector { return f.collectors }

// twoLoops is a server of two loops with a different figure everywhere.
func twoLoops(name string) *fixed {
	loop := func(i int, n uint64) metrics.LoopStats {
		next := func() uint64 { n++; return n }
		return metrics.LoopStats{
			LoopCounters: metrics.LoopCounters{
				Loop: i, Connections: int64(next()), Accepted: next(), Opened: next(),
				Refused: metrics.RefusedStats{MaxConnections: next(), Descriptors: next(), Other: next()},
				Closed: metrics.ClosedStats{
					Peer: next(), Local: next(), Idle: next(), Expired: next(), Slow: next(),
					Size: next(), Panic: next(), Stopped: next(), System: next(), Other: next(),
				},
				BytesIn: next(), BytesOut: next(), MessagesIn: next(), MessagesOut: next(), Reads: next(), Writes: next(),
				InputBytes: int64(next()), OutputBytes: int64(next()), Pauses: next(), Paused: int64(next()),
				SlowConsumers: next(), RefusedSends: next(), Panics: next(), Stalls: next(),
				Polls: next(), Waits: next(), Events: next(), Tasks: next(), Queued: int(next()), Timers: int(next()),
			},
			Busy: time.Duration(next()) * time.Second, Waited: time.Duration(next()) * time.Second,
			Batches:     metrics.Histogram{Bounds: []float64{1, 4}, Counts: []uint64{next(), next(), 0}, Sum: float64(next())},
			Callbacks:   metrics.Histogram{Bounds: []float64{1e-6, 0.001}, Counts: []uint64{next(), next(), next()}, Sum: 0.5},
			TaskWaits:   metrics.Histogram{Bounds: []float64{1e-6, 0.001}, Counts: []uint64{next(), next(), next()}, Sum: 0.25},
			TimerDelays: metrics.Histogram{Bounds: []float64{1e-6, 0.001}, Counts: []uint64{next(), next(), next()}, Sum: 0.125},
		}
	}
	st := metrics.Stats{Name: name, State: metrics.Serving, Open: 3}
	st.Loop = -1
	st.Panics, st.Timers = 5, 7 // the server's own
	for i := range 2 {
		l := loop(i, uint64(100*i))
		st.Loops = append(st.Loops, l)
		st.Add(&l)
	}
	return &fixed{stats: st}
}

// get asks h for path.
func get(t *testing.T, h http.Handler, path string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	p, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(p)
}

// tool finds a program that a test needs, of a package of Debian. Only on a machine
// that isn't set up for all tests may it be missing; continuous integration installs it.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, err.Error()+"; Debian has it in the package "+pkg)
	}
	return path
}

// missing skips the test, but not in continuous integration.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	_, _ = os.Stderr.WriteString("SKIPPED: " + t.Name() + ": " + what + "\n") // go test hides what Skip says
	t.Skip(what)
}
