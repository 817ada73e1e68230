package render

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/compare"
)

// amount is a figure in three digits, with its unit.
func amount(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case unit == "/s":
		return short(v)
	case unit == "µs" && v >= 1e6:
		return fmt.Sprintf("%.3g s", v/1e6)
	case unit == "µs" && v >= 1e3:
		return fmt.Sprintf("%.3g ms", v/1e3)
	case strings.HasPrefix(unit, "ns/") && v >= 1e3:
		return fmt.Sprintf("%.3g µs", v/1e3)
	case strings.HasPrefix(unit, "ns/"):
		return fmt.Sprintf("%.3g ns", v)
	case unit == "MiB" && v >= 1e3:
		return fmt.Sprintf("%.3g GiB", v/1024)
	case v >= 1e3:
		return fmt.Sprintf("%.0f %s", v, strings.TrimSuffix(unit, "/conn"))
	}
	return fmt.Sprintf("%.3g %s", v, strings.TrimSuffix(unit, "/conn"))
}

// short is a large number in three digits.
func short(v float64) string {
	switch {
	case v >= 1e9:
		return digits(v/1e9) + " G"
	case v >= 1e6:
		return digits(v/1e6) + " M"
	case v >= 1e3:
		return digits(v/1e3) + " k"
	}
	return digits(v)
}

// digits is a number below 1000 in three digits, without an exponent.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// trim is a ratio.
func trim(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

// plusMinus is a spread as a share of the median.
func plusMinus(s compare.Spread) string {
	if s.N < 2 {
		return "–"
	}
	return fmt.Sprintf("±%.0f %%", 50*s.Relative())
}

// seconds is a duration without fractions that nobody wants.
func seconds(d time.Duration) string { return d.Round(time.Millisecond).String() }

func gibibytes(n int64) string { return fmt.Sprintf("%.0f GiB", float64(n)/(1<<30)) }
