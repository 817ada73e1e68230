package compare

import (
	"math"
	"testing"
)

func TestSummarize(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name              string
		values            []float64
		median, low, high float64
		n                 int
	}{
		{"one", []float64{3}, 3, 3, 3, 1},
		{"two", []float64{4, 2}, 3, 2, 4, 2},
		{"three", []float64{9, 1, 5}, 5, 1, 9, 3},
		{"five are all within", []float64{5, 4, 3, 2, 1}, 3, 1, 5, 5},
		{"eight are all within", []float64{1, 2, 3, 4, 5, 6, 7, 8}, 4.5, 1, 8, 8},
		{"nine leave the outermost out", []float64{9, 8, 7, 6, 5, 4, 3, 2, 1}, 5, 2, 8, 9},
		{"what is not known does not count", []float64{nan, 7, nan}, 7, 7, 7, 1},
		{"nothing", []float64{nan}, nan, nan, nan, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Summarize(tt.values)
			if !same(s.Median, tt.median) || !same(s.Low, tt.low) || !same(s.High, tt.high) || s.N != tt.n {
				t.Errorf("%v: %+v, want %v, %v to %v of %d", tt.values, s, tt.median, tt.low, tt.high, tt.n)
			}
		})
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// TestCut compares with the binomial distribution, summed up as it is defined.
func TestCut(t *testing.T) {
	for n := 1; n <= 40; n++ {
		k := cut(n)
		if n-2*k < 1 {
			t.Fatalf("of %d values %d are cut at each end", n, k)
		}
		if c := coverage(n, k); k > 0 && c < confidence {
			t.Errorf("of %d values %d are cut at each end, which leaves a confidence of %.3f", n, k, c)
		}
		if c := coverage(n, k+1); n-2*(k+1) >= 1 && c >= confidence {
			t.Errorf("of %d values %d are cut at each end, although one more leaves %.3f", n, k, c)
		}
	}
}

// coverage is how likely the median is between the values k+1 and n-k.
func coverage(n, k int) float64 {
	outside := 0.0
	for i := range k + 1 {
		ways := 1.0
		for j := range i {
			ways *= float64(n-j) / float64(j+1)
		}
		outside += 2 * ways / math.Pow(2, float64(n))
	}
	return 1 - outside
}

func TestRelative(t *testing.T) {
	if r := Summarize([]float64{90, 100, 110}).Relative(); math.Abs(r-.2) > 1e-9 {
		t.Errorf("relative spread of 90, 100, 110: %v, want 0.2", r)
	}
	if r := Summarize([]float64{0, 0}).Relative(); r != 0 {
		t.Errorf("relative spread of nothing: %v", r)
	}
}
