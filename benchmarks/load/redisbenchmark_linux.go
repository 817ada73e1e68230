package load

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"
)

// redisBenchmark runs redis-benchmark, which is told how many requests to make and not for how long: what it can do is
// found out while the server warms up.
type redisBenchmark struct {
	cfg    *Config
	server netip.AddrPort
	rate   float64 // requests a second
}

// firstBatches is how many batches it takes to find out a rate.
const firstBatches = 2000

func (b *redisBenchmark) warm(ctx context.Context) error {
	if b.cfg.Test == "get" { // something has to be there
		if _, _, err := b.execute(ctx, "set", b.cfg.Conns); err != nil {
			return err
		}
	}
	o, err := b.run(ctx, b.cfg.Test, firstBatches*b.cfg.Pipeline)
	if err != nil {
		return err
	}
	b.rate = float64(o.requests) / o.elapsed.Seconds()
	if left := b.cfg.Warmup - o.elapsed; left > 0 {
		if o, err = b.run(ctx, b.cfg.Test, b.requests(left)); err != nil {
			return err
		}
		b.rate = float64(o.requests) / o.elapsed.Seconds()
	}
	return nil
}

func (b *redisBenchmark) measure(ctx context.Context) (*outcome, error) {
	return b.run(ctx, b.cfg.Test, b.requests(b.cfg.Duration))
}

// requests is how many take about that long: whole batches, and one at least for each connection.
func (b *redisBenchmark) requests(d time.Duration) int {
	most := float64(math.MaxInt32 / b.cfg.Pipeline) // it counts in an int of C
	batches := int(min(b.rate*d.Seconds()/float64(b.cfg.Pipeline), most))
	return max(batches, b.cfg.Conns) * b.cfg.Pipeline
}

func (b *redisBenchmark) run(ctx context.Context, test string, n int) (*outcome, error) {
	said, used, err := b.execute(ctx, test, n)
	if err != nil {
		return nil, err
	}
	o, err := parseRedisBenchmark(said, n)
	if err != nil {
		return nil, err
	}
	o.used = used
	return o, nil
}

func (b *redisBenchmark) execute(ctx context.Context, test string, n int) ([]byte, time.Duration, error) {
	return b.cfg.execute(ctx,
		"-h", b.server.Addr().String(), "-p", fmt.Sprint(b.server.Port()), "-t", test, "-n", strconv.Itoa(n),
		"-c", strconv.Itoa(b.cfg.Conns), "-P", strconv.Itoa(b.cfg.Pipeline), "--csv")
}

// parseRedisBenchmark understands what redis-benchmark --csv says of n requests of one test: a line of names, and a line
// of figures.
func parseRedisBenchmark(said []byte, n int) (*outcome, error) {
	if i := bytes.Index(said, []byte(`"test",`)); i > 0 {
		said = said[i:] // it may have said something else before
	}
	lines, err := csv.NewReader(bytes.NewReader(said)).ReadAll()
	if err != nil || len(lines) != 2 {
		return nil, fmt.Errorf("redis-benchmark said %q, and not one line of names and one of figures", said)
	}
	figures := make(map[string]float64)
	for i, name := range lines[0][1:] {
		if figures[name], err = strconv.ParseFloat(lines[1][i+1], 64); err != nil {
			return nil, fmt.Errorf("redis-benchmark: %s: %w", name, err)
		}
	}
	rate := figures["rps"]
	if !(rate > 0) || math.IsInf(rate, 0) {
		return nil, fmt.Errorf("redis-benchmark counted %v requests a second", rate)
	}
	at := func(name string) time.Duration { return time.Duration(figures[name] * float64(time.Millisecond)) }
	o := &outcome{requests: uint64(n), elapsed: time.Duration(float64(n) / rate * float64(time.Second))}
	if _, ok := figures["p50_latency_ms"]; ok { // those before 6.2 don't tell
		o.rtt = Quantiles{
			Samples: int64(n), P50: at("p50_latency_ms"), P99: at("p99_latency_ms"), Maximum: at("max_latency_ms"),
		}
	}
	return o, nil
}
