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

	"github.com/go-weir/weir/benchmarks/programs"
	"github.com/go-weir/weir/benchmarks/render"
)

// TestExternal is a run with the clients and the servers of others. Where one is not installed it is skipped, except in
// continuous integration, where all of them have to be.
func TestExternal(t *testing.T) {
	if os.Getenv("CI") != "true" {
		for _, name := range []string{programs.RedisBenchmark, programs.RedisServer, programs.Wrk, programs.Nginx} {
			if _, err := programs.Find(name); err != nil {
				t.Skip(err)
			}
		}
	}
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	var out, log bytes.Buffer
	args := append(strings.Fields(short), "-rounds", "1", "-only", "redis,http", "-pipeline", "2",
		"-servers", "weir,redis,nginx,fasthttp", "-out", dir)
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, render.PageName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### redis: 10 × SET, pipeline 2", "### http: 10 × plaintext, pipeline 2", "| nginx | 1.", "| clients | redis-benchmark ",
		"| server | CPU/request | spread | to redis |", "| requests/s | requests to fasthttp |", "; redis: example/redis, which",
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	for _, never := range []string{"failed in", "Without the", "| gnet |"} {
		if bytes.Contains(page, []byte(never)) {
			t.Errorf("the page says %q:\n%s", never, page)
		}
	}
	nothingLeft(t)
}

// TestNothingInstalled is a machine on which none of the programs is there: the page says what is missing, and so does the
// terminal, before and after.
func TestNothingInstalled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	var out, log bytes.Buffer
	args := append(strings.Fields(short), "-rounds", "1", "-only", "idle,redis,http", "-servers", "weir,redis", "-out", dir)
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, render.PageName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Without the workload redis: redis-benchmark is not installed; on Debian it is in the package redis-tools.",
		"Without the workload http: wrk is not installed; on Debian it is in the package wrk.",
	} {
		for where, text := range map[string]string{"page": string(page), "summary": out.String(), "progress": log.String()} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s does not say %q:\n%s", where, want, text)
			}
		}
	}
	if !bytes.Contains(page, []byte("### idle: ")) {
		t.Errorf("the rest was not run:\n%s", page)
	}
	args = append(strings.Fields(short), "-only", "http", "-out", dir)
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Errorf("with nothing else to do: %v", err)
	}
	nothingLeft(t)
}

// TestInterruptExternal is Ctrl-C while a client of others runs: neither it nor the server outlives the run.
func TestInterruptExternal(t *testing.T) {
	for workload, program := range map[string]string{"redis": programs.RedisBenchmark, "http": programs.Wrk} {
		t.Run(workload, func(t *testing.T) {
			if _, err := programs.Find(program); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			t.Setenv("TMPDIR", t.TempDir())
			mark := "WEIR_BENCHMARKS_TEST=" + filepath.Base(t.TempDir()) + fmt.Sprint(os.Getpid(), workload)
			name, value, _ := strings.Cut(mark, "=")
			t.Setenv(name, value)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				ended <- run(ctx, []string{
					"-only", workload, "-servers", "redcon,fasthttp", "-conns", "3", "-duration", "1h", "-warmup", "1h", "-out", t.TempDir(),
				}, io.Discard, io.Discard)
			}()
			for len(marked(t, mark, program)) == 0 {
				select {
				case err := <-ended:
					t.Fatalf("it has ended before the client ran: %v", err)
				default:
				}
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want that it was cancelled", err)
			}
			for end := time.Now().Add(10 * time.Second); len(marked(t, mark, "")) > 0; {
				if time.Now().After(end) {
					t.Fatalf("processes left over: %v", marked(t, mark, ""))
				}
			}
			nothingLeft(t)
		})
	}
}

// marked are the other processes with that in their environment; of one program, or of all.
func marked(t *testing.T, mark, program string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), mark) {
			continue // gone, or somebody else's
		}
		name, err := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
		if err == nil && (program == "" || strings.TrimSpace(string(name)) == program) {
			found = append(found, filepath.Dir(file)+" "+strings.TrimSpace(string(name)))
		}
	}
	return found
}
