// Package metrics shows what servers do: their counts as Prometheus metrics.
//
// It imports nothing of weir. What it shows it asks of a Source, which a
// *weir.Server is.
package metrics
