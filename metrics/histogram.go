package metrics

import "slices"

// Histogram is how often values fell into each of its buckets. The zero value
// has no bucket and no value; it becomes a sum with the first Add.
type Histogram struct {
	// Bounds are the buckets' upper bounds, inclusive and ascending. They are
	// shared by all histograms of a kind, and for reading only.
	Bounds []float64
	// Counts are the values in each bucket, and behind those the values above
	// the last bound. Not cumulative.
	Counts []uint64
	Sum    float64 // of all values
}

// Count is the number of values.
func (h *Histogram) Count() uint64 {
	var n uint64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Add adds the values of o, whose bounds must be those of h.
func (h *Histogram) Add(o *Histogram) {
	if len(h.Counts) == 0 {
		h.Bounds = o.Bounds
		h.Counts = slices.Clone(o.Counts)
	} else {
		for i, c := range o.Counts {
			h.Counts[i] += c
		}
	}
	h.Sum += o.Sum
}

// Since is the histogram of the values that came after an earlier state of it.
func (h *Histogram) Since(earlier *Histogram) Histogram {
	d := Histogram{Bounds: h.Bounds, Counts: slices.Clone(h.Counts), Sum: h.Sum - earlier.Sum}
	for i, c := range earlier.Counts {
		d.Counts[i] -= c
	}
	return d
}

// Quantile estimates the value that the share q, from 0 to 1, of all values do
// not exceed, as if they were spread evenly within their bucket. For one above
// the last bound it is that bound; with no values it is 0.
func (h *Histogram) Quantile(q float64) float64 {
	rank := q * float64(h.Count())
	if rank == 0 {
		return 0
	}
	below, lower := 0.0, 0.0
	for i, upper := range h.Bounds {
		n := float64(h.Counts[i])
		if n > 0 && below+n >= rank {
			return lower + (upper-lower)*(rank-below)/n
		}
		below, lower = below+n, upper
	}
	return lower
}
