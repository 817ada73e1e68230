// Package load makes load on a server and measures how that is borne, on one thread and on weir's own poller, or has a
// client of others make it. It runs in a process of its own, so that nothing but the load uses its processor.
//
// Closed loop: each connection sends a batch of messages, waits for all answers, and sends the next. That finds out how
// much a server can do. Open loop: messages are sent at given times, whether or not the earlier ones were answered, and an
// answer's time counts from when its message was due. That finds out how long users wait at a load that is no maximum.
package load

import (
	"errors"
	"fmt"
	"time"
)

// Mode is a kind of load.
type Mode string

// The modes.
const (
	Closed Mode = "closed" // batches of messages, each after the answers to the one before
	Open   Mode = "open"   // messages at given times
	OneWay Mode = "oneway" // frames without an answer; see FrameSize
	Push   Mode = "push"   // a message for every connection, or a batch of them, each after all have the one before
	Idle   Mode = "idle"   // connections on which nothing happens
)

// The modes in which a client of others makes the load, each named after its program.
const (
	RedisBenchmark Mode = "redis-benchmark" // in batches, as Closed
	Wrk            Mode = "wrk"             // the same over HTTP; see Plaintext
)

// External reports whether it is a client of others that makes the load.
func (m Mode) External() bool { return m == RedisBenchmark || m == Wrk }

// Plaintext is the path that Wrk asks for, and PlaintextBody the answer that it wants.
const (
	Plaintext     = "/plaintext"
	PlaintextBody = "Hello, World!"
)

// Exchange is what a connection says, and the answer that it wants. Where a client of others makes the load, that asks
// what it likes: Hello is then what one connection says before, to see that the server answers as it should.
type Exchange struct {
	Hello    []byte // said once, first; none: nothing
	HelloEnd []byte // what the answer to Hello ends with
	Request  []byte // one message
	Reply    []byte // the answer to it
	// AnyReply says that answers have the length of Reply and may have other bytes.
	AnyReply bool
}

// Config is one run.
type Config struct {
	Mode     Mode
	Address  string // an IPv4 address and a port
	Exchange Exchange
	Conns    int           // connections
	Active   int           // how many of them have something to say; 0: all
	Pipeline int           // Closed, Push, RedisBenchmark, Wrk: messages in a batch
	Rate     float64       // Open: messages a second, on all connections together
	Silent   bool          // Idle: without even one message on each connection
	Stalled  int           // Open: connections that send and never read, on top of Conns
	Warmup   time.Duration // before the measurement
	Duration time.Duration // of the measurement
	Client   []string      // RedisBenchmark, Wrk: the program and its first arguments
	Test     string        // RedisBenchmark: what its -t names
	Verify   bool          // compare the bytes of answers all the time; else until the measurement begins

	ServerPID int   // whose CPU time and memory is measured; 0: nobody's
	CPUs      []int // all processors that the run uses, to see whether others use them too; none: not looked at
}

// StalledBytes is how much a stalled connection sends, if the server takes it.
const StalledBytes = 8 << 20

// largestMessage fits into the system's smallest buffers on both sides, so that a greeting can be sent as a whole before
// anybody reads. It may have the header of a WebSocket frame in front.
const largestMessage = 64<<10 + MaxFrameHeader

// check refuses what can't be run.
func (c *Config) check() error {
	switch {
	case c.Conns <= 0:
		return fmt.Errorf("%d connections", c.Conns)
	case c.Active < 0 || c.Active > c.Conns:
		return fmt.Errorf("%d active connections of %d", c.Active, c.Conns)
	case c.Duration <= 0:
		return fmt.Errorf("a duration of %v", c.Duration)
	case len(c.Exchange.Request) > largestMessage || len(c.Exchange.Reply) > largestMessage:
		return fmt.Errorf("a message over %d bytes", largestMessage)
	}
	answered := len(c.Exchange.Request) > 0 && len(c.Exchange.Reply) > 0
	switch c.Mode {
	case Closed:
		if !answered || c.Pipeline <= 0 {
			return errors.New("closed loop without messages")
		}
	case Open:
		if !answered || c.Rate <= 0 {
			return errors.New("open loop without messages")
		}
	case Push:
		if !answered || c.Pipeline <= 0 {
			return errors.New("push without messages")
		}
	case OneWay:
		if c.Conns != 1 {
			return errors.New("one-way load is on one connection")
		}
	case RedisBenchmark, Wrk:
		if len(c.Client) == 0 || c.Pipeline <= 0 || (c.Mode == RedisBenchmark) != (c.Test != "") {
			return fmt.Errorf("%s without its program, a batch or a test", c.Mode)
		}
	case Idle:
	default:
		return fmt.Errorf("unknown mode %q", c.Mode)
	}
	return nil
}

// active is the number of connections that have something to say.
func (c *Config) active() int {
	if c.Active > 0 {
		return c.Active
	}
	return c.Conns
}
