package peertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestNodeWS(t *testing.T) {
	script(t, inNode(t, "ws"), "node/ws.mjs")
}

func TestNodeUndici(t *testing.T) {
	script(t, inNode(t, "undici"), "node/undici.mjs")
}

func TestPythonWebsockets(t *testing.T) {
	script(t, inPython(t, "websockets"), "python/peer.py")
}

// inNode returns the interpreter, if the package is there that the lock file names.
func inNode(t *testing.T, name string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is missing: apt-get install nodejs npm")
	}
	if _, err := os.Stat("node/node_modules/" + name); err != nil {
		missing(t, "the package %s is missing: cd plugins/websocket/peertest/node && npm ci", name)
	}
	return node
}

// inPython returns the interpreter that has the module: Debian's own, where there are
// several.
func inPython(t *testing.T, module string) string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	missing(t, "the Python module %s is missing: apt-get install python3-%s", module, module)
	return ""
}

// missing skips a test, but not in continuous integration, which installs everything.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	fmt.Fprintf(os.Stderr, "SKIPPED %s: %s\n", t.Name(), fmt.Sprintf(format, args...)) // go test doesn't say
	t.Skipf(format, args...)
}

// script runs a peer that is a script. It is given the URL of the server and the limit
// of a message, and prints a line for each of its cases, which are "ok NAME" or "not ok
// NAME: WHY", and "1..N" at its end.
func script(t *testing.T, interpreter, path string) {
	s := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter, path, s.url(""), fmt.Sprint(messageLimit))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v\n%s", err, complaints.String())
	}
	n, plan := 0, ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := lines.Text()
		name, good := strings.CutPrefix(line, "ok ")
		failed, bad := strings.CutPrefix(line, "not ok ")
		switch {
		case good:
			n++
			t.Run(name, func(*testing.T) {})
		case bad:
			n++
			name, why, _ := strings.Cut(failed, ": ")
			t.Run(name, func(t *testing.T) { t.Error(why) })
		default:
			plan = line
		}
	}
	if plan != fmt.Sprint("1..", n) || n == 0 {
		t.Errorf("there were %d cases, and the end is %q\n%s", n, plan, complaints.String())
	}
}
