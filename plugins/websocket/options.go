package websocket

import (
	"fmt"
	"time"

	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// options is what Option functions set.
type options struct {
	codec        codec.Config
	headLimit    int
	handshake    time.Duration
	ping         time.Duration
	pong         time.Duration
	closing      time.Duration
	messageTime  time.Duration
	messageRate  int
	inflateAside int
	inflaters    int
	subprotocols []string
	origins      []string
	checkOrigin  func(*Request) bool
	onUpgrade    func(*Request) (Answer, error)
	fallback     http1.Handler
	http         []http1.Option
	hub          hubOptions
}

// Option changes what New makes.
type Option func(*options)

// MessageLimit limits the payload of a message, all its frames together, as it is
// sent: of a compressed one, before it is inflated. Past it the connection is closed
// with 1009. The default is 16 MiB.
func MessageLimit(bytes int) Option { return func(o *options) { o.codec.Limits.Message = bytes } }

// FrameLimit limits the number of frames of a message. Past it the connection is
// closed with 1008. The default is 131,072.
func FrameLimit(frames int) Option { return func(o *options) { o.codec.Limits.Frames = frames } }

// InflatedLimit limits what a compressed message may have when inflated. Past it the
// connection is closed with 1009. The default is 16 MiB.
func InflatedLimit(bytes int) Option { return func(o *options) { o.codec.Limits.Inflated = bytes } }

// PinnedLimit limits the memory that the unfinished messages of all connections of
// the Protocol may take together, those included that are being inflated aside. Near it,
// at seven eighths, the connection whose message takes the most is closed with 1013, and
// of several the one whose message has for the longest time; past it, the one that would
// need more. The default is 256 MiB.
func PinnedLimit(bytes int) Option { return func(o *options) { o.codec.Limits.Pinned = bytes } }

// HeadLimit limits the head of the request that begins a connection. Past it the
// answer is 431. The default is 16 KiB.
func HeadLimit(bytes int) Option { return func(o *options) { o.headLimit = bytes } }

// HandshakeTimeout limits how long a connection may take until its request is
// complete: from its beginning to the first byte, and from there to the last. Past it
// the connection is closed, behind a 408 if the request had begun. With a Fallback,
// the first of the two is http1.IdleTimeout. The default is 10 s.
func HandshakeTimeout(d time.Duration) Option { return func(o *options) { o.handshake = d } }

// KeepAlive has a connection pinged when nothing was received on it for the time
// idle, and closed if nothing was within the time pong then. While the peer has yet to
// take what was written, a ping would have to wait: then it is closed if its system
// acknowledges nothing of that for both times together. All of these may be up to a
// quarter more. The defaults are 30 s and 15 s. An idle of 0 turns all of it off.
func KeepAlive(idle, pong time.Duration) Option {
	return func(o *options) { o.ping, o.pong = idle, pong }
}

// MessageTimeout limits how long a message may take from its first byte to its last: d,
// and one second more for each bytesPerSecond of it that have come. The time starts anew
// when reading goes on that was paused. It may be up to a quarter more. Past it the
// connection is closed with 1008. The default is 30 s and 1 KiB; a d of 0 means for ever.
func MessageTimeout(d time.Duration, bytesPerSecond int) Option {
	return func(o *options) { o.messageTime, o.messageRate = d, bytesPerSecond }
}

// CloseTimeout limits how long the peer may take to answer a close frame, from when its
// system has it, before the connection is ended without an answer. Until then, it is how
// long the peer may go without taking anything of what was written before. It may be up
// to a quarter more. The default is 5 s.
func CloseTimeout(d time.Duration) Option { return func(o *options) { o.closing = d } }

// Compression makes permessage-deflate (RFC 7692) available to peers that offer it.
// By default it is not: what is small doesn't gain by it, and it takes more time than
// all else.
func Compression(d codec.Deflate) Option { return func(o *options) { o.codec.Deflate = &d } }

// InflateAside sets from which size on, in bytes as they were sent, a compressed
// message is inflated on a goroutine, of which there are so many at most; shorter ones
// are inflated on the loop, unless they become more than 16 times that size. The
// connection isn't read meanwhile, so its messages keep their order. What waits for a
// goroutine counts against PinnedLimit. The defaults are 16 KiB and 4.
func InflateAside(bytes, goroutines int) Option {
	return func(o *options) { o.inflateAside, o.inflaters = bytes, goroutines }
}

// Subprotocols are those that the server speaks, the best one first. The first that
// the client offers, too, is agreed on; if there is none, the connection has none.
func Subprotocols(names ...string) Option { return func(o *options) { o.subprotocols = names } }

// Origins are the web sites whose pages may connect besides those of the server's own
// host: "https://example.com", as browsers write it, or "*" for all. Requests without
// an Origin field, which are not a browser's, are always accepted.
func Origins(allowed ...string) Option { return func(o *options) { o.origins = allowed } }

// CheckOrigin has f decide, instead, which requests with an Origin field are accepted.
// It runs on the loop.
func CheckOrigin(f func(r *Request) bool) Option { return func(o *options) { o.checkOrigin = f } }

// OnUpgrade has f decide about each request that is well-formed and of an origin that
// is allowed. It runs on the loop and must not block.
func OnUpgrade(f func(r *Request) (Answer, error)) Option {
	return func(o *options) { o.onUpgrade = f }
}

// Fallback answers the requests that don't ask for a WebSocket, so that a page and its
// socket share a port. Without one the answer is 426. opts are those of http1.New; the
// limits there that concern the head are overridden by those here.
func Fallback(h http1.Handler, opts ...http1.Option) Option {
	return func(o *options) { o.fallback, o.http = h, opts }
}

func defaultOptions() options {
	return options{
		headLimit:    16 << 10,
		handshake:    10 * time.Second,
		ping:         30 * time.Second,
		pong:         15 * time.Second,
		closing:      5 * time.Second,
		messageTime:  30 * time.Second,
		messageRate:  1 << 10,
		inflateAside: 16 << 10,
		inflaters:    4,
		hub:          hubOptions{topics: 1024, name: 256, publish: 64 << 20, backlog: 1 << 20},
	}
}

// validate refuses what can't work.
func (o *options) validate() error {
	const longest = time.Duration(1<<63 - 1)
	for _, v := range []struct {
		option             string
		value, least, most int64
	}{
		{"MessageLimit", int64(o.codec.Limits.Message), 0, 1<<63 - 1},
		{"FrameLimit", int64(o.codec.Limits.Frames), 0, 1<<63 - 1},
		{"InflatedLimit", int64(o.codec.Limits.Inflated), 0, 1<<63 - 1},
		{"PinnedLimit", int64(o.codec.Limits.Pinned), 0, 1<<63 - 1},
		{"HeadLimit", int64(o.headLimit), 1, 1 << 30},
		{"HandshakeTimeout", int64(o.handshake), 1, int64(longest)},
		{"KeepAlive: idle", int64(o.ping), 0, int64(longest)},
		{"KeepAlive: pong", int64(o.pong), 1, int64(longest)},
		{"CloseTimeout", int64(o.closing), 1, int64(longest)},
		{"MessageTimeout", int64(o.messageTime), 0, int64(longest / 2)},
		{"MessageTimeout: rate", int64(o.messageRate), 1, 1 << 30},
		{"InflateAside: bytes", int64(o.inflateAside), 1, 1<<63 - 1},
		{"InflateAside: goroutines", int64(o.inflaters), 1, 1 << 20},
		{"PublishLimit", int64(o.hub.publish), 1, 1<<63 - 1},
		{"MaxTopics", int64(o.hub.topics), 0, 1<<31 - 1},
		{"MaxTopicName", int64(o.hub.name), 1, 1<<63 - 1},
		{"SlowSubscribers: backlog", int64(o.hub.backlog), 0, 1<<63 - 1},
		{"SlowSubscribers: policy", int64(o.hub.policy), 0, int64(CloseSlow)},
	} {
		if v.value < v.least || v.value > v.most {
			return fmt.Errorf("websocket: option %s is %d, must be between %d and %d", v.option, v.value, v.least, v.most)
		}
	}
	seen := make(map[string]bool)
	for _, s := range o.subprotocols {
		if !isToken(s) || seen[s] {
			return fmt.Errorf("websocket: option Subprotocols: %q is no token, or there twice", s)
		}
		seen[s] = true
	}
	for _, s := range o.origins {
		if _, ok := parseOrigin(s); !ok && s != "*" {
			return fmt.Errorf(`websocket: option Origins: %q is no origin such as "https://example.com", nor "*"`, s)
		}
	}
	return nil
}
