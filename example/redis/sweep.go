package main

import "time"

const (
	sweepPeriod = 100 * time.Millisecond
	// sweepParts is in how many runs all shards have had their turn.
	sweepParts = 10
	// sweepSample is how many entries of a shard are looked at in one go: it is
	// locked for that long.
	sweepSample = 20
	// sweepTime is about the most that one run takes.
	sweepTime = 10 * time.Millisecond
)

// sweep removes entries whose time has come and that nobody asks for any more. One
// run at a time.
func (s *store) sweep() {
	begin := time.Now()
	for range shards / sweepParts {
		sh := &s.shards[s.swept]
		s.swept = (s.swept + 1) % shards
		for sh.sweep(begin.UnixMilli()) > sweepSample/4 { // then there are more
			if time.Since(begin) > sweepTime {
				return
			}
		}
	}
}

// sweep looks at some entries, others each time since maps have no order, and
// returns how many it has removed.
func (sh *shard) sweep(now int64) (removed int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	looked := 0
	for key, e := range sh.volatile {
		if e.expires <= now {
			sh.remove(key, e)
			removed++
		}
		if looked++; looked == sweepSample {
			break
		}
	}
	return removed
}
