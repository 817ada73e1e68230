package load

import (
	"bytes"
	"time"
)

// push is the driver that has the server send one message to all connections. The first connection asks for it, with the
// exchange's request; each then waits for the reply.
type push struct {
	*generator
	asked   time.Duration
	missing int
}

func newPush(g *generator) *push { return &push{generator: g} }

func (d *push) begin() error { return d.ask() }

func (d *push) ask() error {
	d.asked = d.now()
	d.missing = len(d.conns)
	for i := range d.conns {
		d.conns[i].got = 0
	}
	_, err := write(d.conns[0].fd, d.cfg.Exchange.Request) // a byte: the system takes it
	return err
}

func (d *push) writable(*conn) error { return nil }

func (d *push) received(c *conn, p []byte) error {
	reply := d.cfg.Exchange.Reply
	switch {
	case len(p) == 0:
		return nil
	case c.got+len(p) > len(reply):
		return errTooMuch
	case d.verifying && !bytes.Equal(p, reply[c.got:c.got+len(p)]):
		return ErrWrongReply
	}
	if c.got += len(p); c.got < len(reply) {
		return nil
	}
	d.messages++
	_ = d.rtt.RecordValue(int64(d.now() - d.asked)) // none takes a minute
	if d.missing--; d.missing > 0 {
		return nil
	}
	return d.ask()
}
