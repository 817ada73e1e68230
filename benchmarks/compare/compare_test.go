package compare

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/workloads"
)

var (
	more = workloads.Figure{Name: "messages", Unit: "/s", Of: func(r *load.Result, _ int) float64 { return r.Rate() }}
	less = workloads.Figure{Name: "RSS", Unit: "MiB", Less: true, Of: func(r *load.Result, _ int) float64 { return float64(r.RSS) }}
)

// result is one of a run of a second in which nobody was at a limit.
func result(messages uint64, rss int64) *load.Result {
	return &load.Result{
		Messages: messages, RSS: rss, Elapsed: time.Second, ServerCPU: time.Second / 2, LoadCPU: time.Second / 2,
	}
}

// caseOf has one sample in each round for each server: its messages, which are its memory too; 0 is a failure.
func caseOf(servers map[string][]uint64) *Case {
	c := &Case{Workload: "echo", Name: "a case", Conns: 1}
	for name, rounds := range servers {
		for round, m := range rounds {
			s := Sample{Server: name, Round: round}
			if m == 0 {
				s.Error = "it broke"
			} else {
				s.Result = result(m, int64(m))
			}
			c.Samples = append(c.Samples, s)
		}
	}
	return c
}

func TestRatioIsWithinARound(t *testing.T) {
	// The second round is three times as fast for everybody.
	c := caseOf(map[string][]uint64{"weir": {100, 300, 0}, "gnet": {80, 240, 90}})
	r := c.Ratio("weir", "gnet", more)
	if r.N != 2 || r.Low != 1.25 || r.High != 1.25 {
		t.Errorf("ratio %+v, want 1.25 in two rounds", r)
	}
	if r := c.Ratio("weir", "gnet", less); r.Median != 0.8 {
		t.Errorf("ratio %+v where less is better, want 0.8", r)
	}
	if r := c.Ratio("weir", "nobody", more); r.Known() {
		t.Errorf("ratio to nobody: %+v", r)
	}
}

func TestRanking(t *testing.T) {
	c := caseOf(map[string][]uint64{"a": {1, 1}, "b": {3, 3}, "c": {2, 2}, Floor: {9, 9}, "broken": {0, 0}})
	if got, want := c.Ranking(more), []string{"b", "c", "a"}; !slices.Equal(got, want) {
		t.Errorf("more is better: %v, want %v", got, want)
	}
	if got, want := c.Ranking(less), []string{"a", "c", "b"}; !slices.Equal(got, want) {
		t.Errorf("less is better: %v, want %v", got, want)
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		servers map[string][]uint64
		outcome Outcome
		says    string
	}{
		{
			"ahead",
			map[string][]uint64{"weir": {120, 121, 122}, "gnet": {100, 100, 100}, "evio": {50, 50, 50}},
			Ahead,
			"weir is first, 1.21 times the next, gnet (1.20 to 1.22).",
		},
		{
			"behind",
			map[string][]uint64{"weir": {100, 100, 100}, "gnet": {125, 125, 125}},
			Behind,
			"gnet is better, 1.25 times weir (1.25 to 1.25).",
		},
		{
			"even",
			map[string][]uint64{"weir": {101, 99, 102}, "gnet": {100, 100, 100}},
			Even,
			"weir and gnet are even: no difference that these rounds can show (0.99 to 1.02).",
		},
		{
			"two rounds prove little",
			map[string][]uint64{"weir": {104, 104}, "gnet": {100, 100}},
			Even,
			"weir and gnet are even: no difference that these rounds can show (1.04 to 1.04).",
		},
		{"one round", map[string][]uint64{"weir": {150}, "gnet": {100}}, Ahead, "weir is first, 1.50 times the next, gnet."},
		{
			"failed",
			map[string][]uint64{"weir": {0, 0}, "gnet": {100, 100}},
			Unknown,
			"weir has no figure to compare with that of gnet.",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := caseOf(tt.servers).Judge(more)
			if !ok || v.Outcome != tt.outcome || v.String() != tt.says {
				t.Errorf("%v, %v: %q, want %v: %q", ok, v.Outcome, v, tt.outcome, tt.says)
			}
		})
	}
	for name, servers := range map[string]map[string][]uint64{
		"alone": {"weir": {1}}, "with the floor only": {"weir": {1}, Floor: {1}}, "not there": {"gnet": {1}, "net": {1}},
	} {
		if v, ok := caseOf(servers).Judge(more); ok {
			t.Errorf("%s: %v, want no verdict", name, v)
		}
	}
}

func TestWarnings(t *testing.T) {
	d := &Data{ServerCPUs: []int{0}, LoadCPUs: []int{1}}
	quiet := func() *load.Result { return result(100, 1) }
	for _, tt := range []struct {
		name   string
		change func(*load.Result)
		want   string // nothing if empty
	}{
		{"none", func(*load.Result) {}, ""},
		{"generator", func(r *load.Result) { r.LoadCPU = 990 * time.Millisecond }, "client was the limit"},
		{"both at their limits", func(r *load.Result) { r.LoadCPU, r.ServerCPU = time.Second, time.Second }, ""},
		{"generator that looks all the time", func(r *load.Result) { r.LoadCPU, r.Lag.Samples = time.Second, 1 }, ""},
		{"generator of pushes", func(r *load.Result) { r.LoadCPU, r.Watchful = time.Second, true }, ""},
		{"others", func(r *load.Result) { r.Others = time.Second / 2 }, "Other processes"},
		{"late", func(r *load.Result) { r.Lag = load.Quantiles{Samples: 100, P99: 2 * time.Millisecond} }, "keep to its times"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := quiet()
			tt.change(r)
			c := &Case{Samples: []Sample{{Server: "a", Result: r}, {Server: "b", Result: quiet()}}}
			got := strings.Join(d.Warnings(c, more), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if tt.want != "" && !strings.HasSuffix(got, ": a.") {
				t.Errorf("%q is not about a alone", got)
			}
		})
	}
	c := caseOf(map[string][]uint64{"a": {100, 150}, "b": {100, 101}})
	if got := d.Warnings(c, more); len(got) != 1 || !strings.Contains(got[0], "a (40 %)") || strings.Contains(got[0], "b (") {
		t.Errorf("unsteady rounds: %q", got)
	}
	c = caseOf(map[string][]uint64{"a": {100, 0}})
	if got := d.Warnings(c, more); len(got) != 1 || got[0] != "a failed in 1 of 2 rounds: it broke." {
		t.Errorf("a failure: %q", got)
	}
}

func TestDisturbance(t *testing.T) {
	r := result(1, 1)
	r.Others = time.Second
	c := &Case{Samples: []Sample{{Server: "a", Result: r}, {Server: "b", Result: result(1, 1)}}}
	d := &Data{ServerCPUs: []int{0}, LoadCPUs: []int{1}, Cases: []*Case{c}}
	if got := d.Disturbance(); len(got) != 1 || !strings.Contains(got[0], "1 of 2") {
		t.Errorf("%q, want a sentence about 1 of 2", got)
	}
	r.Others = 0
	if got := d.Disturbance(); len(got) != 0 {
		t.Errorf("%q on a quiet machine", got)
	}
}

func TestUnknownFigure(t *testing.T) {
	unknown := workloads.Figure{Of: func(*load.Result, int) float64 { return math.NaN() }}
	c := caseOf(map[string][]uint64{"weir": {1}, "gnet": {1}})
	if s := c.Of("weir", unknown); s.Known() {
		t.Errorf("%+v, want nothing", s)
	}
	if got := c.Ranking(unknown); len(got) != 0 {
		t.Errorf("ranking of nothing: %v", got)
	}
}
