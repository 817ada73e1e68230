package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

const (
	worstShown = 10
	worstShare = 50 // a walk is followed by this many times its duration without one
)

// worst finds the connections that stand out, by walking all of them. Where that
// takes long, because there are many, it is done less often, and what it found
// stays for that time.
type worst struct {
	known map[ConnectionSource]*worstList
}

type worstList struct {
	slowest, fattest []liveConnection
	next             time.Time // not walked before
}

// of returns the slowest and the fattest connections of a server, each at most
// worstShown, the worst first. Both are not nil.
func (w *worst) of(source ConnectionSource, now time.Time) (slowest, fattest []liveConnection) {
	if w.known == nil {
		w.known = make(map[ConnectionSource]*worstList)
	}
	list := w.known[source]
	if list == nil {
		list = &worstList{}
		w.known[source] = list
	}
	if !now.Before(list.next) {
		begin := time.Now()
		list.walk(source)
		list.next = now.Add(worstShare * time.Since(begin))
	}
	return list.slowest, list.fattest
}

func (l *worstList) walk(source ConnectionSource) {
	slowest := top{by: func(c *ConnectionStats) int64 { return int64(c.SlowestCallback) }}
	fattest := top{by: func(c *ConnectionStats) int64 { return c.Output + c.Input }}
	for c := range source.ConnectionStats() {
		slowest.offer(&c)
		fattest.offer(&c)
	}
	l.slowest, l.fattest = slowest.list(), fattest.list()
}

// top keeps the worstShown connections with the highest figure, ascending. Most
// connections are turned away by one comparison.
type top struct {
	by   func(*ConnectionStats) int64
	kept []ConnectionStats
}

func (t *top) offer(c *ConnectionStats) {
	n := t.by(c)
	if n <= 0 || len(t.kept) == worstShown && n <= t.by(&t.kept[0]) {
		return
	}
	if len(t.kept) == worstShown {
		t.kept = slices.Delete(t.kept, 0, 1)
	}
	i, _ := slices.BinarySearchFunc(t.kept, n, func(k ConnectionStats, n int64) int { return cmp.Compare(t.by(&k), n) })
	t.kept = slices.Insert(t.kept, i, *c)
}

func (t *top) list() []liveConnection {
	list := make([]liveConnection, 0, len(t.kept))
	for _, c := range slices.Backward(t.kept) {
		list = append(list, liveConnection{
			ID: fmt.Sprintf("%016x", c.ID), Peer: c.Peer.String(), Loop: c.Loop,
			Max: c.SlowestCallback.Seconds(), Output: c.Output, Input: c.Input,
		})
	}
	return list
}
