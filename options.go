package weir

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/go-weir/weir/eventloop"
)

// Options is a server's configuration, as Server.Options returns it. Every
// field is set by the Option of its name; the comments give the defaults.
type Options struct {
	Network       string   // "tcp", "tcp4" or "tcp6"; "tcp"
	Address       string   // the first address; none, it must be given
	MoreAddresses []string // the other addresses
	Name          string   // in metrics and logs; the first address, with its port
	NumLoops      int      // one per CPU that the process may use
	ReusePort     bool     // false

	ListenerPerLoop bool        // false
	Control         ControlFunc // none
	ControlAccepted ControlFunc // none

	Protocol     Protocol            // DefaultProtocol; set by CustomProtocol
	Strategy     LoadBalanceStrategy // RoundRobin; none with ListenerPerLoop; set by LoadBalance
	AddrStrategy AddrStrategy        // none; set by LoadBalance
	Logger       *slog.Logger        // slog's default at level Warn
	Watchdog     time.Duration       // 1 s; 0: none

	MetricsPath      string   // "/metrics"; set by MetricsServer
	MetricsAddress   string   // none: nothing is served; set by MetricsServer
	MetricsProfiling bool     // false
	MetricsHosts     []string // none but IP addresses, localhost and the host of MetricsAddress

	MaxConnections   int           // 0: no limit
	MaxMessageSize   int           // bytes; 16 MiB
	IncompleteLimit  int           // bytes; 0: 16 times MaxMessageSize
	MessageTimeout   time.Duration // 30 s; 0: for ever
	MessageRate      int           // bytes per second; 1 KiB; set by MessageTimeout
	LowWaterMark     int           // bytes; 256 KiB, or a quarter of HighWaterMark; set by WriteBufferMarks
	HighWaterMark    int           // bytes; 1 MiB, or a quarter of WriteBufferLimit if that is less; set by WriteBufferMarks
	WriteBufferLimit int           // bytes; 64 MiB
	SlowConsumer     SlowPolicy    // RefuseSlow
	IdleTime         time.Duration // 0: for ever
	StallTimeout     time.Duration // 0: for ever
	Linger           time.Duration // 5 s
	LingerLimit      time.Duration // 0: none
	BusyPoll         time.Duration // 0: a loop blocks as soon as it has nothing to do

	NoDelay           bool          // true
	KeepAlive         time.Duration // 15 s; 0: none
	SocketReadBuffer  int           // bytes; 0: the system's choice
	SocketWriteBuffer int           // bytes; 0: the system's choice
	Backlog           int           // 0: the system's maximum

	balanced  bool // LoadBalance was given
	marked    bool // WriteBufferMarks was given
	testHooks testHooks
}

// Option sets one of the Options.
type Option func(*Options)

// SlowPolicy says what happens when a connection's unsent bytes reach its
// WriteBufferLimit.
type SlowPolicy int

const (
	// RefuseSlow makes Send and Write return ErrWriteBufferFull.
	RefuseSlow SlowPolicy = iota
	// CloseSlow also closes the connection at once, with ErrSlowConsumer.
	CloseSlow
)

// Network sets the network of the addresses: "tcp" (both IP versions), "tcp4"
// or "tcp6".
func Network(n string) Option { return func(o *Options) { o.Network = n } }

// Address sets the addresses to listen on, as net.Listen takes them:
// "localhost:1833", ":1833", "[::1]:0". One that begins with a network, such
// as "tcp6://[::1]:1833", is on that one.
func Address(a string, more ...string) Option {
	return func(o *Options) { o.Address, o.MoreAddresses = a, more }
}

// Name sets what metrics and log lines call the server: the label "server". Without
// it that is the first address that it listens on.
func Name(n string) Option { return func(o *Options) { o.Name = n } }

// NumLoops sets the number of event loops that serve connections. 0 and -1
// mean one per CPU that the process may use (GOMAXPROCS). If there are several, one
// more loop accepts for them, except with ListenerPerLoop.
func NumLoops(n int) Option { return func(o *Options) { o.NumLoops = n } }

// ReusePort lets other servers, of this process or of others of the same user, listen
// on the same addresses (SO_REUSEPORT, see socket(7)): the system spreads the
// connections over them. Which loop of this one serves a connection is for LoadBalance.
func ReusePort(on bool) Option { return func(o *Options) { o.ReusePort = on } }

// ListenerPerLoop gives every loop a listener of its own on the same addresses, by
// SO_REUSEPORT: the system spreads the connections over the loops, and none accepts for
// the others. There is nothing left for LoadBalance to choose, so both together are an
// error.
func ListenerPerLoop(on bool) Option { return func(o *Options) { o.ListenerPerLoop = on } }

// CustomProtocol sets the protocol that cuts streams into messages, instead of
// DefaultProtocol.
func CustomProtocol(p Protocol) Option { return func(o *Options) { o.Protocol = p } }

// LoadBalance sets how the loop of a new connection is chosen: RoundRobin,
// LeastConnection, Random, SourceAddrHash, or a function of one's own. It runs
// on the accepting loop and must return one of the loops it is given.
func LoadBalance[S Strategy](strategy S) Option {
	return func(o *Options) {
		o.Strategy, o.AddrStrategy, o.balanced = nil, nil, true
		switch s := any(strategy).(type) {
		case LoadBalanceStrategy:
			o.Strategy = s
		case func([]*eventloop.EventLoop) *eventloop.EventLoop:
			o.Strategy = s
		case AddrStrategy:
			o.AddrStrategy = s
		case func([]*eventloop.EventLoop, netip.AddrPort) *eventloop.EventLoop:
			o.AddrStrategy = s
		}
	}
}

// Logger sets where the server reports what its user can't see from return
// values. At level Error: panics in callbacks, callbacks that block their loop;
// at Warn: connections that were refused or were slow consumers, accepting that
// fails; at Info: that it serves, drains, has stopped; at Debug: every connection
// that opens or closes. Each line has the server's name, and the connection's ID
// and addresses where it is about one. Of the lines that peers can cause there are
// few: ten panics at once and then one per second, of refused connections and of
// slow consumers one in ten seconds; each says how many were left out. The
// default is slog's default logger, from level Warn on.
func Logger(l *slog.Logger) Option { return func(o *Options) { o.Logger = l } }

// MaxConnections limits the connections that are open at one time. Those over
// the limit are accepted and closed at once. 0 means no limit.
func MaxConnections(n int) Option { return func(o *Options) { o.MaxConnections = n } }

// MaxMessageSize limits the bytes of a message that is not yet complete: what
// UnPacket may leave in its buffer. A peer that sends more is cut off with
// ErrMessageTooLarge.
func MaxMessageSize(bytes int) Option { return func(o *Options) { o.MaxMessageSize = bytes } }

// IncompleteLimit limits the bytes that all connections of the server together hold of
// messages that are not yet complete. One connection may hold as many as the others have
// left free, so half of the limit at most; past it, it is cut off with ErrMessageTooLarge.
// So those with the largest messages make room first, and many connections that hold
// half a message each leave room for messages of moderate size. Up to 4 KiB of a
// connection are not counted. 0, the default, means 16 times the MaxMessageSize; less
// than twice the MaxMessageSize is refused.
func IncompleteLimit(bytes int) Option { return func(o *Options) { o.IncompleteLimit = bytes } }

// MessageTimeout limits how long a message may take to come, from when 4 KiB of it
// are there: d, and one second more for each bytesPerSecond that have come. The time
// begins again when this side resumes reading, whether it was paused by PauseRead or
// by unsent bytes, and when a Hold ends. Past it, the connection is closed with
// os.ErrDeadlineExceeded. The default is 30 s and 1 KiB; a d of 0 means for ever. See
// IdleTime for connections that send nothing, or little.
func MessageTimeout(d time.Duration, bytesPerSecond int) Option {
	return func(o *Options) { o.MessageTimeout, o.MessageRate = d, bytesPerSecond }
}

// WriteBufferMarks sets the unsent bytes at which reading from that peer
// pauses (high), and to which they must sink for it to go on (low). There may be
// more by what the callback that passes the mark writes, and by 64 KiB: a reply, or
// what one callback writes, always fits if it is no larger than what lies between
// the high-water mark and the WriteBufferLimit.
func WriteBufferMarks(low, high int) Option {
	return func(o *Options) { o.LowWaterMark, o.HighWaterMark, o.marked = low, high, true }
}

// WriteBufferLimit sets the unsent bytes that one connection may hold, which are
// more than the high-water mark. What would go beyond is refused with
// ErrWriteBufferFull; see SlowConsumer. A connection that is down to its low-water
// mark takes any message that is no larger than the limit itself, and so may hold the
// two together.
func WriteBufferLimit(bytes int) Option { return func(o *Options) { o.WriteBufferLimit = bytes } }

// SlowConsumer sets what happens at the WriteBufferLimit. A reply that OnMessage
// returned and that goes beyond it closes the connection in any case: nobody
// would see the error.
func SlowConsumer(p SlowPolicy) Option { return func(o *Options) { o.SlowConsumer = p } }

// IdleTime closes connections whose peer has made no progress for that long, with
// ErrIdleTimeout: nothing was received of it, and its system acknowledged nothing that
// it was sent. What is unsent is dropped. The time runs while reading is paused, too.
// 0 means never.
//
// A connection never ends before its time. With bytes unacknowledged it may end later
// by up to three quarters of it, as the loop then has to look when the last of them were
// acknowledged. On other systems than Linux, sent means taken by the system.
func IdleTime(t time.Duration) Option { return func(o *Options) { o.IdleTime = t } }

// StallTimeout closes connections with bytes unsent whose peer has made no progress for
// that long, with ErrStalled: it reads nothing of what it is sent. A peer that reads, however
// slowly, makes progress. 0 means never; then only the bounds on what is unsent hold.
func StallTimeout(t time.Duration) Option { return func(o *Options) { o.StallTimeout = t } }

// Linger sets how long a connection that is being closed waits for its peer to take
// what was accepted for sending. Each progress of the peer, whose system acknowledges
// some of it, starts that time anew; LingerLimit bounds it in all. 0 means that only
// what the system takes at once is sent.
func Linger(t time.Duration) Option { return func(o *Options) { o.Linger = t } }

// LingerLimit sets how long closing a connection may take in all, however well its peer
// reads. 0 means no limit.
func LingerLimit(t time.Duration) Option { return func(o *Options) { o.LingerLimit = t } }

// BusyPoll makes an idle loop poll for that long, at most a millisecond, before it
// blocks; 20 µs is a good value. Clients on the same machine that wait for each answer
// get a tenth more throughput, because no processor has to be woken; the price is
// processor time. A loop does it only while events are cheap, and after eight times in a
// row without an event on one of 64 occasions. 0, the default, disables it.
func BusyPoll(d time.Duration) Option { return func(o *Options) { o.BusyPoll = d } }

// NoDelay sets TCP_NODELAY: small messages go out at once.
func NoDelay(on bool) Option { return func(o *Options) { o.NoDelay = on } }

// KeepAlive sets how long a connection is silent before the system probes the
// peer, and the time between probes; whole seconds, rounded up, 32,767 at most. 0
// turns probing off.
func KeepAlive(t time.Duration) Option { return func(o *Options) { o.KeepAlive = t } }

// SocketReadBuffer sets SO_RCVBUF; see socket(7). 0 leaves the choice to the
// system, which then also adapts it.
func SocketReadBuffer(bytes int) Option { return func(o *Options) { o.SocketReadBuffer = bytes } }

// SocketWriteBuffer sets SO_SNDBUF; see socket(7). 0 leaves the choice to the
// system, which then also adapts it.
func SocketWriteBuffer(bytes int) Option { return func(o *Options) { o.SocketWriteBuffer = bytes } }

// Backlog sets how many connections may wait to be accepted; see listen(2). 0
// means the system's maximum.
func Backlog(n int) Option { return func(o *Options) { o.Backlog = n } }

const (
	lowWaterMark  = 256 << 10
	highWaterMark = 1 << 20
)

func defaultOptions() Options {
	return Options{
		Network:          "tcp",
		Protocol:         &DefaultProtocol{},
		MaxMessageSize:   16 << 20,
		MessageTimeout:   30 * time.Second,
		MessageRate:      1 << 10,
		LowWaterMark:     lowWaterMark,
		HighWaterMark:    highWaterMark,
		WriteBufferLimit: 64 << 20,
		Linger:           5 * time.Second,
		NoDelay:          true,
		KeepAlive:        15 * time.Second,
		Watchdog:         time.Second,
		MetricsPath:      "/metrics",
	}
}

// fitMarks brings marks that nobody has set below the WriteBufferLimit.
func (o *Options) fitMarks() {
	if !o.marked && o.LowWaterMark == lowWaterMark && o.HighWaterMark == highWaterMark {
		o.HighWaterMark = max(min(o.HighWaterMark, o.WriteBufferLimit/4), 1)
		o.LowWaterMark = min(o.LowWaterMark, o.HighWaterMark/4)
	}
}
