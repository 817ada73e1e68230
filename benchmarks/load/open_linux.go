package load

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-weir/weir/poller"
)

// open is the driver of the open loop. Messages are due at random times that do not depend on anything that happens
// (a Poisson process), on random connections, and for every server at the same times on the same connections.
type open struct {
	*generator
	x      *Exchange
	random *rand.Rand
	next   time.Duration // when the next message is due
	gap    float64       // mean time between two messages, in nanoseconds
	lag    *hdrhistogram.Histogram
	ended  bool
	stall  []byte // many requests
}

func newOpen(g *generator) *open {
	return &open{
		generator: g,
		x:         &g.cfg.Exchange,
		random:    rand.New(rand.NewPCG(1, 2)),
		gap:       float64(time.Second) / g.cfg.Rate,
		lag:       newHistogram(),
		stall:     bytes.Repeat(g.cfg.Exchange.Request, 1+largestMessage/len(g.cfg.Exchange.Request)),
	}
}

func (d *open) begin() error {
	for i := d.cfg.Conns; i < len(d.conns); i++ {
		if err := d.flood(&d.conns[i]); err != nil {
			return err
		}
	}
	d.next = d.now()
	return nil
}

// flood sends on a stalled connection whatever the system takes. Its answers stay where they are.
func (d *open) flood(c *conn) error {
	for c.sent < StalledBytes {
		n, err := write(c.fd, d.stall[c.sent%len(d.x.Request):])
		if err != nil {
			return nil // closed by the server; the poller reports that too
		}
		if n == 0 {
			return d.want(c, poller.Write)
		}
		c.sent += n
	}
	return d.want(c, 0)
}

func (d *open) pace() (time.Duration, error) {
	now := d.now()
	for d.next <= now && !d.ended {
		c := &d.conns[d.random.IntN(d.cfg.active())]
		_ = d.lag.RecordValue(int64(now - d.next)) // none takes a minute
		c.queue.push(d.next)
		c.since++ // messages to send
		if err := d.writable(c); err != nil {
			return 0, err
		}
		d.next += time.Duration(d.random.ExpFloat64() * d.gap)
	}
	return d.next - now, nil
}

// writable sends what is due on c. sent counts the bytes of the first message, since the messages.
func (d *open) writable(c *conn) error {
	if c.stalled {
		return d.flood(c)
	}
	for c.since > 0 {
		n, err := write(c.fd, d.x.Request[c.sent:])
		if err != nil {
			return err
		}
		if c.sent += n; c.sent < len(d.x.Request) {
			return d.want(c, poller.Read|poller.Write)
		}
		c.sent = 0
		c.since--
	}
	return d.want(c, poller.Read)
}

func (d *open) received(c *conn, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	now := d.now()
	for len(p) > 0 {
		if c.queue.empty() {
			return errTooMuch
		}
		n := min(len(p), len(d.x.Reply)-c.got)
		if d.verifying && !bytes.Equal(p[:n], d.x.Reply[c.got:c.got+n]) {
			return ErrWrongReply
		}
		p = p[n:]
		if c.got += n; c.got == len(d.x.Reply) {
			c.got = 0
			d.messages++
			_ = d.rtt.RecordValue(int64(now - c.queue.pop())) // none takes a minute
		}
	}
	return nil
}

// finish waits for the answers that are missing. Those that don't come count with the time that they were waited for: to
// leave them out would flatter whoever loses them.
func (d *open) finish(r *Result) error {
	d.ended = true
	r.Lag = quantiles(d.lag)
	end := d.now() + time.Second
	for d.now() < end && d.unanswered() > 0 {
		if err := d.until(min(d.now()+10*time.Millisecond, end)); err != nil {
			return err
		}
	}
	now := d.now()
	for i := range d.conns {
		for q := &d.conns[i].queue; !q.empty(); r.Unanswered++ {
			_ = d.rtt.RecordValue(int64(now - q.pop())) // none takes a minute
		}
	}
	return nil
}

func (d *open) unanswered() int {
	n := 0
	for i := range d.conns {
		n += d.conns[i].queue.len()
	}
	return n
}

// fifo is a queue of times.
type fifo struct {
	times []time.Duration
	head  int
}

func (q *fifo) len() int    { return len(q.times) - q.head }
func (q *fifo) empty() bool { return q.head == len(q.times) }

func (q *fifo) push(t time.Duration) {
	if q.head > 0 && q.head >= len(q.times)/2 {
		n := copy(q.times, q.times[q.head:])
		q.times, q.head = q.times[:n], 0
	}
	q.times = append(q.times, t)
}

func (q *fifo) pop() time.Duration {
	t := q.times[q.head]
	q.head++
	return t
}
