package weir_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// The limits under which exhaustedChild runs. With the second one not even
// what it closes can be opened again.
const fewDescriptors, noDescriptors = 64, 3

// exhaustion is what exhaustedChild tells, each time that it is asked.
type exhaustion struct {
	Addr     string
	Stats    weir.Stats
	Warnings int64
	CPU      time.Duration
}

// exhaustedChild is an echo server that soon has no descriptor left. It is told
// its limit.
func exhaustedChild(command *json.Decoder, answer *json.Encoder) error {
	if err := limitDescriptors(fewDescriptors); err != nil {
		return err
	}
	var log countingHandler
	s, err := weir.NewServer(&handler{message: echo},
		weir.Address("127.0.0.1:0"), weir.NumLoops(2), weir.Logger(slog.New(&log)))
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	for {
		cpu, err := cpuTime()
		if err != nil {
			return err
		}
		now := exhaustion{s.Addrs()[0].String(), s.Stats(), log.records.Load(), cpu}
		if err := answer.Encode(now); err != nil {
			return err
		}
		var limit int
		if err := command.Decode(&limit); err != nil {
			break // the parent has closed it
		}
		if err := limitDescriptors(limit); err != nil {
			return err
		}
	}
	if err := s.Stop(); err != nil {
		return err
	}
	return <-ended
}

// countingHandler counts warnings and what is worse.
type countingHandler struct{ records atomic.Int64 }

func (h *countingHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

func (h *countingHandler) Handle(context.Context, slog.Record) error {
	h.records.Add(1)
	return nil
}

func (h *countingHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *countingHandler) WithGroup(string) slog.Handler { return h }

// TestDescriptorsExhausted: a server without descriptors serves those it has,
// turns the others away, and takes them again when it can.
func TestDescriptorsExhausted(t *testing.T) {
	server := startChild(t, "exhausted")
	began := time.Now()
	var now exhaustion
	server.hear(&now)
	addr := now.Addr
	limit := fewDescriptors
	ask := func() exhaustion {
		t.Helper()
		server.tell(limit)
		var e exhaustion
		server.hear(&e)
		return e
	}

	away := uint64(0)
	// fill connects until a client is turned away.
	fill := func() (served []net.Conn) {
		t.Helper()
		for range fewDescriptors {
			c, ok := tryEcho(t, addr)
			if !ok {
				away++
				return served
			}
			served = append(served, c)
		}
		t.Fatalf("all clients were served under a limit of %d descriptors", fewDescriptors)
		return nil
	}
	served := fill()
	if len(served) < fewDescriptors/2 {
		t.Fatalf("%d clients were served under a limit of %d descriptors", len(served), fewDescriptors)
	}

	t.Run("all who wait are turned away at once", func(t *testing.T) {
		const rush = 20
		results := make(chan bool, rush)
		for range rush {
			go func() {
				_, ok := tryEcho(t, addr)
				results <- ok
			}()
		}
		for range rush {
			if receive(t, results) {
				t.Error("a client was served without a descriptor")
			}
			away++
		}
	})

	idle := func(t *testing.T) {
		const window = 200 * time.Millisecond
		before := ask()
		<-time.After(window) // the time over which the use of the CPU is measured
		after := ask()
		if used := after.CPU - before.CPU; used > window/3 {
			t.Errorf("used %v of CPU time in %v", used, window)
		}
		if polls := after.Stats.Polls - before.Stats.Polls; polls > 100 {
			t.Errorf("polled %d times in %v", polls, window)
		}
	}
	t.Run("nothing spins", idle)

	var waiting []net.Conn
	t.Run("nothing spins without a reserve", func(t *testing.T) {
		limit = noDescriptors
		ask()
		for range 3 {
			c := dialTo(server.t, addr)
			send(t, c, "x")
			waiting = append(waiting, c)
		}
		idle(t)
	})

	for _, c := range served {
		send(t, c, "still here")
		expect(t, c, "still here")
	}
	eventually(t, "all who were turned away are counted", func() bool {
		now = ask()
		return now.Stats.Refused.Descriptors == away
	})
	if allowed := 1 + int64(time.Since(began)/(10*time.Second)); now.Warnings == 0 || now.Warnings > allowed {
		t.Errorf("%d warnings, want 1, and one more for every 10 s", now.Warnings)
	}

	for _, c := range served[:8] {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	limit = fewDescriptors
	ask()
	for _, c := range waiting {
		expect(t, c, "x")
	}
	again := fill() // with a new reserve
	if len(again) == 0 {
		t.Error("a client is not served although there are descriptors")
	}
	eventually(t, "all who came are counted", func() bool {
		now = ask()
		return now.Stats.Opened == uint64(len(served)+len(waiting)+len(again)) &&
			now.Stats.Refused.Descriptors == away && addsUp(&now.Stats)
	})
	for _, c := range slices.Concat(served[8:], waiting, again) {
		send(t, c, "still here")
		expect(t, c, "still here")
	}
}

// tryEcho connects until the test ends, and reports whether the server echoes
// or turns it away. Neither fails the test.
func tryEcho(t testing.TB, addr string) (net.Conn, bool) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil, false
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Error(err)
		return nil, false
	}
	var got [1]byte
	_, err = c.Write([]byte{'x'})
	if err == nil {
		_, err = io.ReadFull(c, got[:])
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("a client was neither served nor turned away")
	}
	return c, err == nil
}
