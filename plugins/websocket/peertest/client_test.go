package peertest

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// Kinds of messages, which all libraries number as the protocol does.
const (
	text = 1
	bin  = 2
)

// settings are how a client connects.
type settings struct {
	compress     string // "": not, "alone": each message by itself, "context": with takeover, "bits": small windows
	subprotocols []string
	origin       string
}

// library is a peer: how to connect with it, and what it can do.
type library struct {
	name     string
	dial     func(url string, o settings) (client, error)
	compress []string // the settings that it has
	leaves   bool     // it doesn't wait for the answer to a close frame
}

var libraries = []library{gorillaLibrary, coderLibrary, gwsLibrary}

// client is a connection of a library. What it receives is in its inbox.
type client interface {
	// write sends one message, each part in a frame of its own or in several, where the
	// library lets one say so. It may be called by several goroutines.
	write(kind int, parts ...[]byte) error
	ping(payload string) error
	// close sends a close frame.
	close(code int, reason string) error
	// drop closes the connection below.
	drop() error
	subprotocol() string
	box() *inbox
}

// refused is the error of a handshake that was answered with another status.
type refused struct{ status int }

func (refused) Error() string { return "refused" }

type message struct {
	kind int
	data []byte
}

// closure is how a connection has ended. The code is 1006 if there was no close frame.
type closure struct {
	code   int
	reason string
}

// inbox is what a client has received.
type inbox struct {
	messages chan message
	pings    chan string
	pongs    chan string
	ended    chan closure
}

func newInbox() *inbox {
	return &inbox{make(chan message, 4096), make(chan string, 16), make(chan string, 16), make(chan closure, 1)}
}

// receive takes one value off ch, or fails the test.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// connect connects, until the test ends.
func connect(t *testing.T, l library, url string, o settings) client {
	t.Helper()
	c, err := l.dial(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.drop() }) // which may have been done
	return c
}

// send writes a message, or fails the test.
func send(t *testing.T, c client, kind int, parts ...[]byte) {
	t.Helper()
	if err := c.write(kind, parts...); err != nil {
		t.Fatal(err)
	}
}

// expect receives exactly that message.
func expect(t *testing.T, c client, kind int, data []byte) {
	t.Helper()
	m := receive(t, c.box().messages)
	if m.kind != kind || !bytes.Equal(m.data, data) {
		t.Fatalf("received %d %.40q (%d bytes), want %d %.40q (%d bytes)", m.kind, m.data, len(m.data), kind, data, len(data))
	}
}

// statusOf is the status with which a handshake was refused, or 0.
func statusOf(err error) int {
	var r refused
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}
