package workloads

import (
	"fmt"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func websocket() Workload {
	return Workload{
		Name: "websocket", Title: "WebSocket: echo, as fast as possible", Role: servers.WebSocket,
		About: "As in `echo`, but each message is a binary one of WebSocket, in a frame of its own that is masked. The floor " +
			"gets the same payloads as plain bytes, and sends them back as such.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), p50(), p99(), p999(), rss()},
		Pictured: []Figure{cpuPerMessage()},
		Cases: func(p Params) []Case {
			var cases []Case
			for _, size := range or(p.Sizes, 125, 16<<10) {
				for _, pipeline := range or(p.Pipelines, 1, 16) {
					if len(p.Sizes)+len(p.Pipelines) == 0 && size > 125 && (pipeline > 1 || p.Quick) {
						continue // of the workload's own choice, three cases, and two in a hurry
					}
					for _, conns := range or(p.Conns, 100) {
						if conns*size*pipeline <= mostInFlight {
							cases = append(cases, messages(p, conns, size, pipeline))
						}
					}
				}
			}
			return cases
		},
	}
}

// messages is an echo on WebSockets.
func messages(p Params, conns, size, pipeline int) Case {
	c := echoCase(p, conns, size, pipeline)
	c.Raw = c.Load.Exchange
	c.Load.Exchange = upgraded(c.Raw.Request, c.Raw.Reply)
	c.InFlight = len(c.Load.Exchange.Request) * pipeline
	return c
}

// upgraded is the exchange of one message for another on a WebSocket.
func upgraded(request, reply []byte) load.Exchange {
	return load.Exchange{
		Hello: []byte(load.Upgrade), HelloEnd: []byte(load.UpgradeEnd),
		Request: load.MaskedFrame(request), Reply: load.Frame(reply),
	}
}

func broadcast() Workload {
	return Workload{
		Name: "broadcast", Title: "WebSocket: one message to all subscribers", Role: servers.Broadcast,
		About: "All connections are WebSockets and have subscribed to the same topic. One asks for a message to be published, " +
			"or for several at once (the pipeline); when all have got it, for the next. Messages are those delivered, times count " +
			"from the request to each delivery. The floor sends the same payloads as plain bytes, with a send(2) for each.",
		Decisive: rate(),
		Others:   []Figure{cpuPerMessage(), p50(), p99(), rss()},
		Pictured: []Figure{cpuPerMessage()},
		Cases: func(p Params) []Case {
			var cases []Case
			for _, pipeline := range or(p.Pipelines, 1, 16) {
				cases = append(cases, published(p, first(p.Conns, p.fewer(10_000)), first(p.Sizes, 125), pipeline))
			}
			return cases
		},
	}
}

// published is a case of broadcast.
func published(p Params, conns, size, pipeline int) Case {
	raw := pushed(size)
	x := upgraded(raw.Request, raw.Reply)
	x.HelloEnd = append(x.HelloEnd, load.Frame([]byte(load.Welcome))...)
	return Case{
		Name:     fmt.Sprintf("%s to %s subscribers%s", Bytes(size), Count(conns), depth(pipeline)),
		InFlight: len(x.Request) * pipeline, Size: size, Raw: raw,
		Load: load.Config{
			Mode: load.Push, Conns: conns, Pipeline: pipeline, Exchange: x, Warmup: p.Warmup, Duration: p.Duration,
		},
	}
}

// idleSockets is a case of idle: WebSockets, each after one message.
func idleSockets(p Params, conns, size int) Case {
	c := messages(p, conns, size, 1)
	c.Name = fmt.Sprintf("%s WebSockets, after one message of %s", Count(conns), Bytes(size))
	c.Role, c.Load.Mode = servers.WebSocket, load.Idle
	return c
}
