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
			message := strings.Repeat("x", tt.size)
			// A loop that does not ask polls three times for what wakes it: a message, or
			// the functions by which the polls are counted. One that asks may be kept
			// from it by other programs, until its time is over.
			const few, messages = 30, 8
			asks := func() bool {
				before := onLoop(t, p.conn, p.server.Stats).Polls
				for range messages {
					send(t, p.peer, message)
					expect(t, p.peer, message)
				}
				onLoop(t, p.conn, func() bool { return true })
				return onLoop(t, p.conn, p.server.Stats).Polls-before > few+3*messages
			}
			if tt.asks {
				eventually(t, "a loop that asks", asks)
				return
			}
			for range 10 {
				if asks() {
					t.Fatal("the loop asks")
				}
			}
		})
	}
}
