package load

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-weir/weir/benchmarks/process"
)

// client is a program of others that makes the load.
type client interface {
	// warm makes load for a while, about as long as the configuration says.
	warm(ctx context.Context) error
	// measure makes the load that counts.
	measure(ctx context.Context) (*outcome, error)
}

// outcome is what a client says of its own run, and what it used of the processors.
type outcome struct {
	requests uint64
	elapsed  time.Duration
	rtt      Quantiles
	used     time.Duration
}

// runClient sees that the server answers as it should, then has a client make the load. The server is measured from the
// client's start to its end, so that opening the connections is part of it.
func runClient(ctx context.Context, cfg *Config, server netip.AddrPort) (*Result, error) {
	before, err := cfg.rss()
	if err != nil {
		return nil, err
	}
	fd, err := dial(server, 0, &cfg.Exchange, false, false)
	if err != nil {
		return nil, err
	}
	_ = unix.Close(fd) // nothing to lose
	var c client
	if cfg.Mode == Wrk {
		c = &wrk{cfg: cfg}
	} else {
		c = &redisBenchmark{cfg: cfg, server: server}
	}
	if err := c.warm(ctx); err != nil {
		return nil, err
	}
	begin, err := cfg.readMeter()
	if err != nil {
		return nil, err
	}
	o, err := c.measure(ctx)
	if err != nil {
		return nil, err
	}
	end, err := cfg.readMeter()
	if err != nil {
		return nil, err
	}
	end.load += o.used
	r := &Result{Messages: o.requests, RTT: o.rtt, RSSBefore: before}
	r.between(cfg, begin, end)
	r.Elapsed = o.elapsed // without the start of the client
	r.RSS, err = cfg.rss()
	return r, err
}

// execute runs the client with these arguments, and returns what it said.
func (c *Config) execute(ctx context.Context, args ...string) (said []byte, used time.Duration, err error) {
	var out bytes.Buffer
	p, err := process.Start(ctx, process.Spec{Args: append(c.Client[:len(c.Client):len(c.Client)], args...), Stdout: &out})
	if err != nil {
		return nil, 0, err
	}
	if err := p.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		return nil, 0, fmt.Errorf("%s: %w", c.Mode, err)
	}
	return out.Bytes(), p.Used(), nil
}
