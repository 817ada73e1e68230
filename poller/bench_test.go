//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package poller_test

import (
	"testing"

	"github.com/go-weir/weir/poller"
)

func BenchmarkWaitZero(b *testing.B) {
	p := newPoller(b)
	here, _ := pair(b)
	add(b, p, here, 1, poller.Read)
	benchmarkWait(b, p)
}

func BenchmarkWaitZeroOneReady(b *testing.B) {
	p := newPoller(b)
	here, _ := pair(b)
	add(b, p, here, 1, poller.Write)
	benchmarkWait(b, p)
}

func benchmarkWait(b *testing.B, p poller.Poller) {
	events := make([]poller.Event, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Wait(events, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWake(b *testing.B) {
	p := newPoller(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Wake(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWakeAndWait is a whole wake-up, without the switch between goroutines.
func BenchmarkWakeAndWait(b *testing.B) {
	p := newPoller(b)
	events := make([]poller.Event, 64)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Wake(); err != nil {
			b.Fatal(err)
		}
		if _, err := p.Wait(events, -1); err != nil {
			b.Fatal(err)
		}
	}
}
