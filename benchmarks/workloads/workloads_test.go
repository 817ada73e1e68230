package workloads

import (
	"math"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
)

func TestCases(t *testing.T) {
	for name, p := range map[string]Params{
		"default": {Duration: time.Second},
		"quick":   {Duration: time.Second, Quick: true},
		"asked":   {Duration: time.Second, Conns: []int{7}, Sizes: []int{300}, Pipelines: []int{2}, Rate: 9},
	} {
		for _, w := range All() {
			seen := make(map[string]bool)
			for _, c := range w.Cases(p) {
				if seen[c.Name] {
					t.Errorf("%s, %s: two cases are called %q", name, w.Name, c.Name)
				}
				seen[c.Name] = true
				if c.Size <= 0 || c.InFlight <= 0 || c.Load.Duration != p.Duration || c.Load.Active > c.Load.Conns {
					t.Errorf("%s, %s: %+v", name, w.Name, c)
				}
				if all := c.InFlight * c.Load.Conns; all > mostInFlight {
					t.Errorf("%s, %s: %s has %d bytes in flight", name, w.Name, c.Name, all)
				}
				if c.Load.Mode.External() && (len(c.Load.Exchange.Hello) == 0 || len(c.Load.Exchange.HelloEnd) == 0) {
					t.Errorf("%s, %s: nobody looks what the server answers", name, w.Name)
				}
				if (c.Load.Mode == load.Open) != (w.Share > 0) {
					t.Errorf("%s, %s: an open loop of nothing, or a share of a closed one", name, w.Name)
				}
			}
			if len(seen) == 0 {
				t.Errorf("%s, %s: no cases", name, w.Name)
			}
			if w.Title == "" || w.About == "" || w.Role == "" || w.Decisive.Of == nil {
				t.Errorf("%s: something is missing", w.Name)
			}
		}
	}
}

func TestFiguresOfNothing(t *testing.T) {
	r := &load.Result{Elapsed: time.Second}
	for _, f := range []Figure{cpuPerMessage(), p50(), p99(), p999(), p9999()} {
		if v := f.Of(r, 1); !math.IsNaN(v) {
			t.Errorf("%s of a run without messages: %v", f.Name, v)
		}
	}
}

// TestQuantileNeedsSamples is about quantiles that a short run can't know.
func TestQuantileNeedsSamples(t *testing.T) {
	r := &load.Result{RTT: load.Quantiles{Samples: 9999, P99: time.Millisecond, P999: time.Second}}
	if v := p99().Of(r, 1); v != 1000 {
		t.Errorf("p99 is %v, want 1000 µs", v)
	}
	if v := p999().Of(r, 1); !math.IsNaN(v) {
		t.Errorf("p99.9 of 9999 samples is %v", v)
	}
}

func TestMessage(t *testing.T) {
	m := message(64 << 10)
	for shift := 1; shift < 20; shift++ {
		same := 0
		for i := shift; i < len(m); i++ {
			if m[i] == m[i-shift] {
				same++
			}
		}
		if same > len(m)/4 {
			t.Errorf("shifted by %d, %d of %d bytes are the same", shift, same, len(m))
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{64: "64 B", 4096: "4 KiB", 5000: "5000 B", 65536: "64 KiB", 8 << 20: "8 MiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestDecisive is about workloads in which another figure decides once there is a pipeline.
func TestDecisive(t *testing.T) {
	for _, w := range All() {
		for pipeline, want := range map[int]Figure{0: w.Decisive, 1: w.Decisive, 16: w.Pipelined} {
			beside := len(w.Others) + 1
			if w.Pipelined.Of == nil {
				want, beside = w.Decisive, len(w.Others)
			}
			got := w.DecisiveAt(pipeline)
			if got.Name != want.Name || !w.Decides(got) {
				t.Errorf("%s, pipeline %d: %s decides, want %s", w.Name, pipeline, got.Name, want.Name)
			}
			all := w.Beside(pipeline)
			for _, f := range all {
				if f.Name == got.Name {
					t.Errorf("%s, pipeline %d: %s is shown twice", w.Name, pipeline, f.Name)
				}
			}
			if len(all) != beside {
				t.Errorf("%s, pipeline %d: %d figures beside it, want %d", w.Name, pipeline, len(all), beside)
			}
		}
	}
}
