package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/servers"
)

func mixed() Workload {
	return Workload{
		Name: "mixed", Title: "A tenth is active", Role: servers.Echo,
		About:    "Echo, one message at a time, on one connection in ten. The others are open and say nothing.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), p50(), p99(), p999(), rss()},
		Cases: func(p Params) []Case {
			conns := first(p.Conns, p.fewer(10_000))
			c := echoCase(p, conns, first(p.Sizes, 64), 1)
			c.Load.Active = max(1, conns/10)
			c.Name = fmt.Sprintf("%s idle, %s active × %s", Count(conns-c.Load.Active), Count(c.Load.Active), Bytes(c.Size))
			return []Case{c}
		},
	}
}
