package protocoltest

import (
	"errors"
	"time"
)

// Everything is what Run reports.
func (x *Tester) Everything() error {
	var list []error
	for _, s := range x.spec.Streams {
		list = append(list, x.stream(s))
	}
	for _, g := range x.spec.Garbage {
		list = append(list, x.garbage(g))
	}
	return errors.Join(append(list, x.roundTrips(x.spec.RoundTrips))...)
}

// SetPatience replaces the time after which the loop is taken for stuck.
func (x *Tester) SetPatience(d time.Duration) { x.patience = d }

// Unstick says that the loop isn't stuck any more.
func (x *Tester) Unstick() { x.stuck = nil }
