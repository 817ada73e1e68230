package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/runner"
	"github.com/go-weir/weir/benchmarks/servers"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// comparison is a run in progress.
type comparison struct {
	opts     *options
	runner   *runner.Runner
	servers  []servers.Server
	clients  map[load.Mode][]string // of others: the program and its first arguments
	lacking  bool                   // something is not installed that the user has asked for
	data     *compare.Data
	progress *progress
	cases    []*planned
}

// planned is a case that will be run.
type planned struct {
	workload workloads.Workload
	plan     workloads.Case
	data     *compare.Case
	servers  []servers.Server
}

// plan decides what is run.
func (c *comparison) plan() error {
	for _, w := range c.opts.workloads {
		for _, k := range w.Cases(c.opts.params) {
			p := &planned{
				workload: w, plan: k,
				data: &compare.Case{Workload: w.Name, Name: k.Name, Conns: k.Load.Conns, Pipeline: k.Load.Pipeline, Rate: k.Load.Rate},
			}
			if p.plan.Load.Client = c.clients[k.Load.Mode]; k.Load.Mode.External() && p.plan.Load.Client == nil {
				continue // enlist has said so
			}
			for _, s := range c.servers {
				if w.NoFloor && s.Name == compare.Floor {
					continue
				}
				if s.Plays(w.RoleIn(&k)) {
					p.servers = append(p.servers, s)
				}
			}
			if len(p.servers) > 0 {
				c.cases = append(c.cases, p)
				c.data.Cases = append(c.data.Cases, p.data)
			}
		}
	}
	for _, s := range c.servers {
		if slices.ContainsFunc(c.cases, func(p *planned) bool { return p.has(s.Name) }) {
			c.data.Servers = append(c.data.Servers, compare.Contestant{
				Name: s.Name, Module: s.Module, Version: version(&s), Setup: s.Setup,
			})
		}
	}
	if len(c.cases) == 0 && !c.lacking {
		return errors.New("none of these servers can do any of these workloads")
	}
	return nil
}

// has reports whether a server takes part in the case.
func (p *planned) has(name string) bool {
	return slices.ContainsFunc(p.servers, func(s servers.Server) bool { return s.Name == name })
}

// measurements is how many there will be.
func (c *comparison) measurements() int {
	n := 0
	for _, p := range c.cases {
		n += c.opts.rounds * len(p.servers)
		if p.calibrated() {
			n += len(p.servers)
		}
	}
	return n
}

// run measures everything. It ends early with the context, and what was measured until then stays.
func (c *comparison) run(ctx context.Context) error {
	for _, p := range c.cases {
		if err := c.calibrate(ctx, p); err != nil {
			return err
		}
	}
	for round := range c.opts.rounds {
		for _, p := range c.cases {
			if err := c.round(ctx, p, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// round runs one case once with every server. Each round begins with another one, so that nobody always comes after the
// same neighbour.
func (c *comparison) round(ctx context.Context, p *planned, round int) error {
	for i := range p.servers {
		s := p.servers[(i+round)%len(p.servers)]
		c.progress.begin(fmt.Sprintf("round %d of %d, %s: %s", round+1, c.opts.rounds, p.workload.Name, p.plan.Name), s.Name)
		r, err := c.undisturbed(ctx, s, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sample := compare.Sample{Server: s.Name, Round: round, Result: r}
		if err != nil {
			sample.Error = err.Error()
			c.progress.say("%s: %s, %s: %v", p.workload.Name, p.plan.Name, s.Name, err)
		}
		p.data.Samples = append(p.data.Samples, sample)
		c.progress.step()
	}
	return nil
}

// undisturbed measures again while other processes use the same processors, a few times at most, and returns the result
// that was disturbed the least.
func (c *comparison) undisturbed(ctx context.Context, s servers.Server, p *planned) (*load.Result, error) {
	best, err := c.runner.Measure(ctx, s, p.job(), p.plan.Load)
	if err != nil {
		return nil, err
	}
	for i := 0; i < c.opts.repeats && c.data.Disturbed(best) && ctx.Err() == nil; i++ {
		r, err := c.runner.Measure(ctx, s, p.job(), p.plan.Load)
		if err == nil && r.Others < best.Others {
			best = r
		}
	}
	return best, nil
}

func (p *planned) job() runner.Job {
	return runner.Job{Role: p.workload.RoleIn(&p.plan), InFlight: p.plan.InFlight, Size: p.plan.Size, Raw: p.plan.Raw}
}

// calibrated reports whether the load that is offered has still to be found out.
func (p *planned) calibrated() bool { return p.plan.Load.Mode == load.Open && p.plan.Load.Rate == 0 }

// calibrate finds out what every server can answer, and has a share of that offered to all.
func (c *comparison) calibrate(ctx context.Context, p *planned) error {
	if !p.calibrated() {
		return nil
	}
	slowest := math.Inf(1)
	for _, s := range p.servers {
		c.progress.begin(fmt.Sprintf("%s: %s, what each can do", p.workload.Name, p.plan.Name), s.Name)
		l := workloads.Calibration(p.plan).Load
		l.Duration = min(l.Duration, 500*time.Millisecond)
		r, err := c.runner.Measure(ctx, s, p.job(), l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && r.Messages > 0 { // one that can't do it at all fails in the rounds, and is reported there
			slowest = min(slowest, r.Rate())
		}
		c.progress.step()
	}
	if math.IsInf(slowest, 1) {
		return fmt.Errorf("%s: %s: no server has answered", p.workload.Name, p.plan.Name)
	}
	p.plan.Load.Rate = roundDown(slowest * p.workload.Share)
	p.data.Rate = p.plan.Load.Rate
	return nil
}

// roundDown keeps two digits.
func roundDown(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Floor(x/unit) * unit
}

// unfinished are the cases that lack rounds.
func (c *comparison) unfinished() int {
	n := 0
	for _, p := range c.cases {
		if len(p.data.Samples) < c.opts.rounds*len(p.servers) {
			n++
		}
	}
	return n
}

// dropEmpty takes the cases without a sample out of the data.
func (c *comparison) dropEmpty() {
	c.data.Cases = slices.DeleteFunc(c.data.Cases, func(k *compare.Case) bool { return len(k.Samples) == 0 })
}
