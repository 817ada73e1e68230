package websocket

import "net/http"

// Stats is what a Protocol has done, on all loops together, since it was made.
type Stats struct {
	Upgraded uint64 // handshakes that succeeded
	Open     int64  // connections now
	Refused  RefusedStats

	MessagesIn  uint64 // messages that OnMessage was called with
	MessagesOut uint64 // messages written, those to subscribers included
	BytesIn     uint64 // their bytes, those of compressed ones inflated
	BytesOut    uint64 // bytes of the frames
	Compressed  uint64 // compressed messages that came
	Aside       uint64 // those that were inflated on a goroutine
	PingsIn     uint64 // pings that were answered
	PongsIn     uint64
	PingsOut    uint64 // pings because nothing was received
	Controls    uint64 // other control frames written

	Closed        map[Code]uint64 // ended connections, by what OnClose got
	PongTimeouts  uint64          // connections that were silent, or took nothing, for too long
	CloseTimeouts uint64          // close frames that were not answered in time
	Limits        LimitStats      // limits that were met

	Published uint64 // messages published to a topic
	Queued    int64  // what counts against PublishLimit now, in bytes
	Delivered uint64 // times that one was written to a subscriber
	Dropped   uint64 // times that it was not, because the subscriber is slow
	SlowEnded uint64 // connections closed for that reason
	Topics    int64  // topics that have subscribers now

	Pinned int64 // bytes of memory of unfinished messages now
	Memory int64 // bytes of memory that contexts of compression may take now
}

// LimitStats counts how often limits were met.
type LimitStats struct {
	Message  uint64 // MessageLimit: connections closed
	Frames   uint64 // FrameLimit: connections closed
	Inflated uint64 // InflatedLimit: connections closed
	Time     uint64 // MessageTimeout: connections closed
	Pinned   uint64 // PinnedLimit: connections closed
	Memory   uint64 // Deflate.Memory: connections with fewer contexts of compression than they have offered
	Topics   uint64 // MaxTopics and MaxTopicName: subscriptions refused
	Publish  uint64 // PublishLimit: publications refused
}

// RefusedStats counts requests that were not upgraded, by what the client was told.
type RefusedStats struct {
	Malformed uint64 // 400
	Forbidden uint64 // 403: the origin, or the program
	Method    uint64 // 405
	Timeout   uint64 // 408, or closed before the request began
	Plain     uint64 // 426: another version, or no WebSocket was asked for and there is no Fallback
	Head      uint64 // 414, 431
	Other     uint64
}

func (r *RefusedStats) count(status int) {
	switch status {
	case http.StatusBadRequest:
		r.Malformed++
	case http.StatusForbidden:
		r.Forbidden++
	case http.StatusMethodNotAllowed:
		r.Method++
	case http.StatusRequestTimeout:
		r.Timeout++
	case http.StatusUpgradeRequired:
		r.Plain++
	case http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestURITooLong:
		r.Head++
	default:
		r.Other++
	}
}

// Stats returns the counts, which are a little old: 50 ms at most, unless a loop is
// busy. It does not wait.
func (p *Protocol) Stats() Stats {
	p.mu.RLock()
	defer p.mu.RUnlock()
	st := Stats{Closed: make(map[Code]uint64)}
	st.add(&p.past)
	st.Published, st.Queued = p.hub.published.Load(), p.hub.queued.Load()
	st.Limits.Publish = p.hub.refused.Load()
	st.Topics = p.hub.size()
	if p.codec != nil { // else its options can't be
		st.Pinned, st.Memory = int64(p.codec.Pinned()), int64(p.codec.Memory())
		st.Limits.Memory = p.codec.Declined()
	}
	for _, s := range p.shards {
		st.add(&s.published)
	}
	return st
}

func (s *Stats) add(o *Stats) {
	s.Upgraded += o.Upgraded
	s.Open += o.Open
	s.Refused.add(&o.Refused)
	s.MessagesIn += o.MessagesIn
	s.MessagesOut += o.MessagesOut
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Compressed += o.Compressed
	s.Aside += o.Aside
	s.PingsIn += o.PingsIn
	s.PongsIn += o.PongsIn
	s.PingsOut += o.PingsOut
	s.Controls += o.Controls
	if s.Closed == nil {
		s.Closed = make(map[Code]uint64)
	}
	for code, n := range o.Closed {
		s.Closed[code] += n
	}
	s.PongTimeouts += o.PongTimeouts
	s.CloseTimeouts += o.CloseTimeouts
	s.Limits.add(&o.Limits)
	s.Delivered += o.Delivered
	s.Dropped += o.Dropped
	s.SlowEnded += o.SlowEnded
}

func (r *RefusedStats) add(o *RefusedStats) {
	r.Malformed += o.Malformed
	r.Forbidden += o.Forbidden
	r.Method += o.Method
	r.Timeout += o.Timeout
	r.Plain += o.Plain
	r.Head += o.Head
	r.Other += o.Other
}

func (l *LimitStats) add(o *LimitStats) {
	l.Message += o.Message
	l.Frames += o.Frames
	l.Inflated += o.Inflated
	l.Time += o.Time
	l.Pinned += o.Pinned
	l.Memory += o.Memory
	l.Topics += o.Topics
}
