package metrics

import "github.com/prometheus/client_golang/prometheus"

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// number is a metric with one value for each T.
type number[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*T) float64
}

func of[T any, N int | int64 | uint64](kind prometheus.ValueType, name, help string, get func(*T) N, labels ...string) number[T] {
	return number[T]{
		prometheus.NewDesc(name, help, labels, nil), kind,
		func(t *T) float64 { return float64(get(t)) },
	}
}

func ofLoop[N int | int64 | uint64](kind prometheus.ValueType, name, help string, get func(*LoopStats) N) number[LoopStats] {
	return of(kind, name, help, get, "loop")
}

// loopNumbers are the metrics with one value per loop.
var loopNumbers = []number[LoopStats]{
	ofLoop(gauge, "weir_connections", "Connections that the loop has or was chosen for.",
		func(l *LoopStats) int64 { return l.Connections }),
	ofLoop(counter, "weir_connections_accepted_total", "Connections accepted by this loop, for itself or another one, refused ones included.",
		func(l *LoopStats) uint64 { return l.Accepted }),
	ofLoop(counter, "weir_connections_opened_total", "Connections that OnConnect was called for.",
		func(l *LoopStats) uint64 { return l.Opened }),
	ofLoop(counter, "weir_listeners_lost_total", "Listening sockets that have died. Another one was opened, or the server has ended.",
		func(l *LoopStats) uint64 { return l.ListenersLost }),
	ofLoop(gauge, "weir_connections_paused", "Connections that are not read because their peer does not read: they are over the high-water mark.",
		func(l *LoopStats) int64 { return l.Paused }),
	ofLoop(counter, "weir_connection_pauses_total", "Times that reading from a peer paused at the high-water mark.",
		func(l *LoopStats) uint64 { return l.Pauses }),
	ofLoop(counter, "weir_slow_consumers_total", "Connections closed at the limit of unsent bytes.",
		func(l *LoopStats) uint64 { return l.SlowConsumers }),
	ofLoop(counter, "weir_sends_refused_total", "Sends refused at the limit of unsent bytes.",
		func(l *LoopStats) uint64 { return l.RefusedSends }),

	ofLoop(counter, "weir_received_bytes_total", "Bytes read from peers.",
		func(l *LoopStats) uint64 { return l.BytesIn }),
	ofLoop(counter, "weir_sent_bytes_total", "Bytes that the system has taken for peers.",
		func(l *LoopStats) uint64 { return l.BytesOut }),
	ofLoop(counter, "weir_received_messages_total", "Messages handed to OnMessage.",
		func(l *LoopStats) uint64 { return l.MessagesIn }),
	ofLoop(counter, "weir_sent_messages_total", "Messages encoded by the Protocol. What Write sends is not among them.",
		func(l *LoopStats) uint64 { return l.MessagesOut }),
	ofLoop(gauge, "weir_input_held_bytes", "Bytes received that are not yet part of a message.",
		func(l *LoopStats) int64 { return l.InputBytes }),
	ofLoop(gauge, "weir_output_held_bytes", "Bytes that wait for the system to take them.",
		func(l *LoopStats) int64 { return l.OutputBytes }),
	ofLoop(counter, "weir_reads_total", "System calls that read from connections.",
		func(l *LoopStats) uint64 { return l.Reads }),
	ofLoop(counter, "weir_writes_total", "System calls that write to connections.",
		func(l *LoopStats) uint64 { return l.Writes }),

	ofLoop(counter, "weir_loop_polls_total", "Polls for readiness, whether they find any or not.",
		func(l *LoopStats) uint64 { return l.Polls }),
	ofLoop(counter, "weir_loop_sleeps_total", "Polls that could block: each is followed by one wake-up.",
		func(l *LoopStats) uint64 { return l.Waits }),
	ofLoop(counter, "weir_loop_stalls_total", "Callbacks that blocked the loop for longer than the watchdog's time.",
		func(l *LoopStats) uint64 { return l.Stalls }),
	ofLoop(counter, "weir_panics_total", "Panics in callbacks.",
		func(l *LoopStats) uint64 { return l.Panics }),
	ofLoop(counter, "weir_tasks_total", "Tasks run that other goroutines have posted, such as Sends.",
		func(l *LoopStats) uint64 { return l.Tasks }),
	ofLoop(gauge, "weir_tasks_queued", "Tasks posted and not yet run, as of the end of the loop's last cycle.",
		func(l *LoopStats) int { return l.Queued }),
	ofLoop(gauge, "weir_timers_pending", "Timers of connections that are armed: idle times, deadlines, RunAfter.",
		func(l *LoopStats) int { return l.Timers }),

	{
		prometheus.NewDesc("weir_loop_busy_seconds_total", "Time that the loop was not asleep. Its rate is the loop's busy share, from 0 to 1.", []string{"loop"}, nil),
		counter, func(l *LoopStats) float64 { return l.Busy.Seconds() },
	},
	{
		prometheus.NewDesc("weir_loop_sleep_seconds_total", "Time that the loop was asleep, with nothing to do.", []string{"loop"}, nil),
		counter, func(l *LoopStats) float64 { return l.Waited.Seconds() },
	},
}

// cause is one of the values of a label that says why.
type cause struct {
	name  string
	count uint64
}

// loopCauses are the counters with one value per loop and cause.
var loopCauses = []struct {
	desc   *prometheus.Desc
	values func(*LoopStats) []cause
}{
	{
		prometheus.NewDesc("weir_connections_refused_total", "Connections accepted and closed before OnConnect, by reason.", []string{"loop", "reason"}, nil),
		func(l *LoopStats) []cause { return l.Refused.causes() },
	},
	{
		prometheus.NewDesc("weir_connections_closed_total", "Connections that have ended, by cause.", []string{"loop", "cause"}, nil),
		func(l *LoopStats) []cause { return l.Closed.causes() },
	},
}

func (s *RefusedStats) causes() []cause {
	return []cause{{"max_connections", s.MaxConnections}, {"descriptors", s.Descriptors}, {"other", s.Other}}
}

func (s *ClosedStats) causes() []cause {
	return []cause{
		{"peer", s.Peer},
		{"local", s.Local},
		{"idle", s.Idle},
		{"expired", s.Expired},
		{"slow", s.Slow},
		{"size", s.Size},
		{"panic", s.Panic},
		{"stopped", s.Stopped},
		{"system", s.System},
		{"other", s.Other},
	}
}

// loopHistograms are the metrics with one histogram per loop.
var loopHistograms = []struct {
	desc  *prometheus.Desc
	value func(*LoopStats) *Histogram
}{
	{
		prometheus.NewDesc("weir_loop_batch_size", "Reports of readiness per poll that found any.", []string{"loop"}, nil),
		func(l *LoopStats) *Histogram { return &l.Batches },
	},
	{
		prometheus.NewDesc("weir_callback_seconds", "Time that OnMessage took. A sample: one call in 127.", []string{"loop"}, nil),
		func(l *LoopStats) *Histogram { return &l.Callbacks },
	},
	{
		prometheus.NewDesc("weir_task_wait_seconds", "Time that tasks waited for the loop. A sample: one task in 64.", []string{"loop"}, nil),
		func(l *LoopStats) *Histogram { return &l.TaskWaits },
	},
	{
		prometheus.NewDesc("weir_timer_delay_seconds", "Time from when a connection's timer was due until it was called.", []string{"loop"}, nil),
		func(l *LoopStats) *Histogram { return &l.TimerDelays },
	},
}

// serverNumbers are the metrics with one value per server.
var serverNumbers = []number[Stats]{
	of(gauge, "weir_server_timers_pending", "Timers of the server, of its RunAfter and RunEvery, that may run again.",
		func(s *Stats) int { return s.Timers - s.ofLoops().Timers }),
	of(counter, "weir_server_timer_panics_total", "Panics in functions of the server's timers.",
		func(s *Stats) uint64 { return s.Panics - s.ofLoops().Panics }),
}

// ofLoops is the sum of the loops' counts, without what is the server's own.
func (s *Stats) ofLoops() (sum LoopCounters) {
	for i := range s.Loops {
		sum.add(&s.Loops[i].LoopCounters)
	}
	return sum
}

var stateDesc = prometheus.NewDesc("weir_server_state", "1 for the state that the server is in, 0 for the others.", []string{"state"}, nil)
