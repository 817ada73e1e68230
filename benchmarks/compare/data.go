package compare

import (
	"math"
	"slices"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/machine"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// Data is a whole comparison, as it is stored.
type Data struct {
	Date       time.Time
	Command    string
	Machine    machine.Machine
	ServerCPUs []int
	LoadCPUs   []int
	Rounds     int
	Repeats    int // how often a measurement that others disturbed was repeated at most
	Warmup     time.Duration
	Duration   time.Duration
	Servers    []Contestant
	Clients    []string // of others that made the load, with their versions
	Cases      []*Case
	Remarks    []string // what else a reader has to know
}

// Contestant is a server that took part.
type Contestant struct {
	Name    string
	Module  string
	Version string
	Setup   string
}

// The names of two contestants that the others are compared with.
const (
	Weir  = "weir"
	Floor = "floor"
)

// Case is one size of a workload, and what was measured of it.
type Case struct {
	Workload string
	Name     string
	Conns    int
	Pipeline int     // messages in a batch of a connection; 0: there are no batches
	Rate     float64 // offered, messages a second; 0: a closed loop
	Samples  []Sample
}

// Sample is one server in one round.
type Sample struct {
	Server string
	Round  int
	Result *load.Result `json:",omitempty"`
	Error  string       `json:",omitempty"`
}

// results are those of one server, one for each round; nil where there is none.
func (c *Case) results(server string) []*load.Result {
	var rs []*load.Result
	for i := range c.Samples {
		s := &c.Samples[i]
		if s.Server != server {
			continue
		}
		for len(rs) <= s.Round {
			rs = append(rs, nil)
		}
		rs[s.Round] = s.Result
	}
	return rs
}

// Of is what the rounds say about a figure of one server.
func (c *Case) Of(server string, f workloads.Figure) Spread {
	return Summarize(c.values(server, f))
}

// values has one value for each round, NaN where there is none.
func (c *Case) values(server string, f workloads.Figure) []float64 {
	var vs []float64
	for _, r := range c.results(server) {
		v := math.NaN()
		if r != nil {
			v = f.Of(r, c.Conns)
		}
		vs = append(vs, v)
	}
	return vs
}

// Ratio is how many times better a is than b: the ratio of their figures in each round, as what disturbs a round disturbs
// both. Over 1 is better for a, whichever way the figure counts.
func (c *Case) Ratio(a, b string, f workloads.Figure) Spread {
	as, bs := c.values(a, f), c.values(b, f)
	var ratios []float64
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		if f.Less {
			x, y = y, x
		}
		if y > 0 {
			ratios = append(ratios, x/y)
		}
	}
	return Summarize(ratios)
}

// Servers are those that took part in the case, in the order in which they first did.
func (c *Case) Servers() []string {
	var names []string
	for _, s := range c.Samples {
		if !slices.Contains(names, s.Server) {
			names = append(names, s.Server)
		}
	}
	return names
}

// Errors are what went wrong with one server, in the order of the rounds.
func (c *Case) Errors(server string) []string {
	var errs []string
	for _, s := range c.Samples {
		if s.Server == server && s.Error != "" {
			errs = append(errs, s.Error)
		}
	}
	return errs
}
