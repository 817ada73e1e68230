package render

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/machine"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// speeds are messages a second, in thousands, of the servers of a made-up comparison.
var speeds = map[string]map[string]int{
	"echo":    {"floor": 200, "weir": 190, "gnet": 150, "net": 140},
	"frame":   {"weir": 900, "net": 1000},
	"mixed":   {"floor": 200, "weir": 150, "gnet": 150, "net": 90},
	"latency": {"floor": 200, "weir": 190, "gnet": 150},
	"idle":    {"weir": 1, "gnet": 2},
	"redis":   {"weir": 300, "redis": 200, "redcon": 250},
	"http":    {"weir": 300, "nginx": 200},
}

// madeUp is a comparison in which weir is first in echo, behind net in frame, and even with gnet in mixed.
func madeUp() *compare.Data {
	d := &compare.Data{
		Date: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Command: "go run . -only echo,frame",
		Machine:    machine.Machine{CPU: "A Processor", CPUs: 2, Memory: 8 << 30, Kernel: "Linux 6.1", Go: "go1.26", Load: "0.1 0.2 0.3"},
		ServerCPUs: []int{0}, LoadCPUs: []int{1}, Rounds: 3, Warmup: time.Second / 2, Duration: 2 * time.Second,
		Clients: []string{"redis-benchmark 1.2"},
		Servers: []compare.Contestant{
			{Name: "floor", Setup: "C"}, {Name: "weir", Version: "v0", Setup: "defaults"}, {Name: "gnet", Version: "v2"}, {Name: "net"},
		},
	}
	for _, w := range workloads.All() {
		if speeds[w.Name] == nil {
			continue
		}
		for _, k := range w.Cases(workloads.Params{Duration: time.Second}) {
			c := &compare.Case{Workload: w.Name, Name: k.Name, Conns: k.Load.Conns, Pipeline: k.Load.Pipeline, Rate: k.Load.Rate}
			for round := range 3 {
				for _, server := range slices.Sorted(maps.Keys(speeds[w.Name])) {
					c.Samples = append(c.Samples, compare.Sample{
						Server: server, Round: round, Result: sample(speeds[w.Name][server], round),
					})
				}
			}
			d.Cases = append(d.Cases, c)
		}
	}
	return d
}

func sample(speed, round int) *load.Result {
	speed *= 1000 + round
	at := func(n int) time.Duration { return time.Duration(n) * time.Second / time.Duration(speed) }
	return &load.Result{
		Messages: uint64(speed), Elapsed: time.Second, ServerCPU: time.Second / 2, LoadCPU: time.Second / 2,
		RSSBefore: 10 << 20, RSS: 10<<20 + int64(speed)*1000,
		RTT: load.Quantiles{Samples: int64(speed), P50: at(10), P90: at(20), P99: at(30), P999: at(50), P9999: at(90), Maximum: at(99)},
	}
}

func TestPage(t *testing.T) {
	d := madeUp()
	d.Cases[0].Samples[0] = compare.Sample{Server: d.Cases[0].Samples[0].Server, Error: "it broke"}
	files, err := Report(d)
	if err != nil {
		t.Fatal(err)
	}
	page := string(files[0].Content)
	for _, want := range []string{
		"# weir and its peers", "A Processor", "2 January 2006"[:1], "Linux 6.1", "go1.26", "go run . -only echo,frame",
		"## Who wins where", "and behind in 1.", "net has the better messages in *frame: 110 B, one connection*",
		"weir is first, 1.27 times the next, gnet (1.27 to 1.27).",
		"net is better, 1.11 times weir (1.11 to 1.11).",
		"weir and gnet are even: no difference that these rounds can show (1.00 to 1.00).",
		"### echo: 100 × 64 B, pipeline 16", "| **weir** | ", "| net | 1.00 M |", "| floor | 200 k |",
		"failed in 1 of 3 rounds: it broke.",
		"| server | requests/s | spread | to redis | weir to it | CPU/request | CPU to redis | p50 | p99 |",
		"| server | CPU/request | spread | to redis | weir to it | requests/s | requests to redis | p50 | p99 |",
		"| **weir** | 300 k | ±0 % | 1.50 | 1.00 | 1.67 µs | 1.50 | 33.3 µs | 99.9 µs |",
		"| **weir** | 1.67 µs | ±0 % | 1.50 | 1.00 | 300 k | 1.50 | 33.3 µs | 99.9 µs |",
		"| server | requests/s | spread | weir to it | CPU/request | p50 | p99 |", // without the one that they are compared with
		"| clients | redis-benchmark 1.2 |",
		"## How it was measured", "3 rounds", "500ms of warm-up", "processor 0", "processor 1", "[results.json](results.json)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"%!", "NaN", "\n\n\n", "+Inf"} {
		if i := strings.Index(page, never); i >= 0 {
			t.Errorf("the page has %q in: …%s…", never, page[max(0, i-80):min(len(page), i+80)])
		}
	}
	checkTables(t, page)
	checkCharts(t, page, files[1:])
}

// checkTables looks for rows that have more or fewer columns than their header.
func checkTables(t *testing.T, page string) {
	t.Helper()
	columns := 0
	for _, line := range strings.Split(page, "\n") {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		if n := strings.Count(line, "|"); columns == 0 {
			columns = n
		} else if n != columns {
			t.Errorf("%d columns under a header of %d: %s", n-1, columns-1, line)
		}
	}
}

// checkCharts compares the charts with those that the page shows, and looks whether each is XML with something in it.
func checkCharts(t *testing.T, page string, charts []File) {
	t.Helper()
	shown := make(map[string]bool)
	for _, m := range regexp.MustCompile(`!\[.+?\]\((.+?)\)`).FindAllStringSubmatch(page, -1) {
		shown[m[1]] = true
	}
	for _, f := range charts {
		if !shown[f.Name] {
			t.Errorf("%s is not on the page", f.Name)
		}
		delete(shown, f.Name)
		texts, err := readSVG(f.Content)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if !strings.Contains(texts, "weir") {
			t.Errorf("%s does not show weir: %s", f.Name, texts)
		}
	}
	for name := range shown {
		t.Errorf("%s is on the page, but there is no such chart", name)
	}
}

// readSVG returns the texts of a drawing.
func readSVG(svg []byte) (string, error) {
	var b strings.Builder
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
		}
	}
}

func TestPageOfLittle(t *testing.T) {
	for name, change := range map[string]func(*compare.Data){
		"nothing":    func(d *compare.Data) { d.Cases = nil },
		"one server": func(d *compare.Data) { keep(d, "net") },
		"weir alone": func(d *compare.Data) { keep(d, "weir") },
		"one round":  func(d *compare.Data) { d.Rounds = 1; oneRound(d) },
		"all failed": func(d *compare.Data) { fail(d) },
	} {
		t.Run(name, func(t *testing.T) {
			d := madeUp()
			change(d)
			files, err := Report(d)
			if err != nil {
				t.Fatal(err)
			}
			page := string(files[0].Content)
			if strings.Contains(page, "NaN") || !strings.Contains(page, "## How it was measured") {
				t.Error(page)
			}
			checkTables(t, page)
			if Summary(d) == "" && len(d.Cases) > 0 {
				t.Error("no summary")
			}
		})
	}
}

func keep(d *compare.Data, server string) {
	for _, c := range d.Cases {
		var left []compare.Sample
		for _, s := range c.Samples {
			if s.Server == server {
				left = append(left, s)
			}
		}
		c.Samples = left
	}
}

func oneRound(d *compare.Data) {
	for _, c := range d.Cases {
		var left []compare.Sample
		for _, s := range c.Samples {
			if s.Round == 0 {
				left = append(left, s)
			}
		}
		c.Samples = left
	}
}

func fail(d *compare.Data) {
	for _, c := range d.Cases {
		for i := range c.Samples {
			c.Samples[i].Result, c.Samples[i].Error = nil, "it broke"
		}
	}
}

func TestAmount(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		unit string
		want string
	}{
		{5_120_000, "/s", "5.12 M"},
		{212_345, "/s", "212 k"},
		{21_234, "/s", "21.2 k"},
		{999, "/s", "999"},
		{3.5e9, "/s", "3.50 G"},
		{512, "µs", "512 µs"},
		{1512, "µs", "1.51 ms"},
		{2_512_000, "µs", "2.51 s"},
		{412.3, "ns/msg", "412 ns"},
		{4123, "ns/msg", "4.12 µs"},
		{340.2, "B/conn", "340 B"},
		{12_345.6, "B/conn", "12346 B"},
		{8.456, "MiB", "8.46 MiB"},
		{2048, "MiB", "2 GiB"},
		{0.5, "%", "0.5 %"},
	} {
		if got := amount(tt.v, tt.unit); got != tt.want {
			t.Errorf("%v %s: %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

func ExampleSummary() {
	d := madeUp()
	d.Cases = slices.DeleteFunc(d.Cases, func(c *compare.Case) bool {
		return c.Workload != "mixed" && (c.Workload != "redis" || !strings.HasSuffix(c.Name, "SET, pipeline 16"))
	})
	fmt.Print(Summary(d))
	// Output:
	// mixed: 9,000 idle, 1,000 active × 64 B (messages)
	//     floor         200 k
	//     gnet          150 k  ±0 %     0.75 of the floor
	//     weir          150 k  ±0 %     0.75 of the floor
	//     net          90.1 k  ±0 %     0.45 of the floor
	//     weir and gnet are even: no difference that these rounds can show (1.00 to 1.00).
	// redis: 50 × SET, pipeline 16 (CPU)
	//     weir        1.67 µs  ±0 %     1.50 to redis; requests 300 k, 1.50
	//     redcon         2 µs  ±0 %     1.25 to redis; requests 250 k, 1.25
	//     redis        2.5 µs  ±0 %     1.00 to redis; requests 200 k, 1.00
	//     weir is first, 1.20 times the next, redcon (1.20 to 1.20).
}
