package weir_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/go-weir/weir"
)

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// lines are those that contain each of the parts.
func (b *lockedBuffer) lines(parts ...string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
next:
	for line := range strings.Lines(b.b.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		n++
	}
	return n
}

// TestLog reads what is said of a server's life, level by level.
func TestLog(t *testing.T) {
	var out lockedBuffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := &handler{message: func(c *weir.Connection, _ any, data []byte) any {
		if string(data) == "bomb" {
			panic("boom")
		}
		return echo(c, nil, data)
	}}
	p := startPair(t, h, weir.Logger(log), weir.Name("chat"), weir.MaxConnections(1))
	id, peer := "conn="+p.conn.ID().String(), "peer="+p.conn.PeerAddr()
	for range 3 {
		expectEnd(t, dial(t, p.server)) // over MaxConnections
	}
	send(t, p.peer, "bomb")
	receive(t, p.ended)
	if err := p.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		want  int
		parts []string
	}{
		{1, []string{"level=INFO", "serving", "server=chat", "loops=1", p.server.Addrs()[0].String()}},
		{1, []string{"level=INFO", "draining"}},
		{1, []string{"level=INFO", "stopped"}},
		{1, []string{"level=DEBUG", "connection opened", id, peer, "server=chat"}},
		{1, []string{"level=DEBUG", "connection closed", id, peer, "err=", "boom"}},
		{1, []string{"level=ERROR", "panic in a callback", id, peer, "callback=OnMessage", "panic=boom", "logger_test.go"}},
		{1, []string{"level=WARN", "connection refused", "MaxConnections", "peer="}}, // of three
	} {
		if n := out.lines(tt.parts...); n != tt.want {
			t.Errorf("%d lines have %q, want %d", n, tt.parts, tt.want)
		}
	}
	if t.Failed() {
		t.Log(out.b.String())
	}
}
