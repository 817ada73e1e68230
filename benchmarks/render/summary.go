package render

import (
	"fmt"
	"strings"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// stands is how a server does against the reference.
func stands(w *workloads.Workload, c *compare.Case, name, ref string) string {
	f := w.DecisiveAt(c.Pipeline)
	if ref == compare.Floor {
		if floor := c.Ratio(name, ref, f); floor.Known() {
			return fmt.Sprintf("  %s of the floor", trim(floor.Median))
		}
		return ""
	}
	s := fmt.Sprintf("  %s to %s", trim(c.Ratio(name, ref, f).Median), ref)
	for _, f := range w.Beside(c.Pipeline) {
		if w.Decides(f) {
			s += fmt.Sprintf("; %s %s, %s", f.Name, amount(c.Of(name, f).Median, f.Unit), trim(c.Ratio(name, ref, f).Median))
		}
	}
	return s
}

// Summary is the outcome in a few lines, for a terminal.
func Summary(d *compare.Data) string {
	var b strings.Builder
	r := &report{data: d}
	for _, s := range r.sections() {
		w := &s.workload
		for _, c := range s.cases {
			f := w.DecisiveAt(c.Pipeline)
			fmt.Fprintf(&b, "%s: %s (%s)\n", w.Name, c.Name, f.Name)
			if sp := c.Of(compare.Floor, f); sp.Known() {
				fmt.Fprintf(&b, "    %-8s %10s\n", compare.Floor, amount(sp.Median, f.Unit))
			}
			for _, name := range c.Ranking(f) {
				sp := c.Of(name, f)
				fmt.Fprintf(&b, "    %-8s %10s  %-7s", name, amount(sp.Median, f.Unit), plusMinus(sp))
				if ref, ok := reference(w, c); ok {
					b.WriteString(stands(w, c, name, ref))
				}
				b.WriteByte('\n')
			}
			if v, ok := c.Judge(f); ok {
				fmt.Fprintf(&b, "    %s\n", v)
			}
			for _, w := range d.Warnings(c, f) {
				fmt.Fprintf(&b, "    ! %s\n", w)
			}
		}
	}
	for _, remark := range append(d.Remarks, d.Disturbance()...) {
		fmt.Fprintf(&b, "! %s\n", remark)
	}
	return b.String()
}
