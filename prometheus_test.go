package weir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-weir/weir"
)

// realTool finds a program that a test needs. Only on a machine that isn't set up
// for all tests may it be missing; continuous integration installs it.
func realTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v; Debian has it in the package prometheus", err)
	}
	return path
}

// TestLintScrape has Prometheus's own tool read a scrape of a server. The Go
// runtime's metrics are not ours to name.
func TestLintScrape(t *testing.T) {
	tool := realTool(t, "promtool")
	s := start(t, &handler{message: echo}, metered())
	expectEcho(t, s, "hello")
	_, text := web(t, s, "/metrics")
	var ours strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, "weir_") {
			ours.WriteString(line)
		}
	}
	cmd := exec.Command(tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(ours.String())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 || ours.Len() == 0 {
		t.Errorf("promtool, of %d bytes: %v\n%s", ours.Len(), err, out)
	}
}

// TestPrometheus has a real Prometheus scrape a server, and asks it what it has
// seen.
func TestPrometheus(t *testing.T) {
	binary := realTool(t, "prometheus")
	const messages = 300
	p := startPair(t, &handler{message: echo}, metered(), weir.Name("chat"))
	for range messages {
		send(t, p.peer, "hello")
		expect(t, p.peer, "hello")
	}
	base := startPrometheus(t, binary, p.server.MetricsAddr())
	for query, want := range map[string]string{
		`sum(weir_connections{server="chat"})`:                 "1",
		`sum(weir_received_bytes_total{server="chat"})`:        fmt.Sprint(messages * len("hello")),
		`weir_server_state{server="chat",state="serving"}`:     "1",
		`sum(weir_callback_seconds_count) > 1`:                 "2",
		`histogram_quantile(1, weir_loop_batch_size_bucket)>0`: "1",
	} {
		var got string
		eventually(t, query, func() bool {
			var err error
			got, err = ask(base, query)
			return err == nil && got != ""
		})
		if got != want {
			t.Errorf("%s is %s, want %s", query, got, want)
		}
	}
}

// startPrometheus runs a Prometheus that scrapes target, until the test ends, and
// returns its URL.
func startPrometheus(t *testing.T, binary string, target net.Addr) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close() // Prometheus takes no open socket, nor tells the port that it chose
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs: [{job_name: weir, static_configs: [{targets: [%q]}]}]
`, target), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended already, or does now
		_ = cmd.Wait()         // an error: it was killed
		if t.Failed() {
			t.Logf("Prometheus says:\n%s", &log)
		}
	})
	return "http://" + addr
}

// ask has Prometheus evaluate a query, and returns the only value of the answer; ""
// if there is none yet.
func ask(base, query string) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get(base + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Data.Result) != 1 {
		return "", err
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}
