package weir_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/poller"
)

// stopper is a slog.Handler that stops the server at a line with that message.
type stopper struct {
	slog.Handler
	message string
	stop    func()
}

func (h *stopper) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, h.message) {
		h.stop()
	}
	return nil
}

func (h *stopper) WithAttrs([]slog.Attr) slog.Handler { return h }

// TestStopFromLogger: a program may stop its server when it reads in its log that this is
// in trouble, whatever line that is.
func TestStopFromLogger(t *testing.T) {
	var journal journal
	for _, message := range []string{
		"weir: a callback blocks its loop", "weir: panic in a callback", "weir: panic in a timer's function",
		"weir: connection opened", "weir: connection closed", "weir: serving", "weir: stopped", "weir: draining",
	} {
		t.Run(message, func(t *testing.T) {
			log := &stopper{&journal, message, func() {}}
			blocked := make(chan struct{})
			s := newServer(t, &handler{message: func(_ *weir.Connection, _ any, data []byte) any {
				if string(data) == "panic" {
					panic(errBoom)
				}
				<-blocked
				return nil
			}}, weir.Watchdog(20*time.Millisecond), weir.Logger(slog.New(log)))
			var stopping atomic.Bool
			log.stop = func() {
				if stopping.CompareAndSwap(false, true) {
					close(blocked)
				}
				fail(t, s.Stop())
			}
			ended := begin(s)
			eventually(t, "it serves", func() bool { st := s.Stats().State; return st == metrics.Serving || st == metrics.Stopped })
			what := "panic"
			if strings.Contains(message, "blocks") {
				what = "block"
			}
			if c, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
				_, _ = c.Write([]byte(what)) // it may have stopped already
				defer c.Close()
			}
			s.RunAfter(0, func() { panic(errBoom) })
			if message == "weir: stopped" || message == "weir: draining" {
				close(blocked)
				stopping.Store(true)
				fail(t, s.Shutdown(t.Context()))
			}
			fail(t, receive(t, ended))
		})
	}
}

// badlyClosed is a poller whose Close fails.
type badlyClosed struct{ poller.Poller }

func (p badlyClosed) Close() error { return errors.Join(p.Poller.Close(), errBoom) }

// TestStopFromLoggerWhileStopping: the lines that come when everything is closed already,
// by Start or by a Stop without a Start.
func TestStopFromLoggerWhileStopping(t *testing.T) {
	for _, started := range []bool{true, false} {
		var journal journal
		var told atomic.Int64
		log := &stopper{&journal, "weir: closing a poller", func() {}}
		s := newServer(t, &handler{message: echo}, weir.Logger(slog.New(log)), weir.WithPoller(func() (poller.Poller, error) {
			p, err := poller.New()
			return badlyClosed{p}, err
		}))
		log.stop = func() { told.Add(1); fail(t, s.Stop()) }
		ended := make(chan error, 1)
		if started {
			go func() { ended <- s.Start() }()
			expectEcho(t, s, "hello")
		}
		stopped := make(chan error, 1)
		go func() { stopped <- s.Stop() }()
		fail(t, receive(t, stopped))
		if started {
			fail(t, receive(t, ended))
		}
		if n := told.Load(); n != 1 {
			t.Errorf("started %v: %d lines, want 1", started, n)
		}
	}
}
