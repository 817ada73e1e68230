package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

// mostInFlight is the most bytes that all connections of a case together have in flight: more would not be a test of the
// server but of the system's memory.
const mostInFlight = 128 << 20

func echo() Workload {
	return Workload{
		Name: "echo", Title: "Echo, as fast as possible", Role: servers.Echo,
		About: "Every connection sends a batch of messages (the pipeline), waits for all answers and sends the next batch. " +
			"The round trip is that of a batch.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), p50(), p99(), p999(), p9999(), rss()},
		Pictured: []Figure{cpuPerMessage()},
		Cases:    echoCases,
	}
}

func echoCases(p Params) []Case {
	if p.Quick && len(p.Conns)+len(p.Sizes)+len(p.Pipelines) == 0 {
		return []Case{
			echoCase(p, 100, 64, 1), echoCase(p, 100, 64, 16), echoCase(p, 1000, 64, 1), echoCase(p, 100, 4<<10, 1),
		}
	}
	var cases []Case
	for _, size := range or(p.Sizes, 64, 4<<10, 64<<10) {
		for _, pipeline := range or(p.Pipelines, 1, 16) {
			for _, conns := range or(p.Conns, 1, 100, 1000, 10_000) {
				if conns*size*pipeline <= mostInFlight {
					cases = append(cases, echoCase(p, conns, size, pipeline))
				}
			}
		}
	}
	return cases
}

func echoCase(p Params, conns, size, pipeline int) Case {
	name := fmt.Sprintf("%s × %s", Count(conns), Bytes(size))
	if pipeline > 1 {
		name += fmt.Sprintf(", pipeline %d", pipeline)
	}
	return Case{
		Name: name, InFlight: size * pipeline, Size: size,
		Load: load.Config{
			Mode: load.Closed, Exchange: echoed(size), Conns: conns, Pipeline: pipeline,
			Warmup: p.Warmup, Duration: p.Duration,
		},
	}
}
