package load

import (
	"context"
	"errors"
	"time"
)

// idle keeps the connections open for a while.
func (g *generator) idle(ctx context.Context) (*Result, error) {
	g.cfg.CPUs = nil // whoever uses the processors meanwhile disturbs nobody
	before, err := g.cfg.readMeter()
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(g.cfg.Warmup + g.cfg.Duration):
	}
	if n, err := g.poll.Wait(g.events, 0); n > 0 || err != nil {
		return nil, errors.Join(errors.New("the server has closed idle connections, or said something on them"), err)
	}
	after, err := g.cfg.readMeter()
	if err != nil {
		return nil, err
	}
	r := new(Result)
	r.between(g.cfg, before, after)
	return r, nil
}
