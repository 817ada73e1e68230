package load

import (
	"bytes"
	"time"
)

// push is the driver that has the server send messages to all connections, a batch at a time. The first connection asks for
// each of them, with the exchange's request; all then wait for the replies.
type push struct {
	*generator
	requests []byte
	replies  []byte
	reply    int // bytes of one
	asked    time.Duration
	missing  int // connections that lack a reply
}

func newPush(g *generator) *push {
	x := &g.cfg.Exchange
	return &push{
		generator: g, requests: bytes.Repeat(x.Request, g.cfg.Pipeline), replies: bytes.Repeat(x.Reply, g.cfg.Pipeline),
		reply: len(x.Reply),
	}
}

func (d *push) begin() error { return d.ask() }

func (d *push) ask() error {
	d.asked = d.now()
	d.missing = len(d.conns)
	for i := range d.conns {
		d.conns[i].got = 0
	}
	_, err := write(d.conns[0].fd, d.requests) // a few bytes: the system takes them
	return err
}

func (d *push) writable(*conn) error { return nil }

func (d *push) received(c *conn, p []byte) error {
	switch {
	case len(p) == 0:
		return nil
	case c.got+len(p) > len(d.replies):
		return errTooMuch
	case d.verifying && !bytes.Equal(p, d.replies[c.got:c.got+len(p)]):
		return ErrWrongReply
	}
	before := c.got / d.reply
	c.got += len(p)
	for range c.got/d.reply - before {
		d.messages++
		_ = d.rtt.RecordValue(int64(d.now() - d.asked)) // none takes a minute
	}
	if c.got < len(d.replies) {
		return nil
	}
	if d.missing--; d.missing > 0 {
		return nil
	}
	return d.ask()
}
