package load

import (
	"bytes"
	"context"
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed wrk.lua
var wrkScript []byte

// WrkScript writes the script that Wrk's client needs as its first argument, after -s, into a directory.
func WrkScript(dir string) (file string, err error) {
	file = filepath.Join(dir, "wrk.lua")
	return file, os.WriteFile(file, wrkScript, 0o600)
}

// wrk runs wrk, whose clock has whole seconds.
type wrk struct{ cfg *Config }

// worthASecond is the shortest warm-up that is had for a second's time.
const worthASecond = 100 * time.Millisecond

func (w *wrk) warm(ctx context.Context) error {
	if w.cfg.Warmup < worthASecond {
		return nil
	}
	_, err := w.run(ctx, w.cfg.Warmup)
	return err
}

func (w *wrk) measure(ctx context.Context) (*outcome, error) { return w.run(ctx, w.cfg.Duration) }

func (w *wrk) run(ctx context.Context, d time.Duration) (*outcome, error) {
	seconds := max(1, d.Round(time.Second)/time.Second)
	said, used, err := w.cfg.execute(ctx,
		"-t", "1", "-c", strconv.Itoa(w.cfg.Conns), "-d", fmt.Sprintf("%ds", seconds), "--timeout", "10s",
		"http://"+w.cfg.Address+Plaintext, "--", strconv.Itoa(w.cfg.Pipeline))
	if err != nil {
		return nil, err
	}
	o, err := parseWrk(said)
	if err != nil {
		return nil, err
	}
	o.rtt.Samples /= int64(w.cfg.Pipeline) // it times batches
	o.used = used
	return o, nil
}

// parseWrk understands the line that wrk.lua ends with.
func parseWrk(said []byte) (*outcome, error) {
	said = bytes.TrimSpace(said)
	last := said[bytes.LastIndexByte(said, '\n')+1:]
	var line struct {
		Requests                                    uint64
		Elapsed, P50, P90, P99, Max, Status, Broken int64
	}
	if err := json.Unmarshal(last, &line); err != nil {
		return nil, fmt.Errorf("wrk: %q: %w", last, err)
	}
	switch {
	case line.Status > 0:
		return nil, fmt.Errorf("wrk: %d answers had a status that is an error", line.Status)
	case line.Broken > 0:
		return nil, fmt.Errorf("wrk: %d connections or requests broke", line.Broken)
	case line.Requests == 0 || line.Elapsed <= 0:
		return nil, fmt.Errorf("wrk: %d requests were answered in %d µs", line.Requests, line.Elapsed)
	}
	at := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	return &outcome{
		requests: line.Requests, elapsed: at(line.Elapsed),
		rtt: Quantiles{
			Samples: int64(line.Requests), P50: at(line.P50), P90: at(line.P90), P99: at(line.P99), Maximum: at(line.Max),
		},
	}, nil
}
