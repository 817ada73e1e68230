package load

import (
	"time"

	"github.com/go-weir/weir/benchmarks/process"
)

// meter reads what the server, this process and everybody have used of the processors.
type meter struct {
	at                  time.Time
	server, load, total time.Duration
}

func (c *Config) readMeter() (m meter, err error) {
	if len(c.CPUs) > 0 {
		if m.total, err = process.Busy(c.CPUs); err != nil {
			return m, err
		}
	}
	if m.load, err = process.OwnCPU(); err != nil {
		return m, err
	}
	if c.ServerPID != 0 {
		if m.server, err = process.CPU(c.ServerPID); err != nil {
			return m, err
		}
	}
	m.at = time.Now()
	return m, nil
}

// between fills in what was used from a to b.
func (r *Result) between(c *Config, a, b meter) {
	r.Elapsed = b.at.Sub(a.at)
	r.ServerCPU = b.server - a.server
	r.LoadCPU = b.load - a.load
	if len(c.CPUs) > 0 && c.ServerPID != 0 {
		r.Others = max(0, b.total-a.total-r.ServerCPU-r.LoadCPU)
	}
}

// rss is the server's memory; 0 if there is nobody to measure.
func (c *Config) rss() (int64, error) {
	if c.ServerPID == 0 {
		return 0, nil
	}
	return process.RSS(c.ServerPID)
}
