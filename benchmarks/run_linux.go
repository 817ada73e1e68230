// Benchmarks compares weir with its peers, with the standard library and with the least that a server can do, on the
// machine that it runs on, and writes a page about it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/machine"
	"github.com/go-weir/weir/benchmarks/process"
	"github.com/go-weir/weir/benchmarks/render"
	"github.com/go-weir/weir/benchmarks/runner"
)

// run does what the command line asks for. When ctx ends, nothing is left running and nothing is written.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	switch {
	case o.list:
		return list(o, stdout)
	case o.from != "":
		d, err := read(o.from)
		if err != nil {
			return err
		}
		return write(d, o.out, stdout)
	}
	d, err := measure(ctx, o, args, stderr)
	if err != nil {
		return err
	}
	return write(d, o.out, stdout)
}

// measure runs the comparison.
func measure(ctx context.Context, o *options, args []string, stderr io.Writer) (*compare.Data, error) {
	dir, err := os.MkdirTemp("", "weir-benchmarks-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it holds programs that were built for this run, and their files
	c, err := prepare(ctx, o, args, dir)
	if err != nil {
		return nil, err
	}
	c.progress = newProgress(stderr, c.measurements())
	for _, remark := range c.data.Remarks {
		c.progress.say("! %s", remark)
	}
	defer c.progress.end()
	if err := process.StepAside(o.loadCPUs); err != nil {
		return nil, err
	}
	limited := ctx
	if o.limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, o.limit)
		defer cancel()
	}
	err = c.run(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		c.data.Remarks = append(c.data.Remarks, fmt.Sprintf(
			"Time ran out after %v: %d of %d cases lack a round, or all of them.", o.limit, c.unfinished(), len(c.cases)))
		err = nil
	}
	c.dropEmpty()
	return c.data, err
}

// prepare finds out who takes part and what is run.
func prepare(ctx context.Context, o *options, args []string, dir string) (*comparison, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &comparison{
		opts: o,
		runner: &runner.Runner{
			Program: program, ServerCPUs: o.serverCPUs, LoadCPUs: o.loadCPUs, Profiles: o.profiles,
		},
		data: &compare.Data{
			Date: time.Now(), Command: strings.Join(append([]string{"go run ."}, args...), " "),
			Machine: machine.Describe(), ServerCPUs: o.serverCPUs, LoadCPUs: o.loadCPUs,
			Rounds: o.rounds, Repeats: o.repeats, Warmup: o.params.Warmup, Duration: o.params.Duration,
		},
	}
	if o.profiles != "" {
		if err := os.MkdirAll(o.profiles, 0o755); err != nil {
			return nil, err
		}
	}
	if overlap(o.serverCPUs, o.loadCPUs) {
		c.data.Remarks = append(c.data.Remarks, "Servers and load share a processor: these figures say little about either.")
	}
	if o.params.Quick {
		c.data.Remarks = append(c.data.Remarks, "A quick run: few cases and short rounds, for a first impression.")
	}
	if err := c.enlist(ctx, dir); err != nil {
		return nil, err
	}
	return c, c.plan()
}

func overlap(a, b []int) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

func read(file string) (*compare.Data, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := new(compare.Data)
	if err := json.Unmarshal(content, d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// write makes the page, the charts and the results.
func write(d *compare.Data, dir string, stdout io.Writer) error {
	files, err := render.Report(d)
	if err != nil {
		return err
	}
	results, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return err
	}
	files = append(files, render.File{Name: render.DataName, Content: append(results, '\n')})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Content, 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "%s\nThe page is %s.\n", render.Summary(d), filepath.Join(dir, render.PageName))
	return err
}

// list prints what there is.
func list(o *options, stdout io.Writer) error {
	var b strings.Builder
	for _, w := range o.workloads {
		b.WriteString(w.Name + ": " + w.Title + "\n")
		for _, k := range w.Cases(o.params) {
			b.WriteString("    " + k.Name + "\n")
		}
	}
	b.WriteString("\nservers: " + strings.Join(serverNames(), ", ") + "\n")
	_, err := io.WriteString(stdout, b.String())
	return err
}
