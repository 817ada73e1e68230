//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

// Package clienttest tests example/redis with a client library, in a module of its own:
// nobody who uses weir has to download that library.
package clienttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/example/internal/program"
	"github.com/redis/go-redis/v9"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// start runs the server until the test ends, and returns its address.
func start(t *testing.T, args ...string) string {
	t.Chdir("..")
	return program.Start(t, append(args, "-addr", "127.0.0.1:0")...).Addr
}

// library returns a client of the Redis library for Go.
func library(t *testing.T, options redis.Options) *redis.Client {
	c := redis.NewClient(&options)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestGoRedis(t *testing.T) {
	addr := start(t, "-requirepass", "secret")
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
			if err := c.Decr(ctx, "b").Err(); err == nil || err.Error() != "ERR value is not an integer or out of range" {
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
	addr := start(t)
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
