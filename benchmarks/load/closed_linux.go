package load

import (
	"bytes"
	"errors"

	"github.com/go-weir/weir/poller"
)

// closed is the driver of the closed loop.
type closed struct {
	*generator
	batch   []byte // the requests
	replies []byte // the answers to them
	reply   int    // bytes of one
}

func newClosed(g *generator) *closed {
	x := &g.cfg.Exchange
	return &closed{
		generator: g,
		batch:     bytes.Repeat(x.Request, g.cfg.Pipeline),
		replies:   bytes.Repeat(x.Reply, g.cfg.Pipeline),
		reply:     len(x.Reply),
	}
}

func (d *closed) begin() error {
	for i := range d.cfg.active() {
		c := &d.conns[i]
		c.since = d.now()
		if err := d.send(c); err != nil {
			return err
		}
	}
	return nil
}

// send sends c's next batch.
func (d *closed) send(c *conn) error {
	c.sent, c.got = 0, 0
	return d.writable(c)
}

func (d *closed) writable(c *conn) error {
	n, err := write(c.fd, d.batch[c.sent:])
	if err != nil {
		return err
	}
	c.sent += n
	if c.sent < len(d.batch) {
		return d.want(c, poller.Read|poller.Write)
	}
	return d.want(c, poller.Read)
}

var (
	errTooMuch    = errors.New("the server answered with more bytes than it should")
	errUnasked    = errors.New("the server said something without being asked")
	errBeforehand = errors.New("the server answered before it had the whole message")
)

func (d *closed) received(c *conn, p []byte) error {
	switch {
	case c.index >= uint64(d.cfg.active()):
		return errUnasked
	case c.got+len(p) > len(d.replies):
		return errTooMuch
	case d.verifying && !bytes.Equal(p, d.replies[c.got:c.got+len(p)]):
		return ErrWrongReply
	}
	before := c.got / d.reply
	c.got += len(p)
	d.messages += uint64(c.got/d.reply - before)
	if c.got < len(d.replies) {
		return nil
	}
	if c.sent < len(d.batch) {
		return errBeforehand
	}
	now := d.now()
	_ = d.rtt.RecordValue(int64(now - c.since)) // none takes a minute
	c.since = now
	return d.send(c)
}
