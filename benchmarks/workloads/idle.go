package workloads

import (
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func idle() Workload {
	return Workload{
		Name: "idle", Title: "What an idle connection costs", Role: servers.Echo,
		About: "How much the server's memory has grown with all connections open, divided by their number. What the system " +
			"holds for a socket comes on top and is the same for all. A WebSocket has had its handshake.",
		Decisive: perConnection(),
		Others:   []Figure{rss()},
		NoFloor:  true,
		Cases: func(p Params) []Case {
			conns := first(p.Conns, p.fewer(10_000))
			silent, spoken := idleCase(p, conns, 64), idleCase(p, conns, first(p.Sizes, 4<<10))
			silent.Load.Silent = true
			silent.Name = Count(conns) + ", silent from the start"
			spoken.Name = Count(conns) + ", after one message of " + Bytes(spoken.Size)
			return []Case{silent, spoken, idleSockets(p, conns, first(p.Sizes, 125))}
		},
	}
}

func idleCase(p Params, conns, size int) Case {
	return Case{
		InFlight: size, Size: size,
		Load: load.Config{
			Mode: load.Idle, Exchange: echoed(size), Conns: conns, Warmup: p.Warmup, Duration: p.Duration,
		},
	}
}
