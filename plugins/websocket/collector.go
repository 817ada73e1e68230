package websocket

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// number is a metric with one value.
type number struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*Stats) float64
}

func counts(name, help string, get func(*Stats) uint64) number {
	return number{
		prometheus.NewDesc("weir_websocket_"+name, help, nil, nil), prometheus.CounterValue,
		func(st *Stats) float64 { return float64(get(st)) },
	}
}

func gauges(name, help string, get func(*Stats) int64) number {
	return number{
		prometheus.NewDesc("weir_websocket_"+name, help, nil, nil), prometheus.GaugeValue,
		func(st *Stats) float64 { return float64(get(st)) },
	}
}

// numbers are the metrics with one value.
var numbers = []number{
	gauges("connections", "Open WebSockets.", func(st *Stats) int64 { return st.Open }),
	counts("upgrades_total", "Handshakes that succeeded.", func(st *Stats) uint64 { return st.Upgraded }),

	counts("received_messages_total", "Messages handed to OnMessage.", func(st *Stats) uint64 { return st.MessagesIn }),
	counts("sent_messages_total", "Messages written, those to subscribers included.", func(st *Stats) uint64 { return st.MessagesOut }),
	counts("received_bytes_total", "Bytes of messages received, inflated.", func(st *Stats) uint64 { return st.BytesIn }),
	counts("sent_bytes_total", "Bytes of messages written, as they are sent.", func(st *Stats) uint64 { return st.BytesOut }),
	counts("inflated_messages_total", "Compressed messages received.", func(st *Stats) uint64 { return st.Compressed }),
	counts("inflated_aside_total", "Compressed messages that were inflated on a goroutine.", func(st *Stats) uint64 { return st.Aside }),
	counts("received_pings_total", "Pings received.", func(st *Stats) uint64 { return st.PingsIn }),
	counts("received_pongs_total", "Pongs received.", func(st *Stats) uint64 { return st.PongsIn }),
	counts("sent_pings_total", "Pings sent because nothing was received.", func(st *Stats) uint64 { return st.PingsOut }),
	counts("sent_controls_total", "Other control frames sent.", func(st *Stats) uint64 { return st.Controls }),

	counts("pong_timeouts_total", "Connections ended because they were silent after a ping.", func(st *Stats) uint64 { return st.PongTimeouts }),
	counts("close_timeouts_total", "Close frames that were not answered in time.", func(st *Stats) uint64 { return st.CloseTimeouts }),
	gauges("pinned_bytes", "Memory of unfinished messages.", func(st *Stats) int64 { return st.Pinned }),
	gauges("compression_bytes", "Memory that contexts of compression may take.", func(st *Stats) int64 { return st.Memory }),

	gauges("topics", "Topics with at least one subscriber.", func(st *Stats) int64 { return st.Topics }),
	counts("published_total", "Messages published to a topic.", func(st *Stats) uint64 { return st.Published }),
	gauges("publish_queued_bytes", "Published messages that are yet to be written to subscribers.", func(st *Stats) int64 { return st.Queued }),
	counts("delivered_total", "Published messages written to a subscriber.", func(st *Stats) uint64 { return st.Delivered }),
	counts("dropped_total", "Published messages not written to a subscriber that is slow.", func(st *Stats) uint64 { return st.Dropped }),
	counts("slow_subscribers_total", "Connections closed for being slow.", func(st *Stats) uint64 { return st.SlowEnded }),
}

// part is one of the values of a metric that has several.
type part struct {
	label string
	count uint64
}

// Metrics with several values, each with one label of few values.
var (
	refusedDesc = prometheus.NewDesc("weir_websocket_refused_total", "Requests that were not upgraded.", []string{"reason"}, nil)
	limitsDesc  = prometheus.NewDesc("weir_websocket_limits_total", "Times that a limit was met.", []string{"limit"}, nil)
	closedDesc  = prometheus.NewDesc("weir_websocket_closed_total", "Ended connections, by the code of the close frame.", []string{"code"}, nil)
)

func (r *RefusedStats) parts() []part {
	return []part{
		{"malformed", r.Malformed},
		{"forbidden", r.Forbidden},
		{"method", r.Method},
		{"timeout", r.Timeout},
		{"plain", r.Plain},
		{"head", r.Head},
		{"other", r.Other},
	}
}

func (l *LimitStats) parts() []part {
	return []part{
		{"message", l.Message},
		{"frames", l.Frames},
		{"inflated", l.Inflated},
		{"time", l.Time},
		{"pinned", l.Pinned},
		{"memory", l.Memory},
		{"topics", l.Topics},
		{"publish", l.Publish},
	}
}

// label is the code in a metric: peers choose among thousands, which are two here.
func label(c Code) string {
	switch {
	case c >= 4000:
		return "4xxx"
	case c >= 3000:
		return "3xxx"
	}
	return strconv.Itoa(int(c))
}

func (s *Stats) closedParts() []part {
	sums := make(map[string]uint64)
	for code, n := range s.Closed {
		sums[label(code)] += n
	}
	all := make([]part, 0, len(sums))
	for label, n := range sums {
		all = append(all, part{label, n})
	}
	return all
}

var _ prometheus.Collector = (*Protocol)(nil)

// Describe implements prometheus.Collector: the Stats are among the metrics of the
// server, as docs/metrics.md lists them. Those of a Protocol of several servers are
// the same with each.
func (p *Protocol) Describe(ch chan<- *prometheus.Desc) {
	for _, n := range numbers {
		ch <- n.desc
	}
	ch <- refusedDesc
	ch <- limitsDesc
	ch <- closedDesc
}

// Collect implements prometheus.Collector.
func (p *Protocol) Collect(ch chan<- prometheus.Metric) {
	st := p.Stats()
	for _, n := range numbers {
		ch <- prometheus.MustNewConstMetric(n.desc, n.kind, n.value(&st))
	}
	for _, m := range []struct {
		desc  *prometheus.Desc
		parts []part
	}{{refusedDesc, st.Refused.parts()}, {limitsDesc, st.Limits.parts()}, {closedDesc, st.closedParts()}} {
		for _, v := range m.parts {
			ch <- prometheus.MustNewConstMetric(m.desc, prometheus.CounterValue, float64(v.count), v.label)
		}
	}
}
