package load

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/go-weir/weir/poller"
)

const (
	batchSize = 1024
	// readSize is as much as one read(2) takes.
	readSize = 1 << 20
	// silence is how long a server may say nothing at all.
	silence = 10 * time.Second
)

// driver decides what is sent.
type driver interface {
	// begin sends the first messages.
	begin() error
	// received takes what has come from c.
	received(c *conn, p []byte) error
	// writable goes on where the system took no more bytes.
	writable(c *conn) error
}

// pacer is a driver that sends by the clock.
type pacer interface {
	// pace sends what is due, and says how long it is until something is.
	pace() (time.Duration, error)
	// finish is called once, after the end of the measurement.
	finish(r *Result) error
}

// conn is one connection. What it counts has a meaning for its driver only.
type conn struct {
	fd      int
	index   uint64
	watched poller.Interest
	sent    int           // bytes sent of what is being sent
	got     int           // bytes received of what is being received
	since   time.Duration // when that began
	queue   fifo          // when what is unanswered was due
	stalled bool          // never reads
}

// generator is one run.
type generator struct {
	// set once
	cfg    *Config
	server netip.AddrPort
	origin time.Time
	poll   poller.Poller
	driver driver
	paced  pacer // the driver, if it is one

	conns     []conn
	events    []poller.Event
	in        []byte
	rtt       *hdrhistogram.Histogram
	verifying bool
	messages  uint64
	bytes     uint64
	stopped   atomic.Bool // by the context; any goroutine
}

// Run makes the load that cfg describes.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	server, err := netip.ParseAddrPort(cfg.Address)
	if err != nil || !server.Addr().Is4() {
		return nil, fmt.Errorf("load: %q is not an IPv4 address with a port", cfg.Address)
	}
	if cfg.Mode.External() {
		r, err := runClient(ctx, &cfg, server)
		if err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		return r, nil
	}
	p, err := poller.New()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	g := &generator{
		cfg: &cfg, server: server, origin: time.Now(), poll: p,
		events: make([]poller.Event, batchSize), in: make([]byte, readSize),
		rtt: newHistogram(), verifying: !cfg.Exchange.AnyReply,
	}
	defer g.close()
	stop := context.AfterFunc(ctx, func() {
		g.stopped.Store(true)
		_ = p.Wake() // it is open until close has waited for this function
	})
	defer stop()
	r, err := g.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return r, nil
}

// run opens the connections, makes the load, and adds the server's memory.
func (g *generator) run(ctx context.Context) (*Result, error) {
	before, err := g.cfg.rss()
	if err != nil {
		return nil, err
	}
	if err := g.connect(ctx); err != nil {
		return nil, err
	}
	var r *Result
	switch g.cfg.Mode {
	case Closed:
		r, err = g.drive(newClosed(g))
	case Open:
		r, err = g.drive(newOpen(g))
	case Push:
		r, err = g.drive(newPush(g))
	case OneWay:
		r, err = g.stream()
	case Idle:
		r, err = g.idle(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.RSSBefore = before
	r.RSS, err = g.cfg.rss()
	return r, err
}

// connect opens all connections.
func (g *generator) connect(ctx context.Context) error {
	cfg := g.cfg
	n := cfg.Conns + cfg.Stalled
	g.conns = make([]conn, 0, n)
	greet := cfg.Mode == Closed || cfg.Mode == Open || cfg.Mode == Idle && !cfg.Silent
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		fd, err := dial(g.server, i, &cfg.Exchange, greet, i >= cfg.Conns)
		if err != nil {
			return fmt.Errorf("connection %d of %d: %w", i+1, n, err)
		}
		g.conns = append(g.conns, conn{fd: fd, index: uint64(i), watched: poller.Read, stalled: i >= cfg.Conns})
		if err := g.poll.Add(fd, uint64(i), poller.Read); err != nil {
			return err
		}
	}
	return nil
}

// drive warms the server up, measures, and puts the result together.
func (g *generator) drive(d driver) (*Result, error) {
	g.driver = d
	g.paced, _ = d.(pacer)
	if err := d.begin(); err != nil {
		return nil, err
	}
	if err := g.until(g.now() + g.cfg.Warmup); err != nil {
		return nil, err
	}
	g.rtt.Reset()
	g.messages, g.bytes = 0, 0
	g.verifying = g.verifying && g.cfg.Verify
	before, err := g.cfg.readMeter()
	if err != nil {
		return nil, err
	}
	if err := g.until(g.now() + g.cfg.Duration); err != nil {
		return nil, err
	}
	after, err := g.cfg.readMeter()
	if err != nil {
		return nil, err
	}
	r := &Result{Messages: g.messages, Bytes: g.bytes, Watchful: g.paced != nil || g.cfg.Mode == Push}
	r.between(g.cfg, before, after)
	if g.paced != nil {
		if err := g.paced.finish(r); err != nil {
			return nil, err
		}
	}
	r.RTT = quantiles(g.rtt)
	return r, nil
}

// until serves the connections up to a time.
func (g *generator) until(end time.Duration) error {
	heard := g.now()
	for !g.stopped.Load() {
		n, err := g.wait()
		if err != nil {
			return err
		}
		switch now := g.now(); {
		case now >= end:
			return nil
		case n > 0:
			heard = now
		case now-heard > silence:
			return fmt.Errorf("the server has not answered for %v", silence)
		}
		for _, e := range g.events[:n] {
			if err := g.serve(&g.conns[e.Token], e.Ready); err != nil {
				return err
			}
		}
	}
	return context.Canceled
}

// serve does what can be done on one connection.
func (g *generator) serve(c *conn, ready poller.Readiness) error {
	if c.stalled && ready&poller.Hangup != 0 {
		return g.poll.Remove(c.fd) // the server has had enough of it, which is its good right
	}
	if ready&poller.Writable != 0 {
		if err := g.driver.writable(c); err != nil {
			return err
		}
	}
	if ready&(poller.Readable|poller.Hangup) == 0 {
		return nil
	}
	n, err := read(c.fd, g.in)
	if err != nil {
		return fmt.Errorf("connection %d: %w", c.index+1, err)
	}
	g.bytes += uint64(n)
	if err := g.driver.received(c, g.in[:n]); err != nil {
		return fmt.Errorf("connection %d: %w", c.index+1, err)
	}
	return nil
}

// wait is for events, or for what a pacer has to send. It looks before it blocks: the scheduler need not know of a wait
// that ends at once.
func (g *generator) wait() (int, error) {
	n, err := g.poll.Wait(g.events, 0)
	timeout := 100 * time.Millisecond
	if g.paced != nil && err == nil {
		timeout, err = g.paced.pace()
	}
	if n > 0 || err != nil || g.cfg.Mode == Push {
		return n, err // pushed: the server is not to pay for waking this program up, with most deliveries
	}
	if timeout < 2*time.Millisecond {
		runtime.Gosched() // the poller counts milliseconds: what is due sooner is waited for by looking again
		return 0, nil
	}
	return g.poll.Wait(g.events, min(timeout, 100*time.Millisecond)-time.Millisecond)
}

// want tells the poller what is wanted of c from now on.
func (g *generator) want(c *conn, i poller.Interest) error {
	if c.watched == i {
		return nil
	}
	c.watched = i
	return g.poll.Modify(c.fd, c.index, i)
}

// now is the time since the run began.
func (g *generator) now() time.Duration { return time.Since(g.origin) }

func (g *generator) close() {
	for i := range g.conns {
		_ = unix.Close(g.conns[i].fd) // nothing to lose
	}
	_ = g.poll.Close() // the same
}
