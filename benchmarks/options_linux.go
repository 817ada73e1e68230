package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/process"
	"github.com/go-weir/weir/benchmarks/servers"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// options is what the command line says.
type options struct {
	workloads  []workloads.Workload
	servers    []string // empty: all
	rounds     int
	repeats    int
	params     workloads.Params
	serverCPUs []int
	loadCPUs   []int
	out        string
	from       string // results to render, instead of measuring
	profiles   string
	limit      time.Duration // 0: none
	list       bool
}

// quickLimit is when a quick run ends with what it has: within two minutes, charts included.
const quickLimit = 110 * time.Second

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "Benchmarks compares weir with its peers and writes a page about it.\n\n") // as f does
		f.PrintDefaults()
	}
	only := f.String("only", "", "workloads to run, separated by commas: "+strings.Join(workloadNames(), ", "))
	who := f.String("servers", "", "servers to compare, separated by commas: "+strings.Join(serverNames(), ", "))
	conns := f.String("conns", "", "numbers of connections, instead of each workload's own")
	sizes := f.String("size", "", "message sizes in bytes, up to 65536, instead of each workload's own; not for redis and http")
	pipelines := f.String("pipeline", "", "numbers of messages in flight on a connection, for echo, redis, http, websocket and broadcast")
	serverCPUs := f.String("server-cpus", "", "processors for the server; one loop runs on each (default the first)")
	loadCPUs := f.String("load-cpus", "", "processors for the load, which uses one of them (default the last)")
	f.IntVar(&o.rounds, "rounds", 5, "how often everything is run")
	f.IntVar(&o.repeats, "repeats", 3, "how often a measurement that other processes disturbed is repeated at most")
	f.DurationVar(&o.params.Duration, "duration", 2*time.Second, "of one measurement")
	f.DurationVar(&o.params.Warmup, "warmup", 300*time.Millisecond, "before each measurement")
	f.Float64Var(&o.params.Rate, "rate", 0, "messages a second for latency and stall (default a share of what the slowest server can do)")
	f.StringVar(&o.out, "out", "report", "directory for the page, the charts and the results")
	f.StringVar(&o.from, "from", "", "make the page of this results.json again, without measuring")
	f.StringVar(&o.profiles, "profiles", "", "directory for CPU profiles of the servers in Go, one for each run")
	f.DurationVar(&o.limit, "limit", 0, "end after this long, with what there is (default none)")
	f.BoolVar(&o.params.Quick, "quick", false, "fewer cases and short rounds: done within two minutes")
	f.BoolVar(&o.list, "list", false, "print the workloads with their cases, and the servers")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	set := make(map[string]bool)
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if o.params.Quick {
		o.quick(set)
	}
	for _, l := range []struct {
		flag  string
		value string
		least int
		to    *[]int
	}{
		{"conns", *conns, 1, &o.params.Conns},
		{"size", *sizes, 1, &o.params.Sizes},
		{"pipeline", *pipelines, 1, &o.params.Pipelines},
		{"server-cpus", *serverCPUs, 0, &o.serverCPUs},
		{"load-cpus", *loadCPUs, 0, &o.loadCPUs},
	} {
		var err error
		if *l.to, err = numbers(l.value, l.least); err != nil {
			return nil, fmt.Errorf("-%s: %w", l.flag, err)
		}
	}
	o.servers = words(*who)
	return o, o.complete(words(*only))
}

// quick shortens what was not asked for by name.
func (o *options) quick(set map[string]bool) {
	if !set["rounds"] {
		o.rounds = 2
	}
	if !set["repeats"] {
		o.repeats = 0
	}
	if !set["duration"] {
		o.params.Duration = 250 * time.Millisecond
	}
	if !set["warmup"] {
		o.params.Warmup = 50 * time.Millisecond
	}
	if !set["limit"] {
		o.limit = quickLimit
	}
}

// complete checks the options and fills in what the machine decides.
func (o *options) complete(only []string) (err error) {
	switch {
	case o.rounds < 1:
		return fmt.Errorf("-rounds: %d, must be at least 1", o.rounds)
	case o.repeats < 0:
		return fmt.Errorf("-repeats: %d, must be at least 0", o.repeats)
	case o.params.Duration <= 0 || o.params.Warmup < 0:
		return fmt.Errorf("-duration and -warmup: %v and %v", o.params.Duration, o.params.Warmup)
	case o.params.Rate < 0:
		return fmt.Errorf("-rate: %v", o.params.Rate)
	}
	for _, s := range o.params.Sizes {
		if s > 64<<10 {
			return fmt.Errorf("-size: %d, must be at most %d", s, 64<<10)
		}
	}
	for _, name := range o.servers {
		if !slices.Contains(serverNames(), name) {
			return fmt.Errorf("-servers: unknown server %q; there are %s", name, strings.Join(serverNames(), ", "))
		}
	}
	o.workloads = workloads.All()
	if len(only) > 0 {
		if o.workloads, err = workloads.Find(only); err != nil {
			return fmt.Errorf("-only: %w; there are %s", err, strings.Join(workloadNames(), ", "))
		}
	}
	cpus, err := process.Processors()
	if err != nil {
		return err
	}
	if len(o.serverCPUs) == 0 {
		o.serverCPUs = cpus[:1]
	}
	if len(o.loadCPUs) == 0 {
		o.loadCPUs = cpus[len(cpus)-1:]
	}
	return nil
}

// takes reports whether a server takes part.
func (o *options) takes(name string) bool {
	return len(o.servers) == 0 || slices.Contains(o.servers, name)
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads.All() {
		names = append(names, w.Name)
	}
	return names
}

func serverNames() []string {
	names := []string{compare.Floor}
	for _, s := range servers.All() {
		names = append(names, s.Name)
	}
	return append(names, servers.RedisServer, servers.NginxServer)
}

// words are the parts of a list with commas.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// numbers are the parts of a list with commas.
func numbers(list string, least int) ([]int, error) {
	var ns []int
	for _, w := range words(list) {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", w)
		}
		if n < least {
			return nil, fmt.Errorf("%d, must be at least %d", n, least)
		}
		ns = append(ns, n)
	}
	return ns, nil
}
