package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

// commands are those of Redis that are measured: each as redis-benchmark names it, and what one connection says before, to
// see that the server knows it.
func commands() []command {
	set := "*3\r\n$3\r\nSET\r\n$5\r\nhello\r\n$3\r\nyou\r\n"
	return []command{
		{"ping_mbulk", "PING", "*1\r\n$4\r\nPING\r\n", "+PONG\r\n"},
		{"set", "SET", set, "+OK\r\n"},
		{"get", "GET", set + "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n", "+OK\r\n$3\r\nyou\r\n"},
	}
}

type command struct{ test, name, request, reply string }

func redis() Workload {
	return Workload{
		Name: "redis", Title: "Redis: PING, SET and GET by redis-benchmark", Role: servers.Redis,
		About: "Redis's own client has as many connections as the case's name says first. Each sends a batch of commands (the " +
			"pipeline), waits for all answers and sends the next batch. At higher pipelines the client can do less than the " +
			"servers, so that requests a second say more about the client; there, servers are ranked by processor time.",
		Decisive:  requestRate(),
		Pipelined: cpuPerRequest(),
		Others:    []Figure{p50(), p99()},
		Pictured:  []Figure{cpuPerRequest()},
		Reference: servers.RedisServer,
		NoFloor:   true,
		Cases: func(p Params) []Case {
			pipelines, all := []int{1, 16, 128}, commands()
			if p.Quick {
				pipelines, all = []int{1, 128}, all[len(all)-1:]
			}
			var cases []Case
			for _, pipeline := range or(p.Pipelines, pipelines...) {
				for _, conns := range or(p.Conns, 50) {
					for _, c := range all {
						cases = append(cases, c.at(p, conns, pipeline))
					}
				}
			}
			return cases
		},
	}
}

func (c *command) at(p Params, conns, pipeline int) Case {
	size := len(c.request)
	return Case{
		Name: fmt.Sprintf("%s × %s%s", Count(conns), c.name, depth(pipeline)), InFlight: size * pipeline, Size: size,
		Load: load.Config{
			Mode: load.RedisBenchmark, Test: c.test, Conns: conns, Pipeline: pipeline,
			Exchange: load.Exchange{Hello: []byte(c.request), HelloEnd: []byte(c.reply)},
			Warmup:   p.Warmup, Duration: p.Duration,
		},
	}
}

// depth is the end of a case's name.
func depth(pipeline int) string {
	if pipeline == 1 {
		return ""
	}
	return fmt.Sprintf(", pipeline %d", pipeline)
}
