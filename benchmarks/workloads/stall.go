package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func stall() Workload {
	return Workload{
		Name: "stall", Title: "One peer in a hundred stops reading", Role: servers.Echo,
		About: fmt.Sprintf("The offered load of before, while one connection in a hundred sends up to %s and reads nothing. "+
			"The times are those of the others; the memory shows who keeps what nobody takes.", Bytes(load.StalledBytes)),
		Decisive: p99(),
		Others:   []Figure{p50(), p999(), cpuPerMessage(), rss(), unanswered()},
		Share:    .5,
		Cases: func(p Params) []Case {
			conns := first(p.Conns, 1000)
			c := offered(p, conns, first(p.Sizes, 64))
			c.Load.Stalled = max(1, conns/100)
			c.Name += fmt.Sprintf(", %d stalled", c.Load.Stalled)
			return []Case{c}
		},
	}
}
