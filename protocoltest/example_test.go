package protocoltest_test

import (
	"testing"

	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/protocoltest"
)

// The test and the fuzz target of a protocol share one Spec.
func ExampleRun() {
	frames := func() protocoltest.Spec {
		p, err := lengthfield.New(lengthfield.Config{Width: 1, Strip: 1, MaxFrame: 100})
		if err != nil {
			panic(err)
		}
		return protocoltest.Spec{
			Protocol: p,
			Streams: []protocoltest.Stream{{
				Name:     "two, and the beginning of a third",
				Bytes:    []byte("\x03one\x03two\x05thr"),
				Messages: []protocoltest.Message{{Payload: []byte("one")}, {Payload: []byte("two")}},
			}},
			Garbage: []protocoltest.Garbage{
				{Name: "more than MaxFrame", Bytes: []byte("\xFF")},
			},
			RoundTrips: []protocoltest.RoundTrip{
				{Data: "text", Message: protocoltest.Message{Payload: []byte("text")}},
			},
		}
	}
	// In a package's tests these are not values but functions.
	_ = func(t *testing.T) { protocoltest.Run(t, frames()) }
	_ = func(f *testing.F) { protocoltest.Fuzz(f, frames()) }
	// Output:
}
