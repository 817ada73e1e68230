package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// CollectorSource is a Source that has more to tell than its Stats: metrics of
// its Handler, its Protocol, or what they are made of. NewCollector asks for it.
type CollectorSource interface {
	Source
	// Collectors are collected with the source's Stats, and get the label "server"
	// with its name, as those do. They must not have that label themselves.
	Collectors() []prometheus.Collector
}

// NewCollector makes a collector of what s counts, for a registry of one's own.
// Each scrape asks for s.Stats once; it stops no loop. Every metric has the label
// "server" with the name that s has now; so two servers of different names go
// into one registry.
func NewCollector(s Source) prometheus.Collector {
	all := group{serverCollector{s}}
	if more, ok := s.(CollectorSource); ok {
		all = append(all, more.Collectors()...)
	}
	return prometheus.WrapCollectorWith(prometheus.Labels{"server": s.Stats().Name}, all)
}

// group is several collectors that act as one.
type group []prometheus.Collector

// Describe implements prometheus.Collector.
func (g group) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range g {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (g group) Collect(ch chan<- prometheus.Metric) {
	for _, c := range g {
		c.Collect(ch)
	}
}

// serverCollector collects the Stats of one source.
type serverCollector struct{ source Source }

// Describe implements prometheus.Collector.
func (c serverCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range loopNumbers {
		ch <- d.desc
	}
	for _, d := range loopCauses {
		ch <- d.desc
	}
	for _, d := range loopHistograms {
		ch <- d.desc
	}
	for _, d := range serverNumbers {
		ch <- d.desc
	}
	ch <- stateDesc
}

// Collect implements prometheus.Collector.
func (c serverCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.source.Stats()
	for _, d := range serverNumbers {
		ch <- prometheus.MustNewConstMetric(d.desc, d.kind, d.value(&st))
	}
	for _, state := range []State{Bound, Serving, Draining, Stopped} {
		is := 0.0
		if st.State == state {
			is = 1
		}
		ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, is, string(state))
	}
	for i := range st.Loops {
		collectLoop(ch, &st.Loops[i])
	}
}

func collectLoop(ch chan<- prometheus.Metric, l *LoopStats) {
	loop := strconv.Itoa(l.Loop)
	for _, d := range loopNumbers {
		ch <- prometheus.MustNewConstMetric(d.desc, d.kind, d.value(l), loop)
	}
	for _, d := range loopCauses {
		for _, v := range d.values(l) {
			ch <- prometheus.MustNewConstMetric(d.desc, prometheus.CounterValue, float64(v.count), loop, v.name)
		}
	}
	for _, d := range loopHistograms {
		h := d.value(l)
		count, buckets := uint64(0), make(map[float64]uint64, len(h.Bounds))
		for i, bound := range h.Bounds {
			count += h.Counts[i]
			buckets[bound] = count
		}
		ch <- prometheus.MustNewConstHistogram(d.desc, h.Count(), h.Sum, buckets, loop)
	}
}
