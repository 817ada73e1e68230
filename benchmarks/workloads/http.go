package workloads

import (
	"strings"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func http() Workload {
	request := strings.Join([]string{"GET " + load.Plaintext + " HTTP/1.1", "Host: localhost", "", ""}, "\r\n")
	return Workload{
		Name: "http", Title: "HTTP: a short text by wrk", Role: servers.HTTP,
		About: "wrk, on one thread, asks for " + load.PlaintextBody + " over and over: each connection sends a batch of requests " +
			"(the pipeline), waits for all answers and sends the next batch. Whole seconds are the shortest that wrk runs. With a " +
			"pipeline, servers are ranked by processor time, as above.",
		Decisive:  requestRate(),
		Pipelined: cpuPerRequest(),
		Others:    []Figure{p50(), p99()},
		Pictured:  []Figure{cpuPerRequest()},
		Reference: "fasthttp",
		NoFloor:   true,
		Cases: func(p Params) []Case {
			var cases []Case
			for _, pipeline := range or(p.Pipelines, 1, 16) {
				for _, conns := range or(p.Conns, 100) {
					cases = append(cases, Case{
						Name: Count(conns) + " × plaintext" + depth(pipeline), InFlight: len(request) * pipeline, Size: len(request),
						Load: load.Config{
							Mode: load.Wrk, Conns: conns, Pipeline: pipeline,
							Exchange: load.Exchange{Hello: []byte(request), HelloEnd: []byte("\r\n\r\n" + load.PlaintextBody)},
							Warmup:   p.Warmup, Duration: p.Duration,
						},
					})
				}
			}
			return cases
		},
	}
}
