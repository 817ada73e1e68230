package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// tool returns a function that runs a command line tool of Redis against addr, with
// the lines as its input, and returns what it prints. It fails the test if the tool
// does.
func tool(t *testing.T, name, addr string) func(args string, lines ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		const missing = "%s is missing: install Redis's command line tools, on Debian the package redis-tools"
		if os.Getenv("CI") == "true" {
			t.Fatalf(missing, name)
		}
		t.Skipf(missing, name)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return func(args string, lines ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, append([]string{"-h", host, "-p", port}, strings.Fields(args)...)...)
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
}

func TestRedisCLI(t *testing.T) {
	addr := start(t, "")
	cli := tool(t, "redis-cli", addr)
	for _, tt := range []struct {
		args, want string
		lines      []string
	}{
		{"ping", "PONG", nil},
		{"--no-raw set greeting hello", "OK", nil},
		{"--no-raw get greeting", "\"hello\"", nil},
		{"--no-raw get nothing", "(nil)", nil},
		{"--no-raw incr greeting", "(error) ERR value is not an integer or out of range", nil},
		{"--no-raw strlen greeting", "(integer) 5", nil},
		{"--no-raw -3 config get save", "1# \"save\" => \"\"", nil},
		{"-x set greeting", "OK", []string{"any", "lines"}},
		{"--no-raw get greeting", "\"any\\nlines\"", nil},
		{"--scan --pattern greet*", "greeting", nil},
		{"dbsize", "1", nil},
		{"", "OK\nOK\nv", []string{`set "a b" v`, "set c d", `get "a b"`}},
		{
			"--pipe", "All data transferred. Waiting for the last reply...\nLast reply received from server.\nerrors: 0, replies: 2",
			[]string{"SET e 1\r", "INCR e\r", ""},
		},
		{"get e", "2", nil},
	} {
		if got := strings.TrimRight(cli(tt.args, tt.lines...), "\n"); got != tt.want {
			t.Errorf("redis-cli %s %q\n got %q\nwant %q", tt.args, tt.lines, got, tt.want)
		}
	}
	if got := cli("info"); !strings.Contains(got, "redis_version:") {
		t.Errorf("info: %q", got)
	}
}

func TestRedisCLIPassword(t *testing.T) {
	cli := tool(t, "redis-cli", start(t, "secret"))
	for args, want := range map[string]string{
		"ping":                                "NOAUTH Authentication required.",
		"--no-auth-warning -a secret ping":    "PONG",
		"--no-auth-warning -3 -a secret ping": "PONG",
		"--no-auth-warning -a wrong ping":     "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\nNOAUTH Authentication required.",
	} {
		if got := strings.TrimRight(cli(args), "\n"); got != want {
			t.Errorf("redis-cli %s\n got %q\nwant %q", args, got, want)
		}
	}
}

func TestRedisBenchmark(t *testing.T) {
	benchmark := tool(t, "redis-benchmark", start(t, ""))
	for _, args := range []string{"-P 1 -c 20 -n 1000", "-P 64 -c 20 -n 10000", "-P 16 -c 4 -n 200 -d 100000 -3"} {
		tests := []string{"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"}
		out := benchmark("-q -r 100 -t ping,set,get,incr,mset " + args)
		for _, name := range tests {
			if !strings.Contains(out, name+": ") {
				t.Errorf("redis-benchmark %s has nothing on %s", args, name)
			}
		}
		if n := strings.Count(out, " requests per second"); n != len(tests) || strings.Contains(strings.ToLower(out), "err") {
			t.Errorf("redis-benchmark %s: %d results\n%s", args, n, out)
		}
	}
}
