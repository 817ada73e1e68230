package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-weir/weir/benchmarks/workloads"
)

// Ranking are the servers of one case, the best first. The floor, which is no server that anybody could use, and those
// without a figure are not among them.
func (c *Case) Ranking(f workloads.Figure) []string {
	type entry struct {
		name   string
		median float64
	}
	var entries []entry
	for _, name := range c.Servers() {
		if s := c.Of(name, f); s.Known() && name != Floor {
			entries = append(entries, entry{name, s.Median})
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		if f.Less {
			return cmp.Compare(a.median, b.median)
		}
		return cmp.Compare(b.median, a.median)
	})
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return names
}

// Outcome is how weir does against one other server.
type Outcome int

// The outcomes.
const (
	Unknown Outcome = iota // one of the two has no figure
	Ahead
	Even // no difference that the rounds can show
	Behind
)

// Verdict is the outcome of one case for weir.
type Verdict struct {
	Outcome Outcome
	Rival   string // the best of the others
	Ratio   Spread // weir's figure over the rival's; over 1: weir is better
	Figure  workloads.Figure
}

// fewRounds is the number below which the interval says little. A ratio within a twentieth of 1 is then taken for none.
const fewRounds = 3

// Judge compares weir with the best of the others. ok is false if weir did not take part, or nobody else.
func (c *Case) Judge(f workloads.Figure) (v Verdict, ok bool) {
	v = Verdict{Figure: f}
	for _, name := range c.Ranking(f) {
		if name != Weir {
			v.Rival = name
			break
		}
	}
	if v.Rival == "" || !slices.Contains(c.Servers(), Weir) {
		return v, false
	}
	v.Ratio = c.Ratio(Weir, v.Rival, f)
	r := v.Ratio
	switch {
	case !r.Known():
		v.Outcome = Unknown
	case r.N < fewRounds && r.Median > 0.95 && r.Median < 1.05, r.Low <= 1 && r.High >= 1:
		v.Outcome = Even
	case r.Low > 1:
		v.Outcome = Ahead
	default:
		v.Outcome = Behind
	}
	return v, true
}

// String is a sentence.
func (v Verdict) String() string {
	switch v.Outcome {
	case Ahead:
		return fmt.Sprintf("weir is first, %s the next, %s%s.", times(v.Ratio.Median), v.Rival, v.interval())
	case Behind:
		inverse := Spread{Median: 1 / v.Ratio.Median, Low: 1 / v.Ratio.High, High: 1 / v.Ratio.Low, N: v.Ratio.N}
		return fmt.Sprintf("%s is better, %s weir%s.", v.Rival, times(inverse.Median),
			Verdict{Ratio: inverse}.interval())
	case Even:
		return fmt.Sprintf("weir and %s are even: no difference that these rounds can show%s.", v.Rival, v.interval())
	}
	return fmt.Sprintf("weir has no figure to compare with that of %s.", v.Rival)
}

// times says how many times as good.
func times(ratio float64) string { return fmt.Sprintf("%.2f times", ratio) }

func (v Verdict) interval() string {
	if v.Ratio.N < 2 {
		return ""
	}
	return fmt.Sprintf(" (%.2f to %.2f)", v.Ratio.Low, v.Ratio.High)
}
