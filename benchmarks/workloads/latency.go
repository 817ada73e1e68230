package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func latency() Workload {
	return Workload{
		Name: "latency", Title: "Time of an answer at the same offered load", Role: servers.Echo,
		About: "Messages are sent at random times, the same for every server, at a rate that every one of them can answer. " +
			"Times count from when a message was due, so a server that makes others wait does not get away with it.",
		Decisive: p999(),
		Others:   []Figure{p50(), p99(), p9999(), cpuPerMessage(), unanswered()},
		Share:    .6,
		Cases: func(p Params) []Case {
			var cases []Case
			for _, size := range or(p.Sizes, 64) {
				for _, conns := range or(p.Conns, 1000) {
					cases = append(cases, offered(p, conns, size))
				}
			}
			return cases
		},
	}
}

// offered is an open loop.
func offered(p Params, conns, size int) Case {
	return Case{
		Name: fmt.Sprintf("%s × %s", Count(conns), Bytes(size)), InFlight: size, Size: size,
		Load: load.Config{
			Mode: load.Open, Exchange: echoed(size), Conns: conns, Rate: p.Rate, Warmup: p.Warmup, Duration: p.Duration,
		},
	}
}

// Calibration is the closed loop that finds out how much a server can do of an open loop.
func Calibration(c Case) Case {
	c.Load.Mode, c.Load.Pipeline, c.Load.Stalled = load.Closed, 1, 0
	return c
}
