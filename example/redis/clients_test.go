package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
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

// library returns a client of the Redis library for Go.
func library(t *testing.T, options redis.Options) *redis.Client {
	c := redis.NewClient(&options)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestGoRedis(t *testing.T) {
	addr := start(t, "secret")
	for version := 2; version <= 3; version++ {
		t.Run(fmt.Sprint("RESP", version), func(t *testing.T) {
			c := library(t, redis.Options{Addr: addr, Password: "secret", Protocol: version, ClientName: "tester"})
			ctx := t.Context()
			check := func(what string, got, want any, err error) {
				t.Helper()
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, %v; want %v", what, got, err, want)
				}
			}
			pong, err := c.Ping(ctx).Result()
			check("Ping", pong, "PONG", err)
			check("FlushAll", nil, nil, c.FlushAll(ctx).Err())
			name, err := c.ClientGetName(ctx).Result()
			check("ClientGetName", name, "tester", err)
			check("Set", nil, nil, c.Set(ctx, "a", "1", time.Hour).Err())
			ttl, err := c.TTL(ctx, "a").Result()
			check("TTL", ttl, time.Hour, err)
			set, err := c.SetNX(ctx, "a", "2", 0).Result()
			check("SetNX", set, false, err)
			a, err := c.Get(ctx, "a").Int()
			check("Get", a, 1, err)
			if _, err := c.Get(ctx, "nothing").Result(); !errors.Is(err, redis.Nil) {
				t.Errorf("Get: %v, want redis.Nil", err)
			}
			check("MSet", nil, nil, c.MSet(ctx, "b", "2", "c", "3").Err())
			values, err := c.MGet(ctx, "a", "b", "nothing").Result()
			check("MGet", values, []any{"1", "2", nil}, err)
			n, err := c.Incr(ctx, "b").Result()
			check("Incr", n, 3, err)
			n, err = c.Append(ctx, "b", "xyz").Result()
			check("Append", n, 4, err)
			if err := c.Decr(ctx, "b").Err(); err == nil || err.Error() != errInteger {
				t.Errorf("Decr: %v", err)
			}
			n, err = c.Exists(ctx, "a", "b", "nothing").Result()
			check("Exists", n, 2, err)
			keys, err := c.Keys(ctx, "[ab]").Result()
			slices.Sort(keys)
			check("Keys", keys, []string{"a", "b"}, err)
			n, err = c.Del(ctx, "a", "nothing").Result()
			check("Del", n, 1, err)
			n, err = c.DBSize(ctx).Result()
			check("DBSize", n, 2, err)
			settings, err := c.ConfigGet(ctx, "append*").Result()
			check("ConfigGet", settings, map[string]string{"appendonly": "no"}, err)
			commands, err := c.Command(ctx).Result()
			check("Command", commands["mset"].FirstKeyPos, 1, err)
			check("Command", len(commands), 31, err)

			var found []string
			each := c.Scan(ctx, 0, "*", 100).Iterator()
			for each.Next(ctx) {
				found = append(found, each.Val())
			}
			slices.Sort(found)
			check("Scan", found, []string{"b", "c"}, each.Err())

			results, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i := range 1000 {
					p.Set(ctx, fmt.Sprint("p:", i), strings.Repeat("x", i), 0)
					p.StrLen(ctx, fmt.Sprint("p:", i))
				}
				return nil
			})
			check("Pipelined", len(results), 2000, err)
			for i := range 1000 {
				check("StrLen", results[2*i+1].(*redis.IntCmd).Val(), i, nil)
			}
		})
	}
}

func TestGoRedisPubSub(t *testing.T) {
	addr := start(t, "")
	for version := 2; version <= 3; version++ {
		t.Run(fmt.Sprint("RESP", version), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c := library(t, redis.Options{Addr: addr, Protocol: version})
			sub := c.Subscribe(ctx, "news", "weather")
			defer sub.Close()
			for range 2 {
				if _, err := sub.Receive(ctx); err != nil { // the confirmations
					t.Fatal(err)
				}
			}
			for i := range 10 {
				if n, err := c.Publish(ctx, "news", i).Result(); n != 1 || err != nil {
					t.Fatalf("Publish: %d, %v", n, err)
				}
			}
			for i := range 10 {
				m, err := sub.ReceiveMessage(ctx)
				if err != nil || m.Channel != "news" || m.Payload != fmt.Sprint(i) {
					t.Fatalf("message %d: %v, %v", i, m, err)
				}
			}
			if err := sub.Ping(ctx); err != nil {
				t.Error(err)
			}
			if err := sub.Unsubscribe(ctx, "news"); err != nil {
				t.Error(err)
			}
		})
	}
}
