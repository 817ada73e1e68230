package weir_test

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/go-weir/weir"
)

// causeError is an error of a program. A nil one has methods that panic, as those
// of a typed nil that was returned by mistake do.
type causeError struct{ inner error }

func (*causeError) Error() string { return "broken" }

type (
	unwrapPanics struct{ causeError }
	isPanics     struct{ causeError }
	asPanics     struct{ causeError }
)

func (e *unwrapPanics) Unwrap() error { return e.inner }
func (e *isPanics) Is(error) bool     { return e.inner == io.EOF }
func (e *asPanics) As(any) bool       { return e.inner != nil }

// TestCauseThatPanics: an error whose methods panic ends the connection that it was
// given to, is counted and told of, and ends nothing else.
func TestCauseThatPanics(t *testing.T) {
	for name, cause := range map[string]error{
		"Unwrap": (*unwrapPanics)(nil), "Is": (*isPanics)(nil), "As": (*asPanics)(nil),
	} {
		for end, message := range map[string]func(*weir.Connection, any, []byte) any{
			"CloseWithError": func(c *weir.Connection, _ any, _ []byte) any { c.CloseWithError(cause); return nil },
			"with bytes unsent": func(c *weir.Connection, _ any, _ []byte) any {
				fail(t, c.Send(make([]byte, 32<<20)))
				c.CloseWithError(cause)
				return nil
			},
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				p := startPair(t, &handler{message: message}, weir.Linger(0),
					weir.Logger(slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				send(t, p.peer, "x")
				receive(t, p.ended)
				got := p.conn.Err()
				var lost *weir.UnsentError
				if end != "CloseWithError" {
					if !errors.As(got, &lost) {
						t.Fatalf("Err is %T, want an *UnsentError", got)
					}
					got = lost.Cause
				}
				if got != cause { //nolint:errorlint // its methods panic
					t.Errorf("the cause is %T, want %T", got, cause)
				}
				eventually(t, "it is counted", func() bool {
					st := p.server.Stats()
					return st.Closed.Other == 1 && st.Panics == 1
				})
			})
		}
	}
}

// TestPanicWithErrorThatPanics: the value of a panic is asked for nothing.
func TestPanicWithErrorThatPanics(t *testing.T) {
	p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any { panic((*unwrapPanics)(nil)) }}, quiet())
	send(t, p.peer, "x")
	receive(t, p.ended)
	eventually(t, "it is counted", func() bool {
		st := p.server.Stats()
		return st.Closed.Panic == 1 && st.Panics == 1
	})
}

// TestCauseFromAnotherConnection: that the cause is what another connection has lost
// does not hide what this one has.
func TestCauseFromAnotherConnection(t *testing.T) {
	other := &weir.UnsentError{Bytes: 1, Cause: weir.ErrSlowConsumer}
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		fail(t, c.Send(make([]byte, 32<<20)))
		c.CloseWithError(other)
		return nil
	}}, weir.Linger(0))
	send(t, p.peer, "x")
	receive(t, p.ended)
	var lost *weir.UnsentError
	if err := p.conn.Err(); !errors.As(err, &lost) || lost == other || lost.Cause != other { //nolint:errorlint // the same one
		t.Errorf("Err is %v, want what this connection has lost, because of %v", err, other)
	}
}
