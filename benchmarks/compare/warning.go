package compare

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/workloads"
)

const (
	// unsteady is the relative spread from which on a figure is not to be relied on.
	unsteady = .10
	// saturated is how busy a processor is that can't do more.
	saturated = .95
	// disturbed is the share of the processors' time that others may use.
	disturbed = .05
	// late is how late one message in a hundred may be sent in an open loop.
	late = time.Millisecond
)

// Warnings are the reasons not to believe the figures of a case.
func (d *Data) Warnings(c *Case, f workloads.Figure) []string {
	var ws, wide []string
	for _, server := range c.Servers() {
		if s := c.Of(server, f); s.N > 1 && s.Relative() > unsteady {
			wide = append(wide, fmt.Sprintf("%s (%.0f %%)", server, 100*s.Relative()))
		}
	}
	if len(wide) > 0 {
		ws = append(ws, fmt.Sprintf("The rounds differ by more than %.0f %%, and ratios closer than that mean nothing: %s.",
			100*unsteady, strings.Join(wide, ", ")))
	}
	for _, w := range []struct {
		text string
		when func(*load.Result) bool
	}{
		{"The client was the limit, the server can do more", d.generatorBound},
		{"Other processes used the same processors", d.Disturbed},
		{"The load generator could not keep to its times", func(r *load.Result) bool { return r.Lag.P99 > late }},
	} {
		if in := c.mostly(w.when); len(in) > 0 {
			ws = append(ws, fmt.Sprintf("%s: %s.", w.text, strings.Join(in, ", ")))
		}
	}
	for _, server := range c.Servers() {
		if errs := c.Errors(server); len(errs) > 0 {
			ws = append(ws, fmt.Sprintf("%s failed in %d of %d rounds: %s.", server, len(errs), len(c.results(server)), errs[0]))
		}
	}
	return ws
}

// mostly are the servers for which something is so in at least half of the rounds.
func (c *Case) mostly(so func(*load.Result) bool) []string {
	var names []string
	for _, server := range c.Servers() {
		rs, n := c.results(server), 0
		for _, r := range rs {
			if r != nil && so(r) {
				n++
			}
		}
		if n > 0 && 2*n >= len(rs) {
			names = append(names, server)
		}
	}
	return names
}

// Disturbance is a sentence if other processes had their part in the whole comparison.
func (d *Data) Disturbance() []string {
	all, n := 0, 0
	for _, c := range d.Cases {
		for _, s := range c.Samples {
			if s.Result == nil {
				continue
			}
			all++
			if d.Disturbed(s.Result) {
				n++
			}
		}
	}
	if 10*n <= all {
		return nil
	}
	return []string{fmt.Sprintf("In %d of %d measurements other processes used more than %.0f %% of the same processors: "+
		"repeat this on a quiet machine.", n, all, 100*disturbed)}
}

// generatorBound reports that the load had no time left and the server had. Where the load looks all the time for what
// there is to do, that means nothing; the open loop has its lag.
func (d *Data) generatorBound(r *load.Result) bool {
	if r.Watchful || r.Lag.Samples > 0 || r.ServerCPU == 0 {
		return false
	}
	return busy(r.LoadCPU, r, 1) > saturated && busy(r.ServerCPU, r, len(d.ServerCPUs)) < saturated
}

// Disturbed reports that other processes used the same processors.
func (d *Data) Disturbed(r *load.Result) bool {
	return busy(r.Others, r, len(d.ServerCPUs)+len(d.LoadCPUs)) > disturbed
}

// busy is how much of the processors' time was used.
func busy(used time.Duration, r *load.Result, cpus int) float64 {
	return float64(used) / math.Max(1, float64(r.Elapsed)*float64(cpus))
}
