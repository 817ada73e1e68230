// Package metrics shows what servers do: their counts as Prometheus metrics.
//
// It imports nothing of weir. What it shows it asks of a Source, which a
// *weir.Server is.
//
// The Prometheus client that it is made with imports the standard library's expvar, and
// that puts /debug/vars, which shows the command line and the heap, on
// http.DefaultServeMux of every program that has weir in it. Nothing here serves that
// mux; a program that does, by an http.Server without a Handler, shows it: use a mux of
// your own.
package metrics
