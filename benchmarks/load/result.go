package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run has found out.
type Result struct {
	Messages uint64        // answered, or taken in by the server
	Bytes    uint64        // received
	Elapsed  time.Duration // the measurement

	RTT        Quantiles // of answers: from the batch's first byte sent (Closed), from when it was due (Open, Push)
	Lag        Quantiles // Open: by how much messages were sent late
	Unanswered int       // Open: messages without an answer a second after the end

	ServerCPU time.Duration // that the server used during the measurement
	LoadCPU   time.Duration // that the load used
	Watchful  bool          // the load looked for answers all the time: what it used says nothing
	Others    time.Duration // that other processes used of the same processors, measured in ticks of 10 ms
	RSSBefore int64         // of the server, before it had a connection; bytes
	RSS       int64         // of the server, at the end, with all connections open; bytes
}

// Quantiles of a distribution of times.
type Quantiles struct {
	Samples                             int64
	P50, P90, P99, P999, P9999, Maximum time.Duration
}

// Rate is the messages in a second.
func (r *Result) Rate() float64 { return float64(r.Messages) / r.Elapsed.Seconds() }

// quantiles of a histogram of nanoseconds.
func quantiles(h *hdrhistogram.Histogram) Quantiles {
	at := func(q float64) time.Duration { return time.Duration(h.ValueAtQuantile(q)) }
	return Quantiles{
		Samples: h.TotalCount(),
		P50:     at(50), P90: at(90), P99: at(99), P999: at(99.9), P9999: at(99.99),
		Maximum: time.Duration(h.Max()),
	}
}

// newHistogram takes nanoseconds, to three significant digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 3)
}
