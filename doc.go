// Package weir serves many long-lived TCP connections that speak a protocol of
// their own: push gateways, chat and game servers, device gateways, proxies,
// stores. A few event loops own all connections. A [Protocol] cuts each
// connection's bytes into messages, and the program's [Handler] answers them.
//
// This server answers everything in capital letters:
//
//	package main
//
//	import (
//		"bytes"
//		"log"
//
//		"github.com/go-weir/weir"
//	)
//
//	type upper struct{}
//
//	func (upper) OnConnect(c *weir.Connection) {}
//	func (upper) OnClose(c *weir.Connection)   {}
//	func (upper) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
//		return bytes.ToUpper(data)
//	}
//
//	func main() {
//		s, err := weir.NewServer(upper{}, weir.Address("localhost:1833"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		log.Println("listening on", s.Addrs()[0])
//		log.Fatal(s.Start())
//	}
//
// [NewServer] binds the addresses, [Server.Start] serves until [Server.Stop] or
// [Server.Shutdown]. Some interfaces are optional, and looked for when the server
// is made. A Protocol may also be
//
//   - a [PacketAppender], which encodes without a buffer of its own,
//   - a [Splitter], which cuts messages from a plain slice,
//   - a [LastProtocol], for which the end of the stream may end a message,
//   - a [ValidProtocol], which refuses to be used as it is.
//
// A Handler may also be
//
//   - a [WritableHandler], told when a peer that did not read has caught up,
//   - a [HalfCloseHandler], told at once when a peer has ended its stream,
//   - a [ShutdownHandler], told when [Server.Shutdown] begins.
//
// # The life of a connection
//
// OnConnect is the first that a program hears of a connection, OnClose the last;
// each is called exactly once. In between, what arrives goes to
// Protocol.UnPacket, and each message that it returns goes to OnMessage. What
// OnMessage returns goes through Protocol.Packet to the peer. Everything that is
// written to a connection during one callback leaves in as few system calls as
// possible, as a rule in one.
//
// A connection ends because one of the two sides wants it to, or because of an
// error or a bound; [Connection.Err] says which, from OnClose on. What was
// accepted for sending is sent first, as long as the peer takes some of it within
// the [Linger] time, when the end
// comes by
//
//   - [Connection.Close], [Connection.CloseWithError] or [Connection.Reset],
//   - a callback that panics, or a message over [MaxMessageSize],
//   - the peer, who has ended its stream,
//   - [Server.Shutdown].
//
// It is dropped when the end comes by a time limit ([IdleTime], a deadline), by
// the policy for slow peers ([SlowConsumer]), by an error of the system such as a
// reset, or by [Server.Stop].
//
// After Close, OnMessage is not called any more, not even for messages that have
// been received; if another goroutine calls Close, one call may be just about to
// begin. When the peer ends its stream, with close(2)
// or only its own half with shutdown(2), the messages before that are still
// delivered and answered. An answer that another goroutine wants to send later is
// too late then, unless the connection is held meanwhile ([Connection.Hold]), or
// reading is paused ([Connection.PauseRead]).
//
// # Which goroutine runs what
//
// Each connection belongs to one loop, which is one goroutine, for its whole
// life. All callbacks for the connection run there, one after the other: the
// methods of the Handler and of the Protocol, and the functions given to
// [Connection.Execute], [Connection.RunAfter] and [SendInLoop]. They must not
// block: the other connections of the loop wait meanwhile. In return, what they
// keep with the connection needs no lock. Connections on different loops are
// served at the same time, by one Handler and one Protocol.
//
// Methods of a Connection are for any goroutine, except those whose comment says
// "loop only". These are Write, WritePacket, WriteFrame, WriteShared, WriteBlocked,
// Context, SetContext, ProtocolState, SetProtocolState, UserBuffer, Hold, AwaitPeer,
// SinceProgress, Unacknowledged, SetIdleTime, SetStallTimeout, SetReadDeadline,
// SetWriteDeadline, RunAfter, and Stop of the Timer that RunAfter returns. They lock
// nothing, so the race detector reports a call from elsewhere. Another goroutine uses
// [Connection.Send], or has its function run on the loop with
// [Connection.Execute]; neither waits.
//
// Methods of a [Server] are for any goroutine. The functions given to
// [Server.RunAfter] and [Server.RunEvery] run on goroutines of their own, and may
// block.
//
// # Whose bytes
//
// The data given to OnMessage is what UnPacket returned, and that may be a window
// into a buffer of the library. It is valid until OnMessage returns; what is
// needed longer has to be copied.
//
// What OnMessage returns has been copied or written before the next callback
// runs, and what [Connection.Write] and [Connection.WritePacket] are given, before
// they return. All of it may be used again then.
//
// What [Connection.Send] is given belongs to the library until it was written,
// and must not be changed; the [SendInLoop] option tells when that is. Bytes that
// nobody changes may be sent to any number of connections.
//
// The Sends of one goroutine keep their order. What OnMessage returns or writes
// goes out before anything that Send queued during that callback.
//
// # Bounds
//
// All of these are on unless the program changes them. A size is in bytes, and
// for one connection unless it says otherwise.
//
//	bound                      option            default  past it
//	message not yet complete   MaxMessageSize    16 MiB   closed, ErrMessageTooLarge
//	the same, all connections  IncompleteLimit   256 MiB  closed, ErrMessageTooLarge
//	time for such a message    MessageTimeout    30 s, and 1 s per KiB; os.ErrDeadlineExceeded
//	unsent, high-water mark    WriteBufferMarks  1 MiB    reading from that peer pauses
//	unsent, low-water mark     WriteBufferMarks  256 KiB  reading goes on, OnWritable
//	unsent, limit              WriteBufferLimit  64 MiB   ErrWriteBufferFull; see SlowConsumer
//	no progress after Close    Linger            5 s      the rest is dropped, *UnsentError
//	time for closing in all    LingerLimit       none     the same
//	no progress                IdleTime          none     closed, ErrIdleTimeout
//	no progress, bytes unsent  StallTimeout      none     closed, ErrStalled
//	silence before a probe     KeepAlive         15 s     no answer is an error of the system
//	connections of the server  MaxConnections    none     accepted and closed, counted
//
// The high-water mark is a quarter of a WriteBufferLimit that is set below 4 MiB,
// unless WriteBufferMarks is used, and the low-water mark a quarter of that.
//
// Three more have no option. A connection is read once when it is ready, and written
// 4 MiB at most, then it is the turn of the next. A process that has no file descriptor left turns
// connections away, or lets them wait, and goes on. And a panic in a callback, or
// runtime.Goexit, ends that connection only.
//
// # Timers
//
// Idle times, deadlines and Connection.RunAfter are kept by the connection's
// loop. They fire at their time or a little later, about 10 ms at most on a loop
// that is not busy, and cost nothing per message. Server.RunAfter and
// Server.RunEvery are timers of the Go runtime.
//
// # Errors
//
// A call on a connection that is ending or has ended returns
// [ErrConnectionClosed]. An invalid option is an [*OptionError]. Why a
// connection ended, Connection.Err tells; compare with [errors.Is] and
// [errors.As], because an [*UnsentError] may be around the cause:
//
//	io.EOF                   the peer ended its stream
//	ErrConnectionClosed      this side called Close
//	(any)                    this side called CloseWithError
//	ErrIdleTimeout           the peer made no progress for the idle time
//	os.ErrDeadlineExceeded   a read or write deadline passed, or MessageTimeout
//	ErrMessageTooLarge       the peer sent too much without completing a message
//	ErrSlowConsumer          the peer did not read what it was sent: more than the limit is unsent
//	ErrStalled               the peer did not read what it was sent for the stall time
//	ErrServerStopped         Stop or Shutdown
//	*PanicError              a callback panicked
//	*os.SyscallError         the system reported an error, a reset by the peer for one
//
// ErrConnectionClosed and ErrServerStopped are also [net.ErrClosed]. What no
// return value can tell goes to the [Logger].
//
// # Systems
//
// Linux (epoll), macOS and the BSDs (kqueue). Elsewhere the package compiles, and
// NewServer returns [errors.ErrUnsupported].
package weir
