// Package compare turns the results of several rounds into figures that can be compared, and says when they can't.
package compare

import (
	"math"
	"slices"
)

// Spread is what several rounds say about one figure.
type Spread struct {
	Median    float64
	Low, High float64 // the interval that holds the true median, as far as the rounds can tell
	N         int     // rounds
}

// confidence is that of the interval, if there are rounds enough for it: five or more.
const confidence = .93

// Summarize makes a Spread of one figure per round. Those that are NaN are left out.
//
// The interval is between two of the values themselves, which takes no assumption about their distribution: each value is
// below the true median as often as above it, so how many are below is a matter of tossing coins. With fewer than nine
// rounds it is from the smallest to the largest.
func Summarize(values []float64) Spread {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	n := len(sorted)
	if n == 0 {
		return Spread{Median: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	k := cut(n)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Low: sorted[k], High: sorted[n-1-k], N: n}
}

// cut is how many values may be left out at each end of n.
func cut(n int) int {
	outside, ways := math.Ldexp(1, 1-n), 1.0 // of all values being on one side; n over k
	k := 0
	for {
		ways = ways * float64(n-k) / float64(k+1)
		more := ways * math.Ldexp(1, 1-n)
		if k+1 > (n-1)/2 || 1-outside-more < confidence {
			return k
		}
		outside += more
		k++
	}
}

// Relative is the width of the interval as a share of the median.
func (s Spread) Relative() float64 {
	if s.Median == 0 {
		return 0
	}
	return (s.High - s.Low) / math.Abs(s.Median)
}

// Known reports whether there is any value.
func (s Spread) Known() bool { return s.N > 0 }
