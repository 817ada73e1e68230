package weir

import (
	"fmt"
	"math"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/metrics"
)

// validate rejects an invalid configuration. It changes nothing.
func (o *Options) validate() error {
	for _, r := range o.ranges() {
		switch {
		case r.value < r.least:
			return &OptionError{r.option, fmt.Sprintf("is %v, must be at least %v", r.show(r.value), r.show(r.least))}
		case r.value > r.most:
			return &OptionError{r.option, fmt.Sprintf("is %v, must be at most %v", r.show(r.value), r.show(r.most))}
		}
	}
	switch {
	case o.Address == "":
		return &OptionError{"Address", `is missing; for any port on this machine use Address("localhost:0")`}
	case o.Protocol == nil:
		return &OptionError{"CustomProtocol", "is nil"}
	case o.balanced && o.Strategy == nil && o.AddrStrategy == nil:
		return &OptionError{"LoadBalance", "is nil"}
	case o.balanced && o.ListenerPerLoop:
		return &OptionError{"LoadBalance", "has nothing to choose with ListenerPerLoop: the system spreads the connections"}
	case o.IncompleteLimit > 0 && o.IncompleteLimit/2 < o.MaxMessageSize:
		return &OptionError{"IncompleteLimit", fmt.Sprintf("is %d, must be at least twice the MaxMessageSize %d", o.IncompleteLimit, o.MaxMessageSize)}
	case o.LowWaterMark >= o.HighWaterMark:
		return &OptionError{"WriteBufferMarks", fmt.Sprintf("low mark %d is not below high mark %d", o.LowWaterMark, o.HighWaterMark)}
	case o.HighWaterMark >= o.WriteBufferLimit: // reading would never pause
		return &OptionError{"WriteBufferLimit", fmt.Sprintf("is %d, must be above the high-water mark %d", o.WriteBufferLimit, o.HighWaterMark)}
	case o.SlowConsumer != RefuseSlow && o.SlowConsumer != CloseSlow:
		return &OptionError{"SlowConsumer", fmt.Sprintf("is %d, must be RefuseSlow or CloseSlow", o.SlowConsumer)}
	}
	return o.validateMetrics()
}

func (o *Options) validateMetrics() error {
	if err := metrics.CheckPath(o.MetricsPath); err != nil {
		return &OptionError{"MetricsServer", err.Error()}
	}
	for _, name := range o.MetricsHosts {
		if err := checkHost(name); err != nil {
			return &OptionError{"MetricsHosts", err.Error()}
		}
	}
	return nil
}

// valueRange is what a number in the Options may be.
type valueRange struct {
	option             string
	value, least, most int64
	duration           bool
}

// show is a value as the option takes it.
func (r valueRange) show(v int64) any {
	if r.duration {
		return time.Duration(v)
	}
	return v
}

// longestKeepAlive is the most that tcp(7) takes for TCP_KEEPIDLE and TCP_KEEPINTVL on
// Linux, and less than it takes elsewhere.
const longestKeepAlive = 32767 * time.Second

// ranges has every number of the Options. What goes to the system is an int of C there:
// 2^32 would come to it as 0.
func (o *Options) ranges() []valueRange {
	count := func(option string, v int, least, most int64) valueRange {
		return valueRange{option, int64(v), least, most, false}
	}
	span := func(option string, v, most time.Duration) valueRange {
		return valueRange{option, int64(v), 0, int64(most), true}
	}
	return []valueRange{
		count("NumLoops", o.NumLoops, -1, eventloop.MaxLoops-2),
		count("MaxConnections", o.MaxConnections, 0, math.MaxInt),
		count("MaxMessageSize", o.MaxMessageSize, 1, math.MaxInt),
		count("IncompleteLimit", o.IncompleteLimit, 0, math.MaxInt),
		count("MessageTimeout", o.MessageRate, 1, math.MaxInt),
		count("WriteBufferMarks", o.LowWaterMark, 0, math.MaxInt-2),
		count("WriteBufferMarks", o.HighWaterMark, 1, math.MaxInt-1),
		count("WriteBufferLimit", o.WriteBufferLimit, 2, math.MaxInt),
		count("SocketReadBuffer", o.SocketReadBuffer, 0, math.MaxInt32),
		count("SocketWriteBuffer", o.SocketWriteBuffer, 0, math.MaxInt32),
		count("Backlog", o.Backlog, 0, math.MaxInt32),
		span("MessageTimeout", o.MessageTimeout, math.MaxInt64),
		span("IdleTime", o.IdleTime, math.MaxInt64),
		span("StallTimeout", o.StallTimeout, math.MaxInt64),
		span("Linger", o.Linger, math.MaxInt64),
		span("LingerLimit", o.LingerLimit, math.MaxInt64),
		span("Watchdog", o.Watchdog, math.MaxInt64),
		span("BusyPoll", o.BusyPoll, time.Millisecond),
		span("KeepAlive", o.KeepAlive, longestKeepAlive),
	}
}
