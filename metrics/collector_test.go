package metrics_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-weir/weir/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// scrape is the text of one scrape of c, with nothing else in its registry.
func scrape(t *testing.T, cs ...prometheus.Collector) string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	status, body := get(t, promhttp.HandlerFor(r, promhttp.HandlerOpts{}), "/")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	return body
}

// TestScrape compares every name, help text and label with what users have
// dashboards and alerts for.
func TestScrape(t *testing.T) {
	const golden = "testdata/scrape.txt"
	got := scrape(t, metrics.NewCollector(twoLoops("chat")))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Fatalf("line %d of the scrape is\n%s\nwhich is not that of %s; if it should be, go test ./metrics -run TestScrape -update", i+1, line, golden)
		}
	}
	t.Fatalf("the scrape ends before %s does", golden)
}

// TestLint has Prometheus's own tool look at names, units and help texts.
func TestLint(t *testing.T) {
	cmd := exec.Command(tool(t, "promtool", "prometheus"), "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, metrics.NewCollector(twoLoops("chat"))))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// TestTwoSources: servers of different names go into one registry.
func TestTwoSources(t *testing.T) {
	text := scrape(t, metrics.NewCollector(twoLoops("chat")), metrics.NewCollector(twoLoops("push")))
	for _, name := range []string{"chat", "push"} {
		want := fmt.Sprintf(`weir_connections{loop="1",server=%q} 101`, name)
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if _, err := metrics.Handler(twoLoops("chat"), twoLoops("chat")); err == nil {
		t.Error("two sources of one name are no error")
	}
}

// TestCollectors: what a Protocol or a Handler counts is shown with the server.
func TestCollectors(t *testing.T) {
	shakes := prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_handshakes_total", Help: "Handshakes."})
	shakes.Add(17)
	source := twoLoops("chat")
	source.collectors = []prometheus.Collector{shakes}
	other := twoLoops("push")
	other.collectors = []prometheus.Collector{shakes}
	text := scrape(t, metrics.NewCollector(source), metrics.NewCollector(other))
	for _, want := range []string{`weir_handshakes_total{server="chat"} 17`, `weir_handshakes_total{server="push"} 17`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}
