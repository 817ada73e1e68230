package metrics

import (
	"fmt"
	"math"
	"time"
)

const (
	liveInterval = time.Second
	liveKept     = 5 * 60 // samples
	liveRows     = 16384  // loops in all samples kept: with many loops, fewer samples
)

// What the page is sent. Counts are totals; what is 0 may be left out.
type (
	liveHistory struct {
		Samples []liveSample `json:"samples"`
	}
	liveSample struct {
		Time    int64        `json:"t"` // Unix, ms
		Servers []liveServer `json:"servers"`
	}
	liveServer struct {
		Name    string      `json:"name"`
		State   State       `json:"state"`
		Open    int64       `json:"open"`
		P50     float64     `json:"callback_p50,omitempty"` // s, of the time since the sample before
		P99     float64     `json:"callback_p99,omitempty"`
		Loops   []liveLoop  `json:"loops"`
		Closed  liveClosed  `json:"closed"`
		Refused liveRefused `json:"refused"`
		Trouble liveTrouble `json:"trouble"`
		// Not in the history: nil.
		Slowest []liveConnection `json:"slowest,omitzero"`
		Fattest []liveConnection `json:"fattest,omitzero"`
	}
	liveLoop struct {
		Loop        int     `json:"loop"`
		Connections int64   `json:"connections,omitempty"`
		Accepted    uint64  `json:"accepted,omitempty"`
		Opened      uint64  `json:"opened,omitempty"`
		Busy        float64 `json:"busy,omitempty"` // 0 to 1, of the time since the sample before
		MessagesIn  uint64  `json:"messages_in,omitempty"`
		MessagesOut uint64  `json:"messages_out,omitempty"`
		BytesIn     uint64  `json:"bytes_in,omitempty"`
		BytesOut    uint64  `json:"bytes_out,omitempty"`
		OutputBytes int64   `json:"output_bytes,omitempty"`
		InputBytes  int64   `json:"input_bytes,omitempty"`
		P50         float64 `json:"callback_p50,omitempty"`
		P99         float64 `json:"callback_p99,omitempty"`
		Queued      int     `json:"queued,omitempty"`
		Paused      int64   `json:"paused,omitempty"`
	}
	liveClosed struct {
		Peer    uint64 `json:"peer,omitempty"`
		Local   uint64 `json:"local,omitempty"`
		Idle    uint64 `json:"idle,omitempty"`
		Expired uint64 `json:"expired,omitempty"`
		Slow    uint64 `json:"slow,omitempty"`
		Size    uint64 `json:"size,omitempty"`
		Panic   uint64 `json:"panic,omitempty"`
		Stopped uint64 `json:"stopped,omitempty"`
		System  uint64 `json:"system,omitempty"`
		Other   uint64 `json:"other,omitempty"`
	}
	liveRefused struct {
		MaxConnections uint64 `json:"max_connections,omitempty"`
		Descriptors    uint64 `json:"descriptors,omitempty"`
		Other          uint64 `json:"other,omitempty"`
	}
	liveTrouble struct {
		Pauses       uint64 `json:"pauses,omitempty"`
		RefusedSends uint64 `json:"refused_sends,omitempty"`
		Stalls       uint64 `json:"stalls,omitempty"`
		Panics       uint64 `json:"panics,omitempty"`
	}
	liveConnection struct {
		ID     string  `json:"id"`
		Peer   string  `json:"peer"`
		Loop   int     `json:"loop"`
		Max    float64 `json:"callback_max,omitempty"` // s
		Output int64   `json:"output,omitempty"`
		Input  int64   `json:"input,omitempty"`
	}
)

// run samples until Close.
func (l *Live) run() {
	defer close(l.stopped)
	ticker := time.NewTicker(liveInterval)
	defer ticker.Stop()
	for {
		l.publish(l.sample(time.Now(), l.watched()))
		select {
		case <-ticker.C:
		case <-l.done:
			return
		}
	}
}

// sample asks all sources, and for single connections only if somebody looks.
func (l *Live) sample(now time.Time, watched bool) liveSample {
	s := liveSample{Time: now.UnixMilli(), Servers: make([]liveServer, 0, len(l.sources))}
	names := make(map[string]int)
	for _, source := range l.sources {
		st := source.Stats()
		server := newLiveServer(st, l.before[source])
		l.before[source] = st
		names[server.Name]++
		if n := names[server.Name]; n > 1 {
			server.Name = fmt.Sprintf("%s #%d", server.Name, n)
		}
		if cs, ok := source.(ConnectionSource); ok && watched {
			server.Slowest, server.Fattest = l.worst.of(cs, now)
		}
		s.Servers = append(s.Servers, server)
	}
	return s
}

// remember keeps a sample without its connections. The caller holds mu.
func (l *Live) remember(s liveSample) {
	rows := 1
	servers := make([]liveServer, len(s.Servers))
	for i, server := range s.Servers {
		server.Slowest, server.Fattest = nil, nil
		servers[i] = server
		rows += len(server.Loops)
	}
	s.Servers = servers
	most := max(60, min(liveKept, liveRows/rows))
	if n := len(l.history); n >= most {
		l.history = append(l.history[:0], l.history[n-most+1:]...)
	}
	l.history = append(l.history, s)
}

func newLiveServer(st, before Stats) liveServer {
	all := st.Callbacks.Since(&before.Callbacks)
	s := liveServer{
		Name: st.Name, State: st.State, Open: st.Open,
		P50: seconds(all.Quantile(0.5)), P99: seconds(all.Quantile(0.99)),
		Loops:   make([]liveLoop, 0, len(st.Loops)),
		Closed:  liveClosed(st.Closed),
		Refused: liveRefused(st.Refused),
		Trouble: liveTrouble{Pauses: st.Pauses, RefusedSends: st.RefusedSends, Stalls: st.Stalls, Panics: st.Panics},
	}
	for i := range st.Loops {
		var earlier LoopStats
		if i < len(before.Loops) {
			earlier = before.Loops[i]
		}
		s.Loops = append(s.Loops, newLiveLoop(&st.Loops[i], &earlier))
	}
	return s
}

func newLiveLoop(ls, before *LoopStats) liveLoop {
	callbacks := ls.Callbacks.Since(&before.Callbacks)
	return liveLoop{
		Loop: ls.Loop, Connections: ls.Connections, Accepted: ls.Accepted, Opened: ls.Opened,
		Busy:       busyShare(ls.Busy-before.Busy, ls.Waited-before.Waited),
		MessagesIn: ls.MessagesIn, MessagesOut: ls.MessagesOut, BytesIn: ls.BytesIn, BytesOut: ls.BytesOut,
		OutputBytes: ls.OutputBytes, InputBytes: ls.InputBytes,
		P50: seconds(callbacks.Quantile(0.5)), P99: seconds(callbacks.Quantile(0.99)),
		Queued: ls.Queued, Paused: ls.Paused,
	}
}

// busyShare is rounded to a hundredth of a percent, which keeps samples short.
func busyShare(busy, waited time.Duration) float64 {
	if busy+waited <= 0 {
		return 0
	}
	return math.Round(1e4*busy.Seconds()/(busy+waited).Seconds()) / 1e4
}

// seconds are rounded to nanoseconds.
func seconds(s float64) float64 { return math.Round(s*1e9) / 1e9 }
