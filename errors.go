package weir

import (
	"errors"
	"fmt"
	"net"
)

// closedError is an error that is also net.ErrClosed, so that code written
// for package net recognises it.
type closedError string

func (e closedError) Error() string { return string(e) }

func (closedError) Is(target error) bool { return target == net.ErrClosed }

// The errors of connections and servers. What the system said is an
// *os.SyscallError; a peer that ended its stream is io.EOF; a deadline that
// passed is os.ErrDeadlineExceeded.
var (
	// ErrConnectionClosed is what a call on a closed connection returns, and
	// the cause (see Connection.Err) when this side called Close.
	ErrConnectionClosed error = closedError("weir: connection closed")

	// ErrServerStopped is the cause when Stop or Shutdown ended a connection,
	// and what Start returns on a server that was already stopped.
	ErrServerStopped error = closedError("weir: server stopped")

	// ErrServerStarted is what the second Start returns.
	ErrServerStarted = errors.New("weir: server already started")

	// ErrIdleTimeout is the cause when the peer made no progress for the
	// connection's idle time: see IdleTime.
	ErrIdleTimeout = errors.New("weir: idle timeout")

	// ErrMessageTooLarge is the cause when the peer sent more bytes than
	// MaxMessageSize allows without completing a message.
	ErrMessageTooLarge = errors.New("weir: message too large")

	// ErrWriteBufferFull is what Send and Write return when the bytes would
	// take the connection over its WriteBufferLimit. Nothing was queued. Unless they
	// are more than the limit itself, or SlowConsumer is CloseSlow, reading from the
	// peer pauses as above the high-water mark, and OnWritable (see WritableHandler)
	// follows when they fit.
	ErrWriteBufferFull = errors.New("weir: write buffer full")

	// ErrSlowConsumer is the cause when a connection went over its
	// WriteBufferLimit and the policy is CloseSlow, or when the bytes over it
	// were a reply that OnMessage returned.
	ErrSlowConsumer = errors.New("weir: slow consumer")

	// ErrStalled is the cause when the peer took nothing of what was unsent for
	// the connection's stall time: see StallTimeout.
	ErrStalled = errors.New("weir: stalled")
)

// PanicError is the cause when a callback panicked, or called runtime.Goexit, as
// FailNow of package testing does. The connection is closed, the loop and all other
// connections go on.
type PanicError struct {
	Callback string // which one: "OnMessage", "UnPacket", …
	Value    any    // what was panicked with; an error that says so after runtime.Goexit
	Stack    []byte // of the goroutine, as runtime/debug.Stack gives it
}

func (e *PanicError) Error() string { return fmt.Sprintf("weir: panic in %s: %v", e.Callback, e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// UnsentError is the cause when a connection ended with bytes that were
// accepted for sending and never reached the system: because the peer did not
// read them within the linger time, or because the end left no time for them, as
// a reset, an idle time or Stop does. The peer's stream then ends with a reset, so
// that what it got does not look like all there was; bytes that the system had taken
// may be lost as well.
type UnsentError struct {
	Bytes int64 // how many; a little more if the loop had not got to all that was sent
	Cause error // why the connection was being closed
	Err   error // what ended the sending; nil if that was the cause, or the end of the linger time
}

func (e *UnsentError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%v, %d bytes unsent", e.Cause, e.Bytes)
	}
	return fmt.Sprintf("%v, %d bytes unsent: %v", e.Cause, e.Bytes, e.Err)
}

// Unwrap returns the cause and what ended the sending.
func (e *UnsentError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Cause}
	}
	return []error{e.Cause, e.Err}
}

// OptionError says which option NewServer could not accept, and why.
type OptionError struct {
	Option string // its name, as the function that sets it
	Reason string
}

func (e *OptionError) Error() string { return "weir: option " + e.Option + ": " + e.Reason }
