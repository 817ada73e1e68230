// Package workloads says what the servers are put through.
//
// A new workload is a file with a function that returns it, and a line in All.
package workloads

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

// Workload is one kind of work, in one or more sizes.
type Workload struct {
	Name  string // as in -only
	Title string // as on the page
	About string // a sentence or two for the page
	Role  servers.Role
	Cases func(Params) []Case
	// Decisive is the figure that servers are ranked by.
	Decisive Figure
	// Pipelined, unless it is the zero Figure, is the decisive one where a connection has more than one message in flight.
	Pipelined Figure
	// Reference, unless empty, is the server that the others are compared with, in both of these figures; else the floor.
	Reference string
	// Others are the figures shown beside it, in tables.
	Others []Figure
	// Pictured are those of the others that get a chart too.
	Pictured []Figure
	// Share, unless 0, makes it an open loop: messages are offered at this share of what the slowest server can answer.
	Share float64
	// NoFloor says that the floor has nothing to do with it.
	NoFloor bool
}

// Case is one size of a workload.
type Case struct {
	Name     string
	InFlight int // bytes that a connection sends before it waits
	Size     int // bytes of a message
	Load     load.Config
	// Role, unless empty, is another one than that of the workload.
	Role servers.Role
	// Raw, unless empty, is what is said instead to a server that knows nothing but bytes (servers.Server.Raw).
	Raw load.Exchange
}

// Params is what the user has asked for. What is empty is the workload's own choice.
type Params struct {
	Conns, Sizes, Pipelines []int
	Rate                    float64 // messages a second for open loops; 0: by Share
	Warmup, Duration        time.Duration
	Quick                   bool // fewer cases, fewer connections
}

// All are the workloads, in the order in which they run and are reported.
func All() []Workload {
	return []Workload{echo(), latency(), frame(), push(), idle(), mixed(), stall(), redis(), http(), websocket(), broadcast()}
}

// RoleIn is the servers' role in a case.
func (w *Workload) RoleIn(c *Case) servers.Role {
	if c.Role != "" {
		return c.Role
	}
	return w.Role
}

// DecisiveAt is the figure that servers are ranked by in a case with that pipeline.
func (w *Workload) DecisiveAt(pipeline int) Figure {
	if pipeline > 1 && w.Pipelined.Of != nil {
		return w.Pipelined
	}
	return w.Decisive
}

// Beside are the figures shown beside the decisive one in a case with that pipeline.
func (w *Workload) Beside(pipeline int) []Figure {
	switch {
	case w.Pipelined.Of == nil:
		return w.Others
	case pipeline > 1:
		return append([]Figure{w.Decisive}, w.Others...)
	}
	return append([]Figure{w.Pipelined}, w.Others...)
}

// Decides reports whether servers are ranked by that figure in some case of the workload.
func (w *Workload) Decides(f Figure) bool {
	return f.Name == w.Decisive.Name || f.Name == w.Pipelined.Name
}

// Find returns the workloads of these names, in the order of All.
func Find(names []string) ([]Workload, error) {
	var found []Workload
	missing := make(map[string]bool)
	for _, n := range names {
		missing[n] = true
	}
	for _, w := range All() {
		if missing[w.Name] {
			found = append(found, w)
			delete(missing, w.Name)
		}
	}
	for n := range missing {
		return nil, fmt.Errorf("unknown workload %q", n)
	}
	return found, nil
}

// or is the user's choice, or else the workload's own.
func or(asked []int, own ...int) []int {
	if len(asked) > 0 {
		return asked
	}
	return own
}

// first is the user's first choice, or else the workload's own.
func first(asked []int, own int) int { return or(asked, own)[0] }

// fewer is how many of n connections a quick run has.
func (p *Params) fewer(n int) int {
	if p.Quick {
		return min(n, 2000)
	}
	return n
}

// message is one of size bytes, all different from their neighbours, so that a shifted answer is a wrong one.
func message(size int) []byte {
	m := make([]byte, size)
	for i := range m {
		m[i] = byte(i*7 + i/256)
	}
	return m
}

// echoed is the exchange with an echo server.
func echoed(size int) load.Exchange {
	m := message(size)
	return load.Exchange{Request: m, Reply: m}
}

// Bytes is a size as a person would write it.
func Bytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Count is a number with its thousands apart.
func Count(n int) string {
	s := fmt.Sprint(n)
	var groups []string
	for len(s) > 3 {
		groups = append([]string{s[len(s)-3:]}, groups...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, groups...), ",")
}
