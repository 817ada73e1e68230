package render

import (
	"fmt"
	"strings"

	"github.com/go-weir/weir/benchmarks/compare"
)

// Summary is the outcome in a few lines, for a terminal.
func Summary(d *compare.Data) string {
	var b strings.Builder
	r := &report{data: d}
	for _, s := range r.sections() {
		f := s.workload.Decisive
		for _, c := range s.cases {
			fmt.Fprintf(&b, "%s: %s (%s)\n", s.workload.Name, c.Name, f.Name)
			if sp := c.Of(compare.Floor, f); sp.Known() {
				fmt.Fprintf(&b, "    %-8s %10s\n", compare.Floor, amount(sp.Median, f.Unit))
			}
			for _, name := range c.Ranking(f) {
				sp := c.Of(name, f)
				fmt.Fprintf(&b, "    %-8s %10s  %-7s", name, amount(sp.Median, f.Unit), plusMinus(sp))
				if floor := c.Ratio(name, compare.Floor, f); floor.Known() {
					fmt.Fprintf(&b, "  %s of the floor", trim(floor.Median))
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
