package weir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestBusyPoll: a loop goes on asking behind small messages, and blocks at once
// behind large ones, or if it was not told to ask.
func TestBusyPoll(t *testing.T) {
	for _, tt := range []struct {
		name string
		poll time.Duration
		size int
		asks bool
	}{
		{"small messages", time.Millisecond, 10, true},
		{"large messages", time.Millisecond, 2000, false},
		{"off", 0, 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: echo}, weir.BusyPoll(tt.poll), weir.NumLoops(1))
			const messages = 8
			before := p.server.Stats().Polls
			message := strings.Repeat("x", tt.size)
			for range messages {
				send(t, p.peer, message)
				expect(t, p.peer, message)
			}
			onLoop(t, p.conn, func() bool { return true })
			polls := onLoop(t, p.conn, p.server.Stats).Polls - before
			if asks := polls > 10*messages; asks != tt.asks {
				t.Errorf("%d polls for %d messages", polls, messages)
			}
		})
	}
}
