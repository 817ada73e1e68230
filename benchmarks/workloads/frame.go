package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func frame() Workload {
	return Workload{
		Name: "frame", Title: "Messages in one direction", Role: servers.Frame,
		About: "One connection sends messages with a length in front as fast as the server takes them; the server cuts the " +
			"stream into messages, counts them, and says at the end how many there were.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), rss()},
		Cases: func(p Params) []Case {
			var cases []Case
			for _, size := range or(p.Sizes, 110) {
				cases = append(cases, Case{
					Name: fmt.Sprintf("%s, one connection", Bytes(size)), InFlight: 64 << 10, Size: size,
					Load: load.Config{
						Mode: load.OneWay, Exchange: load.Exchange{Request: message(size)}, Conns: 1,
						Warmup: p.Warmup, Duration: p.Duration,
					},
				})
			}
			return cases
		},
	}
}
