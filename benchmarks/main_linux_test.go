package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/render"
	"github.com/go-weir/weir/benchmarks/runner"
)

// TestMain lets this program be the servers and the load of its tests.
func TestMain(m *testing.M) {
	if child, err := runner.Child(os.Args[1:]); child {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("-only frame,echo -servers weir,gnet -rounds 7 -duration 3s -warmup 1s -conns 10,20 "+
		"-size 64,4096 -pipeline 1 -rate 5000 -out somewhere -server-cpus 0 -load-cpus 0"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.workloads) != 2 || o.workloads[0].Name != "echo" || o.workloads[1].Name != "frame" {
		t.Errorf("workloads %v, want echo and frame, in their own order", o.workloads)
	}
	if !slices.Equal(o.servers, []string{"weir", "gnet"}) || o.takes("net") || !o.takes("gnet") {
		t.Errorf("servers %v", o.servers)
	}
	p := o.params
	if o.rounds != 7 || p.Duration != 3*time.Second || p.Warmup != time.Second || p.Rate != 5000 || o.out != "somewhere" {
		t.Errorf("%+v", o)
	}
	if !slices.Equal(p.Conns, []int{10, 20}) || !slices.Equal(p.Sizes, []int{64, 4096}) || !slices.Equal(p.Pipelines, []int{1}) {
		t.Errorf("%+v", p)
	}
	if got := len(o.workloads[0].Cases(p)); got != 4 {
		t.Errorf("%d cases of echo, want 4", got)
	}
}

func TestParseDefaults(t *testing.T) {
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.workloads) != len(workloadNames()) || !o.takes("floor") || !o.takes("weir") || o.rounds != 5 || o.limit != 0 {
		t.Errorf("%+v", o)
	}
	if len(o.serverCPUs) != 1 || len(o.loadCPUs) != 1 {
		t.Errorf("processors %v and %v", o.serverCPUs, o.loadCPUs)
	}
	quick, err := parse([]string{"-quick", "-rounds", "4"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if quick.rounds != 4 || quick.params.Duration >= o.params.Duration || quick.limit <= 0 || quick.limit >= 2*time.Minute {
		t.Errorf("%+v", quick)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{
		"-only nothing", "-servers nobody", "-rounds 0", "-duration 0s", "-warmup -1s", "-conns 0", "-conns many",
		"-size 65537", "-size 0", "-pipeline x", "-rate -1", "-server-cpus x", "-repeats -1", "-no-such-flag", "argument",
	} {
		if o, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: %+v, want an error", args, o)
		}
	}
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-list", "-only", "echo"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"echo: ", "    1,000 × 4 KiB, pipeline 16\n", "servers: floor, weir, gnet"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q does not list %q", out.String(), want)
		}
	}
}

const short = "-rounds 2 -duration 20ms -warmup 5ms -conns 10"

func TestRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	var out, log bytes.Buffer
	args := append(strings.Fields(short), "-only", "echo,latency,idle", "-size", "64", "-pipeline", "1", "-servers", "weir,net", "-out", dir)
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"echo: 10 × 64 B", "weir", "net", "The page is " + dir} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the summary does not say %q:\n%s", want, out.String())
		}
	}
	if want := "round 2 of 2, echo: 10 × 64 B"; !strings.Contains(log.String(), want) {
		t.Errorf("the progress does not say %q:\n%s", want, log.String())
	}
	page, err := os.ReadFile(filepath.Join(dir, render.PageName))
	if err != nil || !bytes.Contains(page, []byte("go run . -rounds 2")) {
		t.Errorf("%v, page: %s", err, page)
	}
	nothingLeft(t)

	again := t.TempDir()
	if err := run(t.Context(), []string{"-from", filepath.Join(dir, render.DataName), "-out", again}, &out, &log); err != nil {
		t.Fatal(err)
	}
	if same, err := os.ReadFile(filepath.Join(again, render.PageName)); err != nil || !bytes.Equal(page, same) {
		t.Errorf("the page of the stored results is another one: %v", err)
	}
}

// TestRunWebSocket compares servers with a floor that knows no WebSocket.
func TestRunWebSocket(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	var out, log bytes.Buffer
	args := append(strings.Fields(short), "-only", "websocket,broadcast,idle", "-size", "125", "-pipeline", "2",
		"-servers", "weir,gws,nbio,gorilla,floor", "-out", dir)
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, render.PageName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### websocket: 10 × 125 B, pipeline 2", "### broadcast: 125 B to 10 subscribers, pipeline 2", "| **weir** |", "| gws |", "| nbio |",
		"| gorilla | v1.", "### idle: 10 WebSockets, after one message of 125 B",
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if bytes.Contains(page, []byte("failed in")) {
		t.Errorf("something failed:\n%s", page)
	}
	nothingLeft(t)
}

// TestInterrupt is what Ctrl-C does: no page, no process, no file.
func TestInterrupt(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	out := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	log := &watcher{seen: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-only", "echo", "-conns", "10", "-size", "64", "-duration", "1h", "-out", out}, io.Discard, log)
	}()
	<-log.seen
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was cancelled", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	nothingLeft(t)
}

// TestLimit runs out of time, and reports what there is.
func TestLimit(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	var out bytes.Buffer
	args := append(strings.Fields(short), "-only", "echo", "-size", "64", "-pipeline", "1", "-servers", "weir,net",
		"-rounds", "100000", "-limit", "500ms", "-out", dir)
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Time ran out") {
		t.Errorf("it does not say that time ran out:\n%s", out.String())
	}
	nothingLeft(t)
}

// watcher closes seen when something is written.
type watcher struct {
	seen chan struct{}
	done bool
}

func (w *watcher) Write(p []byte) (int, error) {
	if !w.done {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

// nothingLeft looks for processes and temporary files.
func nothingLeft(t *testing.T) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if b, err := os.ReadFile(task); err == nil && len(bytes.TrimSpace(b)) > 0 {
			t.Errorf("processes left over: %s", b)
		}
	}
	if files, err := os.ReadDir(os.TempDir()); err != nil || len(files) > 0 {
		t.Errorf("files left over: %v, %v", files, err)
	}
}
