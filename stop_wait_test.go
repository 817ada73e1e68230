package weir_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/metrics"
)

// TestStopOfAnother: a callback that stops another server waits for it, as anybody
// does.
func TestStopOfAnother(t *testing.T) {
	for name, stop := range map[string]func(*weir.Server) error{
		"Stop":     (*weir.Server).Stop,
		"Shutdown": func(s *weir.Server) error { return s.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			closed := false // no lock: the stop orders the accesses, or the race detector says so
			stopping := make(chan struct{})
			other := startPair(t, &handler{close: func(*weir.Connection) {
				receive(t, stopping)
				<-time.After(20 * time.Millisecond) // long enough for a stop that does not wait
				closed = true
			}})
			result := make(chan error, 1)
			p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any {
				close(stopping)
				err := stop(other.server)
				if !closed {
					t.Error("it has returned before OnClose")
				}
				result <- err
				return nil
			}})
			send(t, p.peer, "x")
			if err := receive(t, result); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestShutdownInTime: Shutdown returns when its context ends, whatever callback is
// running, and says so also if somebody else has stopped the server meanwhile.
func TestShutdownInTime(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*weir.Server) error
	}{
		{"at first", nil},
		{"after Stop", (*weir.Server).Stop},
		{"after Shutdown", func(s *weir.Server) error { return s.Shutdown(context.Background()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{})
			release := occupy(t, p.conn)
			defer release()
			before := make(chan error, 1)
			if tt.before != nil {
				go func() { before <- tt.before(p.server) }()
				eventually(t, "it has begun", func() bool { return p.server.Stats().State != metrics.Serving })
			}
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() { result <- p.server.Shutdown(ctx) }()
			cancel()
			if err := receive(t, result); !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown returns %v", err)
			}
			if err := p.conn.Err(); err != nil {
				t.Errorf("the connection has ended with %v", err)
			}
			release()
			if err := p.server.Stop(); err != nil {
				t.Error(err)
			}
			if p.conn.Err() == nil {
				t.Error("Stop has not waited")
			}
			if tt.before != nil {
				if err := receive(t, before); err != nil {
					t.Error(err)
				}
			}
			if err := p.server.Shutdown(ctx); err != nil {
				t.Errorf("when all is over, Shutdown returns %v", err)
			}
		})
	}
}

// TestStopAfterGoexit: a callback may stop its server, too, when its loop goes on on
// another goroutine than the first.
func TestStopAfterGoexit(t *testing.T) {
	var s *weir.Server
	stopped := make(chan error, 1)
	s = newServer(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
		if string(data) == "stop" {
			stopped <- s.Stop()
			return nil
		}
		runtime.Goexit()
		return nil
	}}, quiet())
	ended := begin(s)
	c := dial(t, s)
	send(t, c, "exit")
	expectEnd(t, c)
	send(t, dial(t, s), "stop")
	for _, result := range []<-chan error{stopped, ended} {
		if err := receive(t, result); err != nil {
			t.Error(err)
		}
	}
}
