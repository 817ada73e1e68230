package main

import (
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// figures is how it went.
type figures struct {
	bots, connected     int
	connecting, talking time.Duration

	// any goroutine
	said      atomic.Int64 // messages that bots have sent
	expected  atomic.Int64 // how often they should arrive: once for each bot in the room
	delivered atomic.Int64 // how often they have
	latency   histogram    // from one bot's sending to another's receiving

	// guarded by mu
	mu     sync.Mutex
	errors int
	first  error
}

// fail counts an error.
func (f *figures) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errors++; f.first == nil {
		f.first = err
	}
}

// print writes the report. Whatever was lost on the way is an error, too.
func (f *figures) print(w io.Writer) {
	said, delivered := f.said.Load(), f.delivered.Load()
	if lost := f.expected.Load() - delivered; lost > 0 {
		f.fail(fmt.Errorf("%d of %d messages have not arrived", lost, f.expected.Load()))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%-11s"+format+"\n", append([]any{name}, args...)...) // where else could it be said
	}
	row("connected", "%s of %s, in %s", grouped(int64(f.connected)), grouped(int64(f.bots)), short(f.connecting))
	row("sent", "%s messages, %s/s", grouped(said), grouped(perSecond(said, f.talking)))
	row("delivered", "%s, %s/s", grouped(delivered), grouped(perSecond(delivered, f.talking)))
	row("latency", "p50 %s, p99 %s, max %s", short(f.latency.quantile(0.5)), short(f.latency.quantile(0.99)), short(f.latency.quantile(1)))
	row("errors", "%d", f.errors)
}

func perSecond(n int64, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64(float64(n) / d.Seconds())
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short leaves out digits that say nothing.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// histogram counts times, in µs and by size: 16 classes for each power of two, so that
// what it says is at most a sixteenth too large.
type histogram struct{ counts [64 * 16]atomic.Int64 }

// class is where n belongs.
func class(n uint64) int {
	if n < 16 {
		return int(n)
	}
	shift := bits.Len64(n) - 5
	return shift*16 + int(n>>shift)
}

// most is the largest n of a class.
func most(class int) uint64 {
	if class < 32 {
		return uint64(class)
	}
	shift := class/16 - 1
	return (uint64(16+class%16)+1)<<shift - 1
}

func (h *histogram) record(d time.Duration) {
	h.counts[class(uint64(max(0, d.Microseconds())))].Add(1)
}

// quantile returns a time that the given part of all have not exceeded; 0 if there are
// none.
func (h *histogram) quantile(q float64) time.Duration {
	var all int64
	for i := range h.counts {
		all += h.counts[i].Load()
	}
	if all == 0 {
		return 0
	}
	rank, seen := max(1, int64(q*float64(all)+0.5)), int64(0)
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen >= rank {
			return time.Duration(most(i)) * time.Microsecond
		}
	}
	return 0
}
