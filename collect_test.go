package weir_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/go-weir/weir"
)

// TestDeadAreCollected: a server that lives on holds nothing of connections that have
// ended, however many of them it had to do with in one cycle.
func TestDeadAreCollected(t *testing.T) {
	const n = 16
	var all []*weir.Connection // loop only
	var dead []weak.Pointer[weir.Connection]
	var opened, closed atomic.Int64
	s := start(t, &handler{
		connect: func(c *weir.Connection) {
			all, dead = append(all, c), append(dead, weak.Make(c))
			opened.Add(1)
		},
		message: func(*weir.Connection, any, []byte) any {
			for _, c := range all {
				fail(t, c.Send("to all"))
			}
			all = nil
			return nil
		},
		close: func(*weir.Connection) { closed.Add(1) },
	}, weir.IdleTime(time.Hour))
	peers := make([]func(), n)
	for i := range peers {
		c := dial(t, s)
		peers[i] = func() { expect(t, c, "to all"); _ = c.Close() } // all was read
		if eventually(t, "it is known", func() bool { return opened.Load() == int64(i+1) }); i == n-1 {
			send(t, c, "go")
		}
	}
	for _, end := range peers {
		end()
	}
	eventually(t, "all have ended", func() bool { return closed.Load() == n })
	eventually(t, "all are collected", func() bool {
		runtime.GC()
		for _, c := range dead {
			if c.Value() != nil {
				return false
			}
		}
		return true
	})
}

// TestEncodedAreCollected: nor of the one that it has encoded for last.
func TestEncodedAreCollected(t *testing.T) {
	dead := make(chan weak.Pointer[weir.Connection], 1)
	h := replying()
	h.close = func(c *weir.Connection) { dead <- weak.Make(c) }
	s := start(t, h, weir.CustomProtocol(framedAppender{}))
	c := dial(t, s)
	send(t, c, frame("hello"))
	expect(t, c, frame("hello"))
	_ = c.Close() // all was read
	last := receive(t, dead)
	eventually(t, "it is collected", func() bool {
		runtime.GC()
		return last.Value() == nil
	})
}
