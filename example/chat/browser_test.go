//go:build unix

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBrowser opens the page in Chromium; browsertest/test.mjs says what people do
// there. The screenshots are kept by go test -artifacts.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the page is not opened in a browser")
	}
	node, chromium := tool(t, "node", "nodejs"), browser(t)
	if _, err := os.Stat("browsertest/node_modules/playwright-core"); err != nil {
		missing(t, "playwright-core is missing: run npm ci in example/chat/browsertest")
	}
	s := start(t, testLimits())
	addr := s.Addrs()[0].String()

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	quiet := func() {} // ends the swarm
	defer func() { quiet() }()
	control := http.NewServeMux()
	control.HandleFunc("/stop", func(http.ResponseWriter, *http.Request) { quiet(); s.end() })
	control.HandleFunc("/start", func(http.ResponseWriter, *http.Request) { s = startAt(t, addr, testLimits()) })
	control.HandleFunc("/swarm", func(http.ResponseWriter, *http.Request) {
		quiet = sync.OnceFunc(bots(ctx, t, s, &swarm{bots: 400, rooms: 8, every: 8 * time.Second, length: time.Minute}))
	})
	controlled := httptest.NewServer(control)
	defer controlled.Close()

	cmd := exec.CommandContext(ctx, node, "test.mjs", chromium, "http://"+addr+"/", controlled.URL, t.ArtifactDir())
	cmd.Dir = "browsertest"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, strings.TrimSpace(string(out)))
	}
}

// browser finds Chrome or Chromium.
func browser(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("google-chrome"); err == nil {
		return path
	}
	return tool(t, "chromium", "chromium")
}

// tool finds a program.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, err.Error()+"; Debian has it in the package "+pkg)
	}
	return path
}

// missing skips the test, but not in continuous integration.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	_, _ = os.Stderr.WriteString("SKIPPED: " + t.Name() + ": " + what + "\n") // go test hides what Skip says
	t.Skip(what)
}
