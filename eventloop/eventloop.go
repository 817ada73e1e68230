// Package eventloop has what a load balancing strategy chooses among: a server's loops,
// of which it sees how many connections they have.
package eventloop

import "github.com/go-weir/weir/internal/eventloop"

// EventLoop is one of a server's loops, as a weir.LoadBalanceStrategy sees it. Any
// goroutine may call its methods, and nothing that can be done with it disturbs the loop.
type EventLoop struct{ loop *eventloop.EventLoop }

// Of is the EventLoop that stands for a server's loop.
func Of(loop *eventloop.EventLoop) *EventLoop { return &EventLoop{loop} }

// Index is the loop's place among its server's loops, from 0.
func (l *EventLoop) Index() int { return l.loop.Index() }

// ConnectionCount is the number of connections that the loop has, those on their way to
// it included.
func (l *EventLoop) ConnectionCount() int64 { return l.loop.ConnectionCount() }
