package load

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/poller"
)

// config is a short run.
func config(m Mode, s *testServer) Config {
	message := []byte("a message, and no two neighbours alike")
	return Config{
		Mode: m, Address: s.address, Exchange: Exchange{Request: message, Reply: message},
		Conns: 10, Pipeline: 3, Rate: 2000, Warmup: 10 * time.Millisecond, Duration: 50 * time.Millisecond,
		Verify: true, ServerPID: os.Getpid(), CPUs: []int{0},
	}
}

func run(t *testing.T, c Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Elapsed < c.Duration || r.RSS <= 0 || r.RSSBefore <= 0 || r.ServerCPU < 0 || r.LoadCPU < 0 {
		t.Errorf("%+v: a meter was not read", r)
	}
	return r
}

func TestClosedLoop(t *testing.T) {
	for _, size := range []int{1, 38, 5000, largestMessage} {
		s := serve(t, echoing(unchanged))
		c := config(Closed, s)
		message := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		c.Exchange = Exchange{Request: message, Reply: message}
		r := run(t, c)
		if r.Messages == 0 || r.RTT.Samples == 0 || r.RTT.P50 <= 0 || r.RTT.Maximum < r.RTT.P99 {
			t.Fatalf("%d bytes: %+v", size, r)
		}
		// Each sample is a batch. At the borders of the measurement a batch per connection is cut.
		if least, most := (r.RTT.Samples-10)*3, (r.RTT.Samples+10)*3; int64(r.Messages) < least || int64(r.Messages) > most {
			t.Errorf("%d bytes: %d messages in %d batches of 3", size, r.Messages, r.RTT.Samples)
		}
		if got, most := int64(r.Messages)*int64(size), s.out.Load(); got > most {
			t.Errorf("%d bytes: %d messages are more bytes than the %d that were sent", size, r.Messages, most)
		}
		if s.connections.Load() != 10 {
			t.Errorf("%d connections, want 10", s.connections.Load())
		}
	}
}

func TestOnlyActiveConnectionsSpeak(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := config(Closed, s)
	c.Conns, c.Active, c.Pipeline = 10, 1, 1
	if r := run(t, c); r.Messages == 0 {
		t.Fatalf("%+v", r)
	}
	if s.connections.Load() != 10 {
		t.Errorf("%d connections, want 10", s.connections.Load())
	}
}

func TestOpenLoop(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := config(Open, s)
	c.Duration = 300 * time.Millisecond
	r := run(t, c)
	if want := c.Rate * r.Elapsed.Seconds(); float64(r.Messages) < want*.75 || float64(r.Messages) > want*1.25 {
		t.Errorf("%d messages, offered about %.0f", r.Messages, want)
	}
	if r.Unanswered != 0 || r.Lag.Samples == 0 || r.RTT.Samples < int64(r.Messages) {
		t.Errorf("%+v", r)
	}
}

// TestOpenLoopCountsFromWhenDue has a server that answers nothing for a while: messages that became due meanwhile must
// show it, although each was answered at once when its turn came.
func TestOpenLoopCountsFromWhenDue(t *testing.T) {
	const pause = 100 * time.Millisecond
	paused := false
	s := serve(t, echoing(func(nth int64, p []byte) []byte {
		if nth > 2000 && !paused { // one connection, one goroutine
			paused = true
			time.Sleep(pause)
		}
		return p
	}))
	c := config(Open, s)
	c.Conns, c.Rate, c.Duration = 1, 1000, 300*time.Millisecond
	r := run(t, c)
	if r.RTT.P90 < pause/4 {
		t.Errorf("a pause of %v in %v left p90 at %v", pause, r.Elapsed, r.RTT.P90)
	}
}

func TestUnansweredCount(t *testing.T) {
	s := serve(t, echoing(func(nth int64, p []byte) []byte {
		if nth > 3000 {
			return nil
		}
		return p
	}))
	c := config(Open, s)
	c.Duration = 100 * time.Millisecond
	r := run(t, c)
	if r.Unanswered == 0 || r.RTT.Maximum < time.Second {
		t.Errorf("%+v: nothing was missed", r)
	}
}

func TestStalledConnections(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := config(Open, s)
	c.Stalled = 2
	if r := run(t, c); r.Messages == 0 || r.Unanswered != 0 {
		t.Errorf("%+v", r)
	}
	if got := s.connections.Load(); got != 12 {
		t.Errorf("%d connections, want 10 and 2 stalled ones", got)
	}
	if extra := s.in.Load() - s.out.Load(); extra <= 0 {
		t.Errorf("the stalled ones have taken everything")
	}
}

func TestOneWay(t *testing.T) {
	for _, size := range []int{1, 110, 5000} {
		s := serve(t, counting(0))
		c := config(OneWay, s)
		c.Conns, c.Exchange = 1, Exchange{Request: make([]byte, size)}
		if r := run(t, c); r.Messages == 0 {
			t.Errorf("%d bytes: %+v", size, r)
		}
	}
}

func TestPush(t *testing.T) {
	message := []byte("to everybody")
	s := serve(t, pushing(message))
	c := config(Push, s)
	word := []byte("!")
	c.Exchange = Exchange{Hello: word, HelloEnd: word, Request: word, Reply: message}
	for _, pipeline := range []int{1, 3} {
		c.Pipeline = pipeline
		r := run(t, c)
		if r.Messages == 0 || r.RTT.Samples != int64(r.Messages) || !r.Watchful {
			t.Errorf("pipeline %d: %+v", pipeline, r)
		}
	}
}

func TestIdle(t *testing.T) {
	for _, silent := range []bool{true, false} {
		s := serve(t, echoing(unchanged))
		c := config(Idle, s)
		c.Silent = silent
		if r := run(t, c); r.Messages != 0 {
			t.Errorf("%+v", r)
		}
		if spoke := s.in.Load() > 0; spoke == silent {
			t.Errorf("silent %v: the server read %d bytes", silent, s.in.Load())
		}
	}
}

// TestFaultyServers is about servers that must not get a figure.
func TestFaultyServers(t *testing.T) {
	flipped := func(from int64) func(int64, []byte) []byte {
		return func(nth int64, p []byte) []byte {
			if nth >= from {
				p[0] ^= 1
			}
			return p
		}
	}
	twice := func(nth int64, p []byte) []byte {
		if nth >= 2000 {
			return append(p, p...)
		}
		return p
	}
	for _, tt := range []struct {
		name   string
		mode   Mode
		server *testServer
		want   error
		says   string
	}{
		{"first answer wrong", Closed, serve(t, echoing(flipped(0))), ErrWrongReply, "first message"},
		{"later answer wrong", Closed, serve(t, echoing(flipped(2000))), ErrWrongReply, "connection"},
		{"later answer wrong", Open, serve(t, echoing(flipped(2000))), ErrWrongReply, "connection"},
		{"too many bytes", Closed, serve(t, echoing(twice)), errTooMuch, ""},
		{"too many bytes", Open, serve(t, echoing(twice)), errTooMuch, ""},
		{"lost frames", OneWay, serve(t, counting(1)), nil, "the server counted"},
		{"wrong push", Push, serve(t, pushing([]byte("wrong"))), ErrWrongReply, ""},
	} {
		t.Run(string(tt.mode)+", "+tt.name, func(t *testing.T) {
			c := config(tt.mode, tt.server)
			c.Duration = time.Second
			switch tt.mode {
			case OneWay:
				c.Conns = 1
			case Push:
				word := []byte("!")
				c.Exchange = Exchange{Hello: word, HelloEnd: word, Request: word, Reply: []byte("right")}
			}
			r, err := Run(t.Context(), c)
			if err == nil {
				t.Fatalf("it got a result: %+v", r)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %v, %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := config(Closed, s)
	c.Address = "127.0.0.1:1" // nobody's
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "connection 1 of 10") {
		t.Errorf("%v, want a refused connection", err)
	}
}

func TestCancel(t *testing.T) {
	s := serve(t, echoing(unchanged))
	for _, m := range []Mode{Closed, Open, Idle} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		c := config(m, s)
		c.Duration = time.Hour
		begin := time.Now()
		if _, err := Run(ctx, c); err == nil {
			t.Errorf("%s: no error", m)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: it took %v to end", m, took)
		}
		cancel()
	}
}

func TestCheck(t *testing.T) {
	s := &testServer{address: "127.0.0.1:1"}
	for name, change := range map[string]func(*Config){
		"no connections":      func(c *Config) { c.Conns = 0 },
		"too many active":     func(c *Config) { c.Active = 11 },
		"no duration":         func(c *Config) { c.Duration = 0 },
		"no message":          func(c *Config) { c.Exchange = Exchange{} },
		"no pipeline":         func(c *Config) { c.Pipeline = 0 },
		"message too long":    func(c *Config) { c.Exchange.Request = make([]byte, largestMessage+1) },
		"unknown mode":        func(c *Config) { c.Mode = "fast" },
		"no rate":             func(c *Config) { c.Mode, c.Rate = Open, 0 },
		"one way to many":     func(c *Config) { c.Mode = OneWay },
		"push of nothing":     func(c *Config) { c.Mode, c.Exchange.Reply = Push, nil },
		"not an address":      func(c *Config) { c.Address = "somewhere" },
		"not an IPv4 address": func(c *Config) { c.Address = "[::1]:1" },
	} {
		c := config(Closed, s)
		change(&c)
		if _, err := Run(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFIFO(t *testing.T) {
	var q fifo
	in, out := time.Duration(0), time.Duration(0)
	for round := range 1000 {
		for range round % 7 {
			q.push(in)
			in++
		}
		for range round % 6 {
			if q.empty() {
				break
			}
			if got := q.pop(); got != out {
				t.Fatalf("%d after %d", got, out)
			}
			out++
		}
		if q.len() != int(in-out) || q.empty() != (in == out) {
			t.Fatalf("%d in the queue, want %d", q.len(), in-out)
		}
	}
	if cap(q.times) > 4096 {
		t.Errorf("room for %d to hold %d", cap(q.times), q.len())
	}
}

func TestGeneratorDoesNotAllocate(t *testing.T) {
	s := serve(t, echoing(unchanged))
	c := config(Closed, s)
	g := &generator{cfg: &c}
	d := newClosed(g)
	g.rtt, g.verifying = newHistogram(), true
	k := &conn{fd: -1, sent: len(d.batch), watched: poller.Read}
	allocs := testing.AllocsPerRun(100, func() {
		k.got = 0
		_ = d.received(k, d.replies[:len(d.replies)-1])
	})
	if allocs != 0 {
		t.Errorf("%v allocations for an answer", allocs)
	}
}
