package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSwarm(t *testing.T) {
	s := start(t, testLimits())
	w := &swarm{bots: 50, rooms: 5, every: 500 * time.Millisecond, length: time.Second}
	runBots(t.Context(), t, s, w)
	f := &w.figures
	if said := f.said.Load(); f.delivered.Load() != 10*said {
		t.Errorf("%d messages in rooms of 10 were delivered %d times", said, f.delivered.Load())
	}
}

// TestSwarmStopped: an early end is no error.
func TestSwarmStopped(t *testing.T) {
	s := start(t, testLimits())
	ctx, cancel := context.WithCancel(t.Context())
	end := bots(ctx, t, s, &swarm{bots: 20, rooms: 2, every: 50 * time.Millisecond, length: time.Hour})
	ada, _ := enter(t, s, "lobby", "Ada")
	ada.hear("say")
	cancel()
	end()
}

// TestSwarmAlone: a server that is not there is an error for each bot.
func TestSwarmAlone(t *testing.T) {
	s := start(t, testLimits())
	_ = connect(t, s).conn.CloseNow() // so it has begun
	s.end()
	w := &swarm{bots: 3, url: s.url(), every: time.Second, length: time.Second}
	if err := w.prepare(); err != nil {
		t.Fatal(err)
	}
	f, err := w.run(t.Context(), &progress{w: t.Output()})
	if err != nil || f.errors != 3 || f.connected != 0 || f.first == nil {
		t.Errorf("%d errors, %d connected, the first: %v; %v", f.errors, f.connected, f.first, err)
	}
}

func TestSwarmFlags(t *testing.T) {
	for name, w := range map[string]*swarm{
		"rooms":       {bots: 10, rooms: 11, every: time.Second, length: time.Second},
		"many rooms":  {bots: 1000, rooms: 1000, every: time.Second, length: time.Second},
		"every":       {bots: 10, every: 0, length: time.Second},
		"for":         {bots: 10, every: time.Second},
		"descriptors": {bots: 1 << 30, rooms: 1, every: time.Second, length: time.Second, url: "ws://localhost"},
	} {
		if w.prepare() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSocketURL(t *testing.T) {
	for s, want := range map[string]string{
		"http://localhost:1833":      "ws://localhost:1833/ws",
		"http://localhost:1833/#a":   "ws://localhost:1833/ws",
		"https://example.com/":       "wss://example.com/ws",
		"ws://localhost:1833/ws":     "ws://localhost:1833/ws",
		"wss://example.com/chat/ws":  "wss://example.com/chat/ws",
		"localhost:1833":             "",
		"ftp://localhost/":           "",
		"http://local\x7fhost:1833/": "",
	} {
		if got, err := socketURL(s); got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", s, got, err, want)
		}
	}
}

func TestHistogram(t *testing.T) {
	for n := uint64(0); n < 1<<20; n = n + n/50 + 1 {
		c := class(n)
		if most(c) < n || float64(most(c)) > float64(n)*17/16 || c > 0 && most(c-1) >= n {
			t.Fatalf("%d is in class %d, up to %d", n, c, most(c))
		}
	}
	_ = most(class(1<<63 - 1)) // the last one
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("a time of nothing")
	}
	for i := range 1000 {
		h.record(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); got < want || got > want*17/16 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	f := &figures{bots: 5000, connected: 4999, connecting: 1234 * time.Millisecond, talking: 2 * time.Second}
	f.said.Store(2000)
	f.expected.Store(1234567)
	f.delivered.Store(1234560)
	f.latency.record(1500 * time.Microsecond)
	f.fail(errors.New("a"))
	var b bytes.Buffer
	f.print(&b)
	want := `connected  4,999 of 5,000, in 1.2s
sent       2,000 messages, 1,000/s
delivered  1,234,560, 617,280/s
latency    p50 1.5ms, p99 1.5ms, max 1.5ms
errors     2
`
	if b.String() != want || f.first.Error() != "a" {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	p := &progress{w: &b, terminal: true}
	p.phase("talking", 100)
	p.drawn = time.Time{}
	p.set(50)
	p.end()
	lines := strings.Split(b.String(), "\r")
	if len(lines) != 4 || !strings.Contains(lines[2], strings.Repeat("█", 20)+strings.Repeat("░", 20)+"  50 %") || !strings.HasSuffix(lines[3], "100 %\n") {
		t.Errorf("drawn: %q", lines)
	}
	b.Reset()
	p = &progress{w: &b}
	p.phase("talking", 100)
	p.add(50)
	p.end()
	if b.String() != "talking\n" {
		t.Errorf("not on a terminal: %q", b.String())
	}
}
