package weir

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-weir/weir/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// MetricsServer serves over HTTP, at an address of its own and from Start until
// the server has stopped:
//
//   - at path, "/metrics" if it is "", the server's metrics for Prometheus,
//   - at / a page that shows them live,
//   - at /healthz and /readyz what load balancers ask for; the latter is 503
//     Service Unavailable while the server drains,
//   - at /debug/pprof/ the profiles of the Go runtime, with MetricsProfiling.
//
// The address is one as net.Listen takes it. NewServer binds it, and returns an
// error if it can't; without an address, none of this is served. The path must not be one
// of the others, nor below /live or /debug/pprof. It shows who is
// connected and asks for no password, so it is not for an open network: "localhost:9091"
// can be reached from this machine only. Requests by a name that it doesn't know are
// refused: see MetricsHosts.
//
// For a registry or a mux of one's own see metrics.NewCollector and metrics.Handler.
func MetricsServer(path, address string) Option {
	if path == "" {
		path = "/metrics"
	}
	return func(o *Options) { o.MetricsPath, o.MetricsAddress = path, address }
}

// MetricsProfiling has the MetricsServer serve /debug/pprof/, for go tool pprof.
// Recording a profile costs time, and anybody who can connect may ask for it.
func MetricsProfiling(on bool) Option { return func(o *Options) { o.MetricsProfiling = on } }

// MetricsAddr is the address of the MetricsServer; nil if there is none.
func (s *Server) MetricsAddr() net.Addr {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.listener.Addr()
}

// Collectors implements metrics.CollectorSource: the Handler and the Protocol, if
// they are prometheus.Collectors. So a Protocol that counts what it sees has its
// counts in the metrics of its server; they get the label "server".
func (s *Server) Collectors() []prometheus.Collector {
	var all []prometheus.Collector
	for _, v := range []any{s.handler, s.opts.Protocol} {
		c, ok := v.(prometheus.Collector)
		if !ok || reflect.ValueOf(c).Comparable() && slices.Contains(all, c) {
			continue // not one, or Handler and Protocol in one
		}
		all = append(all, c)
	}
	return all
}

// requestTime is how long a client of the MetricsServer may take to say what it wants,
// and replyTime to take it. What lasts longer, streams and profiles, sets times of its
// own.
const (
	requestTime = 10 * time.Second
	replyTime   = 30 * time.Second
)

// keptTime is how long its connection is kept for another request: longer than most
// scrapers wait between two.
const keptTime = 2 * time.Minute

// metricsServer is what MetricsServer asks for.
type metricsServer struct {
	// set once
	listener net.Listener
	pages    *metrics.Pages
	http     http.Server
	log      *slog.Logger

	// guarded by mu
	mu      sync.Mutex
	stopped bool           // nothing is added to running any more
	running sync.WaitGroup // the accepting goroutine, and requests
}

// serveMetrics binds the MetricsServer's address, if there is one.
func (s *Server) serveMetrics() error {
	if s.opts.MetricsAddress == "" {
		return nil
	}
	ln, err := net.Listen("tcp", s.opts.MetricsAddress)
	if err != nil {
		return fmt.Errorf("weir: MetricsServer: %w", err)
	}
	pages, err := metrics.NewPages(s.opts.MetricsPath, s.opts.MetricsProfiling, s)
	if err != nil {
		_ = ln.Close() // the other error is the one to tell
		return fmt.Errorf("weir: %w", err)
	}
	m := &metricsServer{listener: ln, pages: pages, log: s.log}
	guarded := hostsOf(&s.opts).guard(pages)
	m.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !m.enter() {
			w.Header().Set("Connection", "close")
			http.Error(w, string(metrics.Stopped), http.StatusServiceUnavailable)
			return
		}
		defer m.running.Done()
		guarded.ServeHTTP(w, r)
	})
	m.http.ReadTimeout, m.http.WriteTimeout = requestTime, replyTime
	m.http.IdleTimeout = keptTime
	m.http.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)
	s.metrics = m
	return nil
}

// start begins to answer.
func (m *metricsServer) start() {
	if m == nil || !m.enter() {
		return
	}
	go func() {
		err := m.http.Serve(m.listener)
		m.running.Done() // before the Logger is told, which may stop the server
		if !errors.Is(err, http.ErrServerClosed) {
			m.log.Error("weir: the metrics server has ended", "listener", m.listener.Addr(), "err", err)
		}
	}()
}

// enter counts one more that stop waits for, and reports whether there may be.
func (m *metricsServer) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stopped {
		m.running.Add(1)
	}
	return !m.stopped
}

// stop ends it, with the requests that are being answered. If it was not started,
// only its address is given up.
func (m *metricsServer) stop() {
	if m == nil {
		return
	}
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	m.pages.Close()
	_ = m.http.Close()     // whatever it is, there is nothing more to do
	_ = m.listener.Close() // it is closed already if start was called
	m.running.Wait()
}
