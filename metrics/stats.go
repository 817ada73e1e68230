package metrics

import (
	"iter"
	"net/netip"
	"time"
)

// Source is a server that can say what it has done and holds: a *weir.Server.
type Source interface {
	// Stats is called by any goroutine, and stops no loop.
	Stats() Stats
}

// ConnectionSource is a Source that also tells of its connections one by one.
type ConnectionSource interface {
	Source
	// ConnectionStats yields every open connection. Those that come or go
	// meanwhile may be missed or still be seen. Any goroutine; it stops no loop.
	ConnectionStats() iter.Seq[ConnectionStats]
}

// State is how far a server is in its life.
type State string

// The states, in this order; a server that is stopped at once leaves some out.
const (
	Bound    State = "bound"    // its addresses are bound, Start was not called
	Serving  State = "serving"  // it accepts
	Draining State = "draining" // Shutdown: it accepts no more, and connections finish
	Stopped  State = "stopped"  // Stop was called, or a loop has failed
)

// Stats is what a server has done and holds: the sum of all loops, and in Loops
// each of them. If a loop only accepts for the others, it is the last.
type Stats struct {
	Name  string // of the server: its option Name, or the first address it listens on
	State State
	Open  int64 // connections now
	Loops []LoopStats
	LoopStats
}

// LoopStats are what one loop has done and holds.
type LoopStats struct {
	LoopCounters

	// Busy and Waited are the time since the loop was made, divided: what it has
	// spent at work, and what asleep until there was some. As of now.
	Busy, Waited time.Duration

	ListenersLost uint64 // listening sockets that have died; another one was opened, or the server has ended

	// Batches are how many reports of readiness each poll has brought that
	// brought any. Their sum is Events.
	Batches Histogram
	// Callbacks are the times that OnMessage took, in seconds, of one call in
	// CallbackSampling.
	Callbacks Histogram
	// TaskWaits are the times that tasks waited in the queue, in seconds, of about
	// one task in 64.
	TaskWaits Histogram
	// TimerDelays are how long after their time, rounded up to a tick of the
	// timing wheel (8.4 ms), connections' and loops' timers were called, in
	// seconds.
	TimerDelays Histogram
}

// CallbackSampling is how many calls of OnMessage there are to one that is
// timed.
const CallbackSampling = 127

// LoopCounters are the counts of one loop, as of the end of its last cycle.
type LoopCounters struct {
	Loop        int    // its index; -1 in a sum
	Connections int64  // those it has or was chosen for
	Accepted    uint64 // connections accepted by this loop, for itself or another
	Refused     RefusedStats
	Opened      uint64 // connections that OnConnect was called for
	Closed      ClosedStats

	BytesIn       uint64 // bytes read
	BytesOut      uint64 // bytes that the system has taken
	MessagesIn    uint64 // calls of OnMessage with a message
	MessagesOut   uint64 // calls of Packet or AppendPacket
	Reads         uint64 // read(2)
	Writes        uint64 // write(2) and writev(2)
	InputBytes    int64  // received and not yet part of a message
	OutputBytes   int64  // waiting for the system to take them
	Pauses        uint64 // times that reading paused because of the high-water mark
	Paused        int64  // connections that are not read for that reason now
	SlowConsumers uint64 // connections closed at the WriteBufferLimit
	RefusedSends  uint64 // Sends refused at the WriteBufferLimit
	Panics        uint64 // panics in callbacks and functions on the loop; a sum also has those in a Server's timers
	Stalls        uint64 // callbacks that blocked the loop for longer than the Watchdog's time

	Polls  uint64 // calls that asked for events
	Waits  uint64 // those of them that could block
	Events uint64 // reports of readiness
	Tasks  uint64 // tasks run
	Queued int    // tasks waiting
	Timers int    // connections' and loops' timers that are armed; a sum also has a Server's own
}

// RefusedStats counts connections that were accepted and closed before OnConnect.
type RefusedStats struct {
	MaxConnections uint64 // over MaxConnections
	Descriptors    uint64 // the process or the system had no descriptor left
	Other          uint64 // the loop could not take them: it has stopped, or registering failed
}

// Total is the number of refused connections.
func (s *RefusedStats) Total() uint64 { return s.MaxConnections + s.Descriptors + s.Other }

// ClosedStats counts ended connections by cause.
type ClosedStats struct {
	Peer    uint64 // the peer ended its stream
	Local   uint64 // Close
	Idle    uint64 // ErrIdleTimeout
	Expired uint64 // a read or write deadline
	Slow    uint64 // ErrSlowConsumer
	Size    uint64 // ErrMessageTooLarge
	Panic   uint64 // *PanicError
	Stopped uint64 // ErrServerStopped
	System  uint64 // an error of a system call, a reset by the peer among them
	Other   uint64 // whatever else CloseWithError was given
}

// Total is the number of ended connections.
func (s *ClosedStats) Total() uint64 {
	return s.Peer + s.Local + s.Idle + s.Expired + s.Slow + s.Size + s.Panic + s.Stopped + s.System + s.Other
}

// ConnectionStats is what one connection holds now.
type ConnectionStats struct {
	ID   uint64 // the number of its weir.ConnID, whose text is "%016x" of it
	Peer netip.AddrPort
	Loop int
	// Input is the bytes received and not yet part of a message, Output those
	// that wait for the system to take them.
	Input, Output int64
	// SlowestCallback is the longest OnMessage of those that were timed, one in
	// CallbackSampling of its loop; 0: none was.
	SlowestCallback time.Duration
}
