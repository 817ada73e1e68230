package workloads

import (
	"math"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
)

// Figure is one thing that a run has measured.
type Figure struct {
	Name string
	Unit string
	// Less says that the smaller figure is the better one.
	Less bool
	// Of takes it from a result, in Unit; NaN if the run was too short to know.
	Of func(r *load.Result, conns int) float64
}

func rate() Figure {
	return Figure{Name: "messages", Unit: "/s", Of: func(r *load.Result, _ int) float64 { return r.Rate() }}
}

func cpuPerMessage() Figure {
	return Figure{Name: "CPU", Unit: "ns/msg", Less: true, Of: func(r *load.Result, _ int) float64 {
		if r.Messages == 0 {
			return math.NaN()
		}
		return float64(r.ServerCPU) / float64(r.Messages)
	}}
}

// requestRate and cpuPerRequest are the same where messages are called requests.
func requestRate() Figure {
	f := rate()
	f.Name = "requests"
	return f
}

func cpuPerRequest() Figure {
	f := cpuPerMessage()
	f.Unit = "ns/req"
	return f
}

func rss() Figure {
	return Figure{Name: "RSS", Unit: "MiB", Less: true, Of: func(r *load.Result, _ int) float64 {
		return float64(r.RSS) / (1 << 20)
	}}
}

func perConnection() Figure {
	return Figure{Name: "memory", Unit: "B/conn", Less: true, Of: func(r *load.Result, conns int) float64 {
		return float64(max(0, r.RSS-r.RSSBefore)) / float64(conns)
	}}
}

// quantile is one of the times of answers, in microseconds. It is known if there are at least ten answers beyond it.
func quantile(name string, q float64, of func(*load.Quantiles) time.Duration) Figure {
	return Figure{Name: name, Unit: "µs", Less: true, Of: func(r *load.Result, _ int) float64 {
		if float64(r.RTT.Samples)*(1-q) < 10 {
			return math.NaN()
		}
		return float64(of(&r.RTT)) / float64(time.Microsecond)
	}}
}

func p50() Figure {
	return quantile("p50", .5, func(q *load.Quantiles) time.Duration { return q.P50 })
}

func p99() Figure {
	return quantile("p99", .99, func(q *load.Quantiles) time.Duration { return q.P99 })
}

func p999() Figure {
	return quantile("p99.9", .999, func(q *load.Quantiles) time.Duration { return q.P999 })
}

func p9999() Figure {
	return quantile("p99.99", .9999, func(q *load.Quantiles) time.Duration { return q.P9999 })
}

// unanswered is the share of messages without an answer, in per cent.
func unanswered() Figure {
	return Figure{Name: "unanswered", Unit: "%", Less: true, Of: func(r *load.Result, _ int) float64 {
		return 100 * float64(r.Unanswered) / float64(max(1, r.RTT.Samples))
	}}
}
