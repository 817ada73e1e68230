package main

import (
	"sync/atomic"

	"github.com/go-weir/weir"
)

const (
	// maxBehind is how many bytes all clients together may be behind.
	maxBehind = 1 << 30
	// uncounted is how many bytes a client may be behind that are not counted. It is more
	// than the high-water mark, so OnWritable follows for whoever is counted.
	uncounted = 4 << 20
)

// backlog bounds what all clients together have asked for and not read: a short command
// can have a long reply, and one who sends many such commands needs only more connections.
type backlog struct {
	// set once
	most int64

	// any goroutine
	total atomic.Int64
}

// take reports whether cl may be sent n bytes more. No client may be further behind than
// what is left for all: whoever is far behind keeps nobody out who asks for little. Loop
// only.
func (b *backlog) take(cl *client, n int) bool {
	behind := cl.conn.WriteBufferLength() + int64(n)
	if behind < uncounted {
		b.release(cl)
		return true
	}
	total := b.total.Add(behind - cl.behind)
	if behind > b.most-total {
		b.total.Add(cl.behind - behind)
		return false
	}
	cl.behind = behind
	return true
}

// release notes that cl is behind no more, or gone. Loop only.
func (b *backlog) release(cl *client) {
	if cl.behind > 0 {
		b.total.Add(-cl.behind)
		cl.behind = 0
	}
}

// OnWritable implements weir.WritableHandler: the client has read what it was sent.
func (s *server) OnWritable(c *weir.Connection) { s.backlog.release(c.Context().(*client)) }
