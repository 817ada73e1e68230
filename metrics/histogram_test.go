package metrics_test

import (
	"slices"
	"testing"

	"github.com/go-weir/weir/metrics"
)

func TestHistogram(t *testing.T) {
	bounds := []float64{1, 2, 4}
	h := metrics.Histogram{Bounds: bounds, Counts: []uint64{10, 0, 20, 10}, Sum: 100}
	for _, tt := range []struct{ q, want float64 }{
		{0, 0}, {0.125, 0.5}, {0.25, 1}, {0.5, 3}, {0.75, 4}, {0.99, 4}, {1, 4},
	} {
		if got := h.Quantile(tt.q); got != tt.want {
			t.Errorf("Quantile(%v) is %v, want %v", tt.q, got, tt.want)
		}
	}
	var sum metrics.Histogram
	if n, q := sum.Count(), sum.Quantile(0.5); n != 0 || q != 0 {
		t.Errorf("without values: count %d, median %v", n, q)
	}
	sum.Add(&h)
	sum.Add(&h)
	if want := []uint64{20, 0, 40, 20}; !slices.Equal(sum.Counts, want) || sum.Sum != 200 || sum.Count() != 80 {
		t.Errorf("the sum is %v", sum)
	}
	d := sum.Since(&h)
	if !slices.Equal(d.Counts, h.Counts) || d.Sum != h.Sum {
		t.Errorf("the difference is %v", d)
	}
	if h.Counts[0] != 10 || sum.Counts[0] != 20 {
		t.Error("Add or Since has changed what it was given")
	}
	if d := sum.Since(new(metrics.Histogram)); !slices.Equal(d.Counts, sum.Counts) {
		t.Errorf("since nothing: %v", d)
	}
}
