package weir

import (
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

// WithPoller has the loops of a server poll with what f makes.
func WithPoller(f func() (poller.Poller, error)) Option {
	return func(o *Options) { o.testHooks.poller = f }
}

// WithCalls lets f put something in front of the server's system calls.
func WithCalls(f func(*sock.Calls)) Option {
	return func(o *Options) { o.testHooks.calls = f }
}
