package load

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	csvNames = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	csvSet   = `"SET","800000.00","0.666","0.232","0.679","0.903","1.111","3.863"` + "\n"
)

func TestParseRedisBenchmark(t *testing.T) {
	set := &outcome{requests: 400_000, elapsed: time.Second / 2, rtt: Quantiles{
		Samples: 400_000, P50: 679 * time.Microsecond, P99: 1111 * time.Microsecond, Maximum: 3863 * time.Microsecond,
	}}
	for _, tt := range []struct {
		name, said string
		want       *outcome // nil: an error
	}{
		{"as it is", csvNames + csvSet, set},
		{"a warning before", "WARNING: Could not fetch server CONFIG\n" + csvNames + csvSet, set},
		{"without times", "\"test\",\"rps\"\n\"SET\",\"800000.00\"\n", &outcome{requests: 400_000, elapsed: time.Second / 2}},
		{"nothing", "", nil},
		{"names alone", csvNames, nil},
		{"figures alone", csvSet, nil},
		{"two tests", csvNames + csvSet + csvSet, nil},
		{"fewer figures than names", csvNames + "\"SET\",\"800000.00\"\n", nil},
		{"no number", csvNames + strings.Replace(csvSet, "0.679", "-", 1), nil},
		{"too short to tell", csvNames + strings.Replace(csvSet, "800000.00", "inf", 1), nil},
		{"nothing counted", csvNames + strings.Replace(csvSet, "800000.00", "-nan", 1), nil},
		{"an error", "Error from server: LOADING\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseRedisBenchmark([]byte(tt.said), 400_000)
			if (err == nil) != (tt.want != nil) || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseWrk(t *testing.T) {
	const summary = "Running 1s test @ http://127.0.0.1:1/plaintext\n  1 threads and 100 connections\n162429 requests in 1.00s\n\n"
	const line = `{"requests":162429,"elapsed":1002727,"p50":310,"p90":400,"p99":900,"max":1160,"status":0,"broken":0}` + "\n"
	want := &outcome{requests: 162429, elapsed: 1002727 * time.Microsecond, rtt: Quantiles{
		Samples: 162429, P50: 310 * time.Microsecond, P90: 400 * time.Microsecond, P99: 900 * time.Microsecond,
		Maximum: 1160 * time.Microsecond,
	}}
	for _, tt := range []struct {
		name, said string
		want       *outcome // nil: an error
		says       string
	}{
		{"as it is", summary + line, want, ""},
		{"the line alone", line, want, ""},
		{"without the line", summary, nil, "requests in 1.00s"},
		{"nothing", "", nil, "wrk"},
		{"errors", strings.Replace(line, `"status":0`, `"status":7`, 1), nil, "7 answers"},
		{"broken connections", strings.Replace(line, `"broken":0`, `"broken":3`, 1), nil, "3 connections"},
		{"no answers", strings.Replace(line, `"requests":162429`, `"requests":0`, 1), nil, "0 requests"},
		{"half a line", line[:40], nil, "wrk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseWrk([]byte(tt.said))
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

func FuzzParseRedisBenchmark(f *testing.F) {
	f.Add([]byte(csvNames+csvSet), 1)
	f.Add([]byte("\"test\",\n\"\",\"\"\n"), 0)
	f.Fuzz(func(t *testing.T, said []byte, n int) {
		if o, err := parseRedisBenchmark(said, n); (o == nil) == (err == nil) {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func FuzzParseWrk(f *testing.F) {
	f.Add([]byte("a summary\n{\"requests\":1,\"elapsed\":1}\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		if o, err := parseWrk(said); (o == nil) == (err == nil) {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		rate     float64
		pipeline int
		d        time.Duration
		want     int
	}{
		{100_000, 1, time.Second, 100_000},
		{1_000_000, 128, time.Second / 2, 3906 * 128},
		{10, 16, time.Second, 50 * 16}, // each connection has a batch
		{9e6, 128, time.Hour, (1<<31 - 1) / 128 * 128},
	} {
		b := &redisBenchmark{cfg: &Config{Conns: 50, Pipeline: tt.pipeline}, rate: tt.rate}
		if got := b.requests(tt.d); got != tt.want {
			t.Errorf("%v/s, pipeline %d, %v: %d requests, want %d", tt.rate, tt.pipeline, tt.d, got, tt.want)
		}
	}
}

// external is a run of a client that is a shell command.
func external(s *testServer, m Mode, script string) Config {
	c := config(m, s)
	c.Client = []string{"sh", "-c", script}
	c.Exchange = Exchange{Hello: []byte("hello"), HelloEnd: []byte("lo")}
	if m == RedisBenchmark {
		c.Test = "set"
	}
	return c
}

func TestClient(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := external(s, RedisBenchmark, `printf '"test","rps"\n"SET","800000.00"\n'`)
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	// 50 ms at that rate, in whole batches of 3.
	if r.Messages != 39_999 || r.RSS <= 0 || r.LoadCPU <= 0 || r.Elapsed < 49*time.Millisecond || r.Elapsed > 51*time.Millisecond {
		t.Errorf("%+v", r)
	}
	if s.connections.Load() == 0 {
		t.Error("nobody has looked what the server answers")
	}
}

func TestClientFails(t *testing.T) {
	s := serve(t, echoing(unchanged))
	wrong := serve(t, func(_ *testServer, conn net.Conn) {
		_, _ = io.CopyN(io.Discard, conn, int64(len("hello"))) // what the load finds out is tested, not this
		_, _ = io.WriteString(conn, "goodbye")
		conn.Close()
	})
	for _, tt := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"fails", func(*Config) {}, "redis-benchmark: exit status 3: no luck"},
		{"is not there", func(c *Config) { c.Client = []string{"/no/such/program"} }, "no such file"},
		{"says nothing", func(c *Config) { c.Client = []string{"true"} }, "redis-benchmark said"},
		{"is none", func(c *Config) { c.Client = nil }, "without its program"},
		{"has no test", func(c *Config) { c.Test = "" }, "without its program"},
		{"has no batch", func(c *Config) { c.Pipeline = 0 }, "without its program"},
		{"has a server that is wrong", func(c *Config) { c.Address = wrong.address }, "answer to hello: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := external(s, RedisBenchmark, "echo no luck >&2; exit 3")
			tt.change(&c)
			if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

func TestClientIsCancelled(t *testing.T) {
	s := serve(t, echoing(unchanged))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, external(s, Wrk, "sleep 1000")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
}
