package http1

import (
	"fmt"
	"time"
)

// options is what Option functions set.
type options struct {
	limits      Limits
	maxBody     int64
	bodyMemory  int64
	headTime    time.Duration
	bodyTime    time.Duration
	bodyRate    int
	idleTime    time.Duration
	serverField string
	// lateTime is how long an answer waits for the end of a chunked body. The client may
	// be waiting for it before it sends more. Only tests change it.
	lateTime time.Duration
}

// Option changes what New makes.
type Option func(*options)

// HeadLimits sets the limits of request line, head and fields; past them the
// answer is 414 or 431, and the connection is closed.
func HeadLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// MaxBody limits the body of a request; past it the answer is 413, and the
// connection is closed. The default is 4 MiB. A body that a Handler asks for with
// Request.ReadBody is held in memory; see BodyMemory.
func MaxBody(bytes int64) Option { return func(o *options) { o.maxBody = bytes } }

// BodyMemory limits the memory of all bodies together that are held for Handlers until
// they are complete and have been served (Request.ReadBody). None may have more of it
// than is left for all others: whoever holds much keeps nobody out who wants little. Past
// that the answer is 503, and the connection is closed; a body of more than half of the
// limit is answered with 413. The default is 256 MiB; 0 means no limit.
func BodyMemory(bytes int64) Option { return func(o *options) { o.bodyMemory = bytes } }

// HeadTimeout limits how long a head may take, from its first byte to its last.
// Past it the answer is 408, and the connection is closed. The default is 10 s; 0
// means for ever.
func HeadTimeout(d time.Duration) Option { return func(o *options) { o.headTime = d } }

// BodyTimeout limits how long a body may take: d at first, and then one second for each
// bytesPerSecond of it that have come, but never more than d in advance. So one that
// stops coming has d, or up to twice that, and one that is always slower has little more.
// The time does not run while the connection is not read because the handler does not.
// Past it the answer, if there is none yet, is 408, and the connection is closed. The
// default is 30 s and 1 KiB; a d of 0 means for ever.
func BodyTimeout(d time.Duration, bytesPerSecond int) Option {
	return func(o *options) { o.bodyTime, o.bodyRate = d, bytesPerSecond }
}

// IdleTimeout closes connections on which no request has begun for that long, or up to
// twice as long. Unlike the server's IdleTime it does not count the time that a handler
// takes; and as there, a client that is still reading a reply is not idle. The default is
// 60 s; 0 means never.
func IdleTimeout(d time.Duration) Option { return func(o *options) { o.idleTime = d } }

// ServerField sets the Server field of all responses. By default there is none.
func ServerField(value string) Option { return func(o *options) { o.serverField = value } }

func defaultOptions() options {
	return options{
		maxBody:    4 << 20,
		bodyMemory: 256 << 20,
		headTime:   10 * time.Second,
		bodyTime:   30 * time.Second,
		bodyRate:   1 << 10,
		idleTime:   60 * time.Second,
		lateTime:   time.Second,
	}
}

// validate refuses what can't work.
func (o *options) validate() error {
	const maxLimit = 1 << 30 // a head is measured in 32 bits
	for _, v := range []struct {
		option             string
		value, least, most int64
	}{
		{"HeadLimits: RequestLine", int64(o.limits.RequestLine), 0, maxLimit},
		{"HeadLimits: Head", int64(o.limits.Head), 0, maxLimit},
		{"HeadLimits: Fields", int64(o.limits.Fields), 0, maxLimit},
		{"MaxBody", o.maxBody, 0, 1 << 59},
		{"BodyMemory", o.bodyMemory, 0, 1 << 59},
		{"HeadTimeout", int64(o.headTime), 0, 1<<63 - 1},
		{"BodyTimeout", int64(o.bodyTime), 0, 1<<63 - 1},
		{"BodyTimeout: rate", int64(o.bodyRate), 1, 1 << 30},
		{"IdleTimeout", int64(o.idleTime), 0, 1<<63 - 1},
	} {
		if v.value < v.least || v.value > v.most {
			return fmt.Errorf("http1: option %s is %d, must be between %d and %d", v.option, v.value, v.least, v.most)
		}
	}
	if !isFieldValue(o.serverField) {
		return fmt.Errorf("http1: option ServerField is %q, which has a control character", o.serverField)
	}
	return nil
}
