package weir

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
	"github.com/go-weir/weir/ringbuffer"
)

// The states of a connection. The loop moves it on, except that Close and
// CloseWithError, from any goroutine, take it from open to draining.
const (
	connecting uint32 = iota // accepted, not yet on its loop → open, or dropped before OnConnect
	open                     // OnConnect is running or has run → draining
	draining                 // no OnMessage any more; what was accepted for sending goes out → closed
	closed                   // the descriptor is gone; OnClose is running or has run
)

// Bits that any goroutine may set.
const (
	bitPaused        uint32 = 1 << iota // PauseRead
	bitWoken                            // a Wake is on its way
	bitWriteShut                        // ShutdownWrite: nothing more is accepted for sending
	bitOverHighWater                    // went over the high-water mark, or was refused; the loop has yet to take note
	bitResuming                         // an opResume is on its way
	bitConnected                        // OnConnect has returned
	bitSlow                             // an opSlow is on its way, or was
	bitReset                            // Reset: the stream ends with a reset, and not as if it were whole
)

// Flags that the loop keeps.
const (
	flagDirty        uint16 = 1 << iota // on the loop's list, settled at the end of the cycle
	flagBlocked                         // the system takes no more bytes until it says Writable; out has some then
	flagBackpressure                    // over the high-water mark and not yet down to the low one
	flagEOF                             // the peer has ended its stream
	flagLastCall                        // the server drains, or writing has failed: no more is read than cold.unread
	flagHalfClose                       // ShutdownWrite has to be done once all is sent
	flagFIN                             // shutdown(2) is done
	flagClosing                         // draining has begun on the loop
	flagDead                            // to be torn down without sending anything more
	flagUnwatched                       // not with the poller: it would report a hang-up for ever
	flagHeld                            // Hold: the end of the input is not the end
	flagAwaitPeer                       // AwaitPeer: acknowledged is not enough
	flagTracked                         // lastProgress is kept
	flagUnsent                          // the cause says that bytes are lost
	flagUndelivered                     // in may have whole messages: no more were wanted when they were delivered
	flagIncomplete                      // cold.incomplete is counted: much was received of a message that has not ended
)

// Connection is one accepted connection. Methods are for any goroutine unless
// their comment says "loop only": those are called from the connection's own
// callbacks, or from a function given to Execute, RunAfter or SendInLoop.
//
// A Connection stays valid after its end, and is never used for another peer.
type Connection struct {
	// The first 64 bytes are what every wake-up looks at.

	// set once
	loop *loop

	// any goroutine
	state   atomic.Uint32
	bits    atomic.Uint32
	pending atomic.Int64 // bytes accepted for sending and not yet with the system

	// loop only; mu is held to write fd, so that whoever holds it has the
	// descriptor to himself
	fd           int32
	flags        uint16
	watched      poller.Interest
	in           *ringbuffer.RingBuffer // what no message was cut from yet; nil: nothing
	out          *outbound              // what the system has not taken yet; nil: nothing
	idleTime     time.Duration          // 0: never idle
	lastProgress time.Duration          // loop time of the peer's last progress; thisCycle: in this one
	protocol     any                    // the Protocol's own state
	ctx          any
	timer        eventloop.Timer // for the earliest of all its times
	cold         *cold           // nil: none

	// any goroutine
	received atomic.Int64  // bytes in the input ring, as of the last delivery
	slowest  atomic.Uint32 // microseconds of the longest OnMessage of those timed

	// set once
	acceptor uint16 // the index of the server's listener that it came by
	peerPort uint16
	peerAddr netip.Addr
	id       ConnID // by the loop, before OnConnect

	// guarded by mu
	mu     sync.Mutex
	locked *locked // nil: none
}

// locked is the state of few connections that other goroutines use, too. Guarded by mu.
type locked struct {
	err    error          // the cause of the end; the first one stays
	values map[string]any // Set
}

// cold is the state that few connections need. Loop only.
type cold struct {
	readDeadline  time.Duration // loop time; 0: none
	writeDeadline time.Duration // loop time; 0: none
	linger        time.Duration // loop time at which lingering began; 0: not lingering
	stall         time.Duration // SetStallTimeout; 0: the server's; less than 0: never
	acks          acks
	unread        int          // bytes that Shutdown has found in the socket and that are not read yet
	failed        *failedWrite // nil: writing has not failed
	timers        *connTimer   // those of RunAfter that have not fired
	incomplete    *incomplete  // nil: no large message came in parts lately
}

// ID is the connection's name for as long as the process runs. It is known from
// OnConnect on.
func (c *Connection) ID() ConnID { return c.id }

// Protocol is the server's (CustomProtocol). Any goroutine.
func (c *Connection) Protocol() Protocol { return c.loop.server.opts.Protocol }

// Connected reports whether Send and Write accept data: until the end, or
// until this side calls Close or ShutdownWrite.
func (c *Connection) Connected() bool {
	return c.state.Load() == open && c.bits.Load()&bitWriteShut == 0
}

// Err is why the connection ended: io.EOF, ErrIdleTimeout, what
// CloseWithError was given, …; nil while it hasn't. Compare with errors.Is: an
// *UnsentError may be around it.
func (c *Connection) Err() error {
	if c.state.Load() != closed {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause()
}

// PeerAddr is the peer's address as a string, "192.0.2.1:4711".
func (c *Connection) PeerAddr() string { return c.remote().String() }

// RemoteAddr is the peer's address, a *net.TCPAddr.
func (c *Connection) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote()) }

// LocalAddr is this side's address, a *net.TCPAddr. After the end of a
// connection it is the address of the listener.
func (c *Connection) LocalAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	listening := c.listener().addr
	if c.fd >= 0 && listening.IP.IsUnspecified() {
		if local, errno := c.loop.sys.LocalAddr(int(c.fd)); errno == 0 {
			return net.TCPAddrFromAddrPort(local)
		}
	}
	return listening
}

// Listener is by which of its server's addresses the connection came: the index in
// Server.Addrs, and that address. Any goroutine, also after the end.
func (c *Connection) Listener() (index int, addr net.Addr) {
	ln := c.listener()
	return int(ln.address), ln.addr
}

// Context is what SetContext stored, nil at first. Loop only.
func (c *Connection) Context() any { return c.ctx }

// SetContext stores what the program wants to remember with the connection.
// Loop only; Set and Get are for any goroutine.
func (c *Connection) SetContext(ctx any) { c.ctx = ctx }

// ProtocolState is what SetProtocolState stored, nil at first. Loop only.
func (c *Connection) ProtocolState() any { return c.protocol }

// SetProtocolState stores what a Protocol has to remember between two calls of
// UnPacket: how far it has scanned, what it has decoded of a message that isn't
// complete. It is the Protocol's alone, as Context is the program's. Loop only.
func (c *Connection) SetProtocolState(state any) { c.protocol = state }

// UserBuffer is scratch space shared by all connections of the loop, nil until
// somebody puts a slice there. What is in it is lost with the next callback. Loop
// only.
func (c *Connection) UserBuffer() *[]byte { return &c.loop.userBuffer }

// ReadBufferLength is the number of bytes received that were not yet part of a
// message after the last delivery.
func (c *Connection) ReadBufferLength() int64 { return c.received.Load() }

// WriteBufferLength is the number of bytes accepted for sending that the
// system has not taken yet. What was queued by Send counts with a little more
// than its length until the loop has got to it.
func (c *Connection) WriteBufferLength() int64 { return c.pending.Load() }

func (c *Connection) remote() netip.AddrPort { return netip.AddrPortFrom(c.peerAddr, c.peerPort) }

func (c *Connection) listener() *listener { return c.loop.server.listeners[c.acceptor] }

// cause is why c ends; nil if it doesn't. With mu held.
func (c *Connection) cause() error {
	if c.locked == nil {
		return nil
	}
	return c.locked.err
}

// lockedState is c.locked, made if need be. With mu held.
func (c *Connection) lockedState() *locked {
	if c.locked == nil {
		c.locked = new(locked)
	}
	return c.locked
}

// attrs are what log lines say of c.
func (c *Connection) attrs(more ...any) []any {
	return append([]any{"conn", c.id, "peer", c.remote(), "listener", c.listener().addr}, more...)
}

// named reports whether c has an ID that was told of: OnConnect is running or has run,
// and what is set once is set. Any goroutine.
func (c *Connection) named() bool {
	state := c.state.Load()
	return state == open || state == draining
}

// visible reports whether c is shown to those who have not been told of it. Any
// goroutine.
func (c *Connection) visible() bool { return c.named() && c.bits.Load()&bitConnected != 0 }

func (c *Connection) has(flag uint16) bool { return c.flags&flag != 0 }

func (c *Connection) set(flag uint16) { c.flags |= flag }

func (c *Connection) unset(flag uint16) { c.flags &^= flag }

// coldState returns c.cold, made if need be.
func (c *Connection) coldState() *cold {
	if c.cold == nil {
		c.cold = new(cold)
	}
	return c.cold
}

// trimCold lets go of c.cold once it says nothing.
func (c *Connection) trimCold() {
	if c.cold != nil && *c.cold == (cold{}) {
		c.cold = nil
	}
}

// Set stores, by name, what the program wants to remember with the connection. Any
// goroutine; so are Get and Delete.
func (c *Connection) Set(key string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.lockedState()
	if a.values == nil {
		a.values = make(map[string]any)
	}
	a.values[key] = value
}

// Get returns what is stored under key, and whether there is anything.
func (c *Connection) Get(key string) (value any, exists bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked != nil {
		value, exists = c.locked.values[key]
	}
	return value, exists
}

// Delete forgets what is stored under key.
func (c *Connection) Delete(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked != nil {
		delete(c.locked.values, key)
	}
}
