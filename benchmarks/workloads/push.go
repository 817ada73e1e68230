package workloads

import (
	"bytes"
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func push() Workload {
	return Workload{
		Name: "push", Title: "One message to everybody", Role: servers.Push,
		About: "A goroutine of the server, none of its loops, sends one message to every connection; when all have it, the " +
			"next. Times count from the request to each delivery.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), p50(), p99(), rss()},
		Cases: func(p Params) []Case {
			conns, size := first(p.Conns, p.fewer(10_000)), first(p.Sizes, 64)
			x := pushed(size)
			return []Case{{
				Name: fmt.Sprintf("%s to %s connections", Bytes(size), Count(conns)), InFlight: len(x.Request), Size: size,
				Load: load.Config{Mode: load.Push, Conns: conns, Pipeline: 1, Exchange: x, Warmup: p.Warmup, Duration: p.Duration},
			}}
		},
	}
}

// pushed is the exchange with a server that pushes messages of that size.
func pushed(size int) load.Exchange {
	word := []byte{'!'}
	return load.Exchange{Hello: word, HelloEnd: word, Request: word, Reply: bytes.Repeat([]byte{'p'}, size)}
}
