package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-weir/weir/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// families are the types of all metrics of a server, by name.
func families(t *testing.T) map[string]string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(metrics.NewCollector(twoLoops("chat")))
	gathered, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	types := make(map[string]string)
	for _, f := range gathered {
		types[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	return types
}

var metricName = regexp.MustCompile(`\bweir_[a-z_]+`)

// TestDocumentedMetrics: docs/metrics.md has one line for each metric, with its
// type, and for no other.
func TestDocumentedMetrics(t *testing.T) {
	types := families(t)
	page := file(t, "../docs/metrics.md")
	described := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `(weir_[a-z_]+)` \\| (\\w+)").FindAllStringSubmatch(page, -1) {
		if _, twice := described[m[1]]; twice {
			t.Errorf("%s has two lines", m[1])
		}
		described[m[1]] = m[2]
	}
	for name, kind := range types {
		if described[name] != kind {
			t.Errorf("%s is a %s, the page says %q", name, kind, described[name])
		}
	}
	for _, name := range metricName.FindAllString(page, -1) {
		if types[name] == "" && !strings.HasPrefix(name, "weir_websocket_") { // which a test of that plugin looks after
			t.Errorf("the page speaks of %s, which there is not", name)
		}
	}
}

// TestNamesInUse: the dashboard and the rules ask for metrics that exist.
func TestNamesInUse(t *testing.T) {
	types := families(t)
	for _, name := range []string{"grafana.json", "alerts.yml", "testdata/alerts_test.yml"} {
		used := metricName.FindAllString(file(t, name), -1)
		if len(used) < 10 {
			t.Errorf("%s uses %d metrics only", name, len(used))
		}
		for _, metric := range used {
			base := strings.TrimSuffix(metric, "_bucket")
			if types[metric] == "" && types[base] != "histogram" {
				t.Errorf("%s asks for %s, which there is not", name, metric)
			}
		}
	}
	dashboard := file(t, "grafana.json")
	for name := range types {
		if !strings.Contains(dashboard, name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// TestAlerts: promtool takes the rules, and they fire when they should.
func TestAlerts(t *testing.T) {
	promtool := tool(t, "promtool", "prometheus")
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "testdata/alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	tests := file(t, "testdata/alerts_test.yml")
	for _, m := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(file(t, "alerts.yml"), -1) {
		if !strings.Contains(tests, `alertname="`+m[1]+`"`) {
			t.Errorf("nothing makes %s fire", m[1])
		}
	}
}

// TestDashboard: the dashboard is JSON whose expressions Prometheus can parse, in
// panels that say what they show and do not overlap.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID                       int
			Title, Type, Description string
			GridPos                  struct{ X, Y, W, H int }
			Targets                  []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(file(t, "grafana.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	rules := "groups:\n  - name: dashboard\n    rules:\n"
	variables := strings.NewReplacer("$__rate_interval", "1m", "$server", ".*", "$instance", ".*")
	var ids []int
	cells := make(map[[2]int]string)
	for _, p := range dashboard.Panels {
		if slices.Contains(ids, p.ID) || p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("panel %q: an ID twice, or it does not say what it is, or it shows nothing", p.Title)
		}
		ids = append(ids, p.ID)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, taken := cells[cell]; taken || cell[0] >= 24 {
					t.Fatalf("panel %q at %v is over %q, or outside", p.Title, cell, other)
				}
				cells[cell] = p.Title
			}
		}
		for i, target := range p.Targets {
			rules += fmt.Sprintf("      - {record: \"panel_%d_%d\", expr: %q}\n", p.ID, i, variables.Replace(target.Expr))
		}
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool(t, "promtool", "prometheus"), "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func file(t *testing.T, name string) string {
	t.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}
