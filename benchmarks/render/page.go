// Package render makes of a comparison the page and the charts that a person reads.
package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// File is one file of a report.
type File struct {
	Name    string
	Content []byte
}

// PageName is the file that is the page.
const PageName = "README.md"

// Report makes the page, and the charts that it shows.
func Report(d *compare.Data) ([]File, error) {
	r := &report{data: d}
	r.page()
	if r.err != nil {
		return nil, r.err
	}
	return append([]File{{PageName, r.b.Bytes()}}, r.charts...), nil
}

type report struct {
	data   *compare.Data
	b      bytes.Buffer
	charts []File
	err    error
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(&r.b, format, args...) }

// chart adds a chart, and shows it.
func (r *report) chart(name, alt string, svg []byte, err error) {
	if err != nil {
		r.err = fmt.Errorf("chart %s: %w", name, err)
		return
	}
	r.charts = append(r.charts, File{name, svg})
	r.printf("![%s](%s)\n\n", alt, name)
}

// section is a workload and its cases.
type section struct {
	workload workloads.Workload
	cases    []*compare.Case
}

func (r *report) sections() []section {
	var all []section
	for _, w := range workloads.All() {
		s := section{workload: w}
		for _, c := range r.data.Cases {
			if c.Workload == w.Name && len(c.Samples) > 0 {
				s.cases = append(s.cases, c)
			}
		}
		if len(s.cases) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func (r *report) page() {
	d := r.data
	sections := r.sections()
	r.printf("# weir and its peers\n\n")
	r.printf("%s, %s, %d processors, %s. %s.\n\n", d.Date.Format("2 January 2006"), d.Machine.CPU, d.Machine.CPUs,
		d.Machine.Kernel, d.Machine.Go)
	r.printf("```sh\n%s\n```\n\n", d.Command)
	for _, remark := range append(d.Remarks, d.Disturbance()...) {
		r.printf("> ⚠ %s\n\n", remark)
	}
	r.summary(sections)
	for _, s := range sections {
		r.section(s)
	}
	r.method()
}

// summary says who wins where.
func (r *report) summary(sections []section) {
	var entries []entry
	tally := make(map[compare.Outcome]int)
	for _, s := range sections {
		for _, c := range s.cases {
			if v, ok := c.Judge(s.workload.DecisiveAt(c.Pipeline)); ok {
				label := fmt.Sprintf("%s: %s", s.workload.Name, c.Name)
				entries = append(entries, entry{label, v})
				tally[v.Outcome]++
			}
		}
	}
	if len(entries) == 0 {
		return
	}
	r.printf("## Who wins where\n\n")
	r.printf("Of %d cases weir is ahead of every other server in %d, even with the best of them in %d, and behind in %d",
		len(entries), tally[compare.Ahead], tally[compare.Even], tally[compare.Behind])
	if n := tally[compare.Unknown]; n > 0 {
		r.printf("; in %d there is no figure", n)
	}
	r.printf(".")
	for _, e := range entries {
		if e.verdict.Outcome == compare.Behind {
			r.printf(" %s has the better %s in *%s* (%s times weir's).", e.verdict.Rival, e.verdict.Figure.Name, e.label,
				trim(1/e.verdict.Ratio.Median))
		}
	}
	r.printf("\n\n")
	svg, err := overview(entries)
	r.chart("overview.svg", "weir against the best of the others, case by case", svg, err)
}

// section is one workload: what it does, who wins, a chart, a table for each case.
func (r *report) section(s section) {
	w := &s.workload
	r.printf("## %s\n\n%s\n\n", w.Title, w.About)
	svg, err := panels(heading(w, w.Decisive), s.cases, w.Decisive)
	r.chart(w.Name+".svg", w.Title, svg, err)
	for _, f := range w.Pictured {
		svg, err := panels(heading(w, f), s.cases, f)
		r.chart(fmt.Sprintf("%s-%s.svg", w.Name, strings.ToLower(f.Name)), w.Title+": "+f.Name, svg, err)
	}
	for _, c := range s.cases {
		r.printf("### %s: %s\n\n", w.Name, c.Name)
		if c.Rate > 0 {
			r.printf("Offered: %s messages a second.\n\n", short(c.Rate))
		}
		if v, ok := c.Judge(w.DecisiveAt(c.Pipeline)); ok {
			r.printf("%s\n\n", v)
		}
		r.table(w, c)
		r.warnings(w, c)
	}
}

// heading says what a chart shows, and which way is better.
func heading(w *workloads.Workload, f workloads.Figure) string {
	better := "more is better"
	if f.Less {
		better = "less is better"
	}
	switch f.Unit {
	case "/s":
		return fmt.Sprintf("%s: %s a second (%s)", w.Title, f.Name, better)
	case "ns/msg":
		return fmt.Sprintf("%s: %s time for a message (%s)", w.Title, f.Name, better)
	case "ns/req":
		return fmt.Sprintf("%s: %s time for a request (%s)", w.Title, f.Name, better)
	case "B/conn":
		return fmt.Sprintf("%s: bytes for a connection (%s)", w.Title, better)
	}
	return fmt.Sprintf("%s: %s (%s)", w.Title, f.Name, better)
}

// reference is the server that a case's table compares the others with; ok is false if it has no figure.
func reference(w *workloads.Workload, c *compare.Case) (name string, ok bool) {
	name = compare.Floor
	if w.Reference != "" {
		name = w.Reference
	}
	return name, c.Of(name, w.DecisiveAt(c.Pipeline)).Known()
}

// table has a row for each server, the best first, and the floor on top.
func (r *report) table(w *workloads.Workload, c *compare.Case) {
	decisive, beside := w.DecisiveAt(c.Pipeline), w.Beside(c.Pipeline)
	names := c.Ranking(decisive)
	for _, s := range c.Servers() {
		if s != compare.Floor && !slices.Contains(names, s) {
			names = append(names, s) // without a figure
		}
	}
	ref, compared := reference(w, c)
	if compared && ref == compare.Floor {
		names = append([]string{compare.Floor}, names...)
	}
	header, rule := "| server | "+column(decisive)+" | spread |", "|---|--:|--:|"
	add := func(title string) { header, rule = header+" "+title+" |", rule+"--:|" }
	to := "to " + ref
	if ref == compare.Floor {
		to = "to the floor"
	}
	if compared {
		add(to)
	}
	add("weir to it")
	for _, f := range beside {
		add(column(f))
		if compared && w.Decides(f) {
			add(f.Name + " " + to)
		}
	}
	r.printf("%s\n%s\n", header, rule)
	for _, name := range names {
		s := c.Of(name, decisive)
		shown := name
		if name == compare.Weir {
			shown = "**weir**"
		}
		r.printf("| %s | %s | %s |", shown, amount(s.Median, decisive.Unit), plusMinus(s))
		if compared {
			r.printf(" %s |", trim(c.Ratio(name, ref, decisive).Median))
		}
		r.printf(" %s |", trim(c.Ratio(compare.Weir, name, decisive).Median))
		for _, f := range beside {
			r.printf(" %s |", amount(c.Of(name, f).Median, f.Unit))
			if compared && w.Decides(f) {
				r.printf(" %s |", trim(c.Ratio(name, ref, f).Median))
			}
		}
		r.printf("\n")
	}
	r.printf("\n")
}

func column(f workloads.Figure) string {
	switch f.Unit {
	case "/s":
		return f.Name + "/s"
	case "ns/msg":
		return f.Name + "/message"
	case "ns/req":
		return f.Name + "/request"
	case "B/conn":
		return "bytes/connection"
	}
	return f.Name
}

func (r *report) warnings(w *workloads.Workload, c *compare.Case) {
	warnings := r.data.Warnings(c, w.DecisiveAt(c.Pipeline))
	for _, text := range warnings {
		r.printf("* ⚠ %s\n", text)
	}
	if len(warnings) > 0 {
		r.printf("\n")
	}
}

// method is how it was measured.
func (r *report) method() {
	d := r.data
	r.printf("## How it was measured\n\n")
	r.printf("Each server ran alone in a process of its own on processor%s, the load generator on processor%s. ",
		list(d.ServerCPUs), list(d.LoadCPUs))
	r.printf("In each of %d round%s every case was run with every server, one after the other, so that what changes with time "+
		"changes for all; %s of warm-up, then %s of measurement. Figures are medians over the rounds; *spread* is half the "+
		"interval that the true median is in, as far as the rounds can tell, and ratios are taken within a round. ",
		d.Rounds, plural(d.Rounds), seconds(d.Warmup), seconds(d.Duration))
	if d.Repeats > 0 {
		r.printf("A measurement during which other processes used the same processors was repeated, up to %d times, and the least "+
			"disturbed one counts. ", d.Repeats)
	}
	r.printf("*To the floor*, to another server, and *weir to it* are such ratios, over 1 for the better one. CPU is what the system says that the " +
		"server's threads have used, RSS the memory at the end, with all connections open. The floor is a minimal epoll " +
		"server in C, which does nothing but echo.\n\n")
	r.printf("| | |\n|---|---|\n")
	r.printf("| machine | %s, %d processors, %s |\n", d.Machine.CPU, d.Machine.CPUs, gibibytes(d.Machine.Memory))
	r.printf("| system | %s |\n| Go | %s |\n", d.Machine.Kernel, d.Machine.Go)
	r.printf("| load average before | %s |\n| date | %s |\n", d.Machine.Load, d.Date.Format("2006-01-02 15:04 MST"))
	if len(d.Clients) > 0 {
		r.printf("| clients | %s |\n", strings.Join(d.Clients, ", "))
	}
	r.printf("| command | `%s` |\n\n", d.Command)
	r.printf("| server | version | set-up |\n|---|---|---|\n")
	for _, s := range d.Servers {
		r.printf("| %s | %s | %s |\n", s.Name, s.Version, s.Setup)
	}
	r.printf("\nEvery result of every round is in [%s](%s).\n", DataName, DataName)
}

// DataName is the file that Report expects beside the page.
const DataName = "results.json"

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// list is the numbers of processors, with the end of the word in front.
func list(cpus []int) string {
	s := strings.Trim(strings.ReplaceAll(fmt.Sprint(cpus), " ", ", "), "[]")
	return plural(len(cpus)) + " " + s
}
