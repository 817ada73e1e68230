package metrics

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapes is how many scrapes Handler answers at one time; others get 503
// Service Unavailable.
const scrapes = 8

// Handler makes a handler for scrapes: the metrics of the sources, of the Go
// runtime and of the process, in Prometheus's text format. It is for a mux of one's
// own; a server's MetricsServer option has it already. It has a registry of its
// own, and leaves prometheus's global one alone. A request with a body is refused. Two
// sources of one name are an error.
func Handler(sources ...Source) (http.Handler, error) {
	r := prometheus.NewRegistry()
	all := []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	for _, s := range sources {
		all = append(all, NewCollector(s))
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return apart(promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes})), nil
}
