// Package brotli stands in for the codec that fasthttp imports. Nothing is compressed here: it is only there so that the
// comparison can be built where a module proxy does not have the real one.
package brotli

import (
	"errors"
	"io"
)

// The levels that fasthttp names.
const (
	BestSpeed       = 0
	BestCompression = 11
)

var errStandIn = errors.New("brotli: this is a stand-in that cannot compress")

// Reader fails.
type Reader struct{}

// NewReader returns a Reader.
func NewReader(io.Reader) *Reader { return new(Reader) }

// Reset does nothing.
func (*Reader) Reset(io.Reader) error { return nil }

// Read returns an error.
func (*Reader) Read([]byte) (int, error) { return 0, errStandIn }

// Writer fails.
type Writer struct{}

// NewWriter returns a Writer.
func NewWriter(io.Writer, int) (*Writer, error) { return new(Writer), nil }

// Reset does nothing.
func (*Writer) Reset(io.Writer) {}

// Write returns an error.
func (*Writer) Write([]byte) (int, error) { return 0, errStandIn }

// Flush returns an error.
func (*Writer) Flush() error { return errStandIn }

// Close returns an error.
func (*Writer) Close() error { return errStandIn }
