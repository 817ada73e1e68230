// Package poller tells one event loop which of its descriptors are ready.
//
// This file states the contract; each mechanism (epoll on Linux, kqueue on the BSDs and macOS) fulfils it in a file of
// its own, and the conformance tests hold every one of them to it. Elsewhere [New] says [errors.ErrUnsupported].
package poller

import "time"

// Interest is what a descriptor is watched for.
type Interest uint8

// The interests. None of them, 0, keeps a descriptor registered and otherwise silent: see [Hangup].
const (
	Read  Interest = 1 << iota // data, the end of the stream, a connection to accept
	Write                      // room to send, or a connect(2) that has ended
)

// Readiness is what [Poller.Wait] reports.
type Readiness uint8

const (
	// Readable says that read(2) or accept(2) would not block. It may well return 0 or an error: a half-close by the peer
	// is Readable and nothing else.
	Readable Readiness = 1 << iota

	// Writable says that write(2) would not block, though it may return an error.
	Writable

	// Hangup says that the descriptor has failed, or neither direction can be used any more; read(2) or SO_ERROR tells
	// which. It comes whatever the interest is, alone or beside the others, and since it is level-triggered it comes
	// again in each Wait until Remove.
	//
	// That is epoll's EPOLLERR and EPOLLHUP. kqueue can tell less, as it knows a descriptor only by its filters: there it
	// comes with the interests that are on, and not at all while there is none. With Read on, it comes when the stream
	// has ended with an error (EV_EOF and an error code), until read(2) or SO_ERROR has taken that error. With Write on,
	// it comes when nothing more can be sent (EV_EOF), also if this process itself has shut the socket down for writing:
	// Write has to be off by then.
	Hangup
)

// Event is one report of readiness.
type Event struct {
	Token uint64 // as given to Add or Modify
	Ready Readiness
}

// Poller watches descriptors for one loop.
//
// All of it is loop only: the goroutine that calls Wait makes every other call too. Except Wake, which is for any
// goroutine.
//
// # Registration
//
// Reports are level-triggered: what is still ready is reported again by the next Wait.
//
// A token names the registration in its events. It is the caller's, and all 64 bits come back, but [math.MaxUint64] is
// taken. A descriptor is registered once; it has to be Removed before it is closed, because a mechanism may hold on to
// an open file (epoll) or to the number (kqueue) and then report what nobody owns any more.
//
// # Errors
//
// What a system call said is an [*os.SyscallError]. Refusals are the same on every backend: a descriptor registered
// twice is EEXIST, one that is not registered ENOENT, one that is not open EBADF, and a token, interest or slice outside
// of the contract EINVAL. A refused call has changed nothing. After Close every method returns [net.ErrClosed].
type Poller interface {
	// Add starts to watch fd, which should be non-blocking.
	Add(fd int, token uint64, want Interest) error

	// Modify replaces fd's token and interest. What Wait has already returned keeps the old token.
	Modify(fd int, token uint64, want Interest) error

	// Remove ends the watch over fd. No later Wait reports it. The events that one Wait returned are a snapshot: if the
	// caller removes a descriptor while it works through them, it may meet that descriptor's event further down and has
	// to drop it. A generation in the token tells, even if the number has been taken by a new descriptor meanwhile.
	//
	// A descriptor that was closed too early is forgotten all the same, with an error where the mechanism notices.
	Remove(fd int) error

	// Wait fills events with what is ready and says how many it filled. events must not be empty. If more is ready than
	// fits, later Waits report the rest before they report the same again; a Wake may have the place of one event, so one
	// less than fits may be all that did. One descriptor may have several events in one
	// batch (kqueue has one filter for each direction).
	//
	//   - timeout 0 never blocks, and no signal cuts it short: what is ready when it is called is found. On Linux it
	//     does not give up the P either.
	//   - timeout > 0 waits for that long at most, rounded up to the mechanism's unit (epoll: 1 ms; kqueue: 1 ns), so
	//     never shorter; what is longer than 24 days is cut to about that.
	//   - timeout < 0 waits without limit.
	//
	// After a wait, 0 and a nil error do not say that no descriptor is ready: the time is up, or Wake was called, or a
	// signal came in, as when the process was stopped and goes on (signal(7): EINTR, whatever is ready). Whoever wants
	// to conclude from silence asks once more, with timeout 0.
	//
	// Wait does not keep events. It allocates when it first sees a slice of that length, then no more.
	Wait(events []Event, timeout time.Duration) (int, error)

	// Wake makes the Wait that is blocked now, or else the next one, return early. Any goroutine. It does not block. A
	// Wake is never lost; several before one Wait may count as one; none of them yields an Event.
	//
	// What the loop is to find must have been published (under a mutex, by an atomic) before the call: Wake itself
	// orders no memory.
	Wake() error

	// Close releases the poller's own descriptors, and none of the registered ones. Loop only, or after the loop has
	// ended; a Wake that runs at the same time is safe.
	Close() error
}
