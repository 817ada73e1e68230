package weir

import (
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"

	"github.com/go-weir/weir/eventloop"
)

// LoadBalanceStrategy chooses the loop of a new connection among those that it is
// given. It runs on the loop that accepts and must not block. If it panics, or
// returns anything else, the connection is refused and the Logger told.
type LoadBalanceStrategy func(loops []*eventloop.EventLoop) *eventloop.EventLoop

// AddrStrategy is a LoadBalanceStrategy that also looks at the address of who
// connects.
type AddrStrategy func(loops []*eventloop.EventLoop, peer netip.AddrPort) *eventloop.EventLoop

// Strategy is what LoadBalance takes: either kind, with or without its name.
type Strategy interface {
	LoadBalanceStrategy | func([]*eventloop.EventLoop) *eventloop.EventLoop |
		AddrStrategy | func([]*eventloop.EventLoop, netip.AddrPort) *eventloop.EventLoop
}

// RoundRobin chooses one loop after the other. It is the default.
func RoundRobin() LoadBalanceStrategy {
	var next atomic.Uint64
	return func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
		return loops[(next.Add(1)-1)%uint64(len(loops))]
	}
}

// LeastConnection chooses a loop that has the fewest connections. Those on
// their way to a loop count already, so a burst spreads evenly.
func LeastConnection() LoadBalanceStrategy {
	return func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
		least := loops[0]
		count := least.ConnectionCount()
		for _, l := range loops[1:] {
			if n := l.ConnectionCount(); n < count {
				least, count = l, n
			}
		}
		return least
	}
}

// Random chooses any loop.
func Random() LoadBalanceStrategy {
	return func(loops []*eventloop.EventLoop) *eventloop.EventLoop {
		return loops[rand.IntN(len(loops))]
	}
}

// SourceAddrHash chooses by the peer's IP address, so that all connections
// from one address are on the same loop.
func SourceAddrHash() AddrStrategy {
	seed := maphash.MakeSeed()
	return func(loops []*eventloop.EventLoop, peer netip.AddrPort) *eventloop.EventLoop {
		return loops[maphash.Comparable(seed, peer.Addr())%uint64(len(loops))]
	}
}
