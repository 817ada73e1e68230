package weir_test

import (
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// TestOptionRanges: every number that an option takes is good at its bounds, where a
// server with it serves, and an *OptionError beyond them. None is passed on to the system
// as another one.
func TestOptionRanges(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	count := func(option func(int) weir.Option) func(int64) weir.Option {
		return func(v int64) weir.Option { return option(int(v)) }
	}
	span := func(option func(time.Duration) weir.Option) func(int64) weir.Option {
		return func(v int64) weir.Option { return option(time.Duration(v)) }
	}
	// A high-water mark that is not below the limit is an error of its own.
	limited := func(marks func(int) weir.Option) func(int64) weir.Option {
		return func(v int64) weir.Option {
			return func(o *weir.Options) { marks(int(v))(o); weir.WriteBufferLimit(math.MaxInt)(o) }
		}
	}
	for _, tt := range []struct {
		option string
		of     func(int64) weir.Option
		least  int64
		most   int64 // math.MaxInt: no bound
	}{
		{"NumLoops", count(weir.NumLoops), -1, 1022},
		{"MaxConnections", count(weir.MaxConnections), 0, math.MaxInt},
		{"MaxMessageSize", count(weir.MaxMessageSize), 1, math.MaxInt},
		{"WriteBufferMarks", limited(func(v int) weir.Option { return weir.WriteBufferMarks(v, math.MaxInt-1) }), 0, math.MaxInt - 2},
		{"WriteBufferMarks", limited(func(v int) weir.Option { return weir.WriteBufferMarks(0, v) }), 1, math.MaxInt - 1},
		{"WriteBufferLimit", func(v int64) weir.Option {
			return func(o *weir.Options) { weir.WriteBufferMarks(0, 1)(o); weir.WriteBufferLimit(int(v))(o) }
		}, 2, math.MaxInt},
		{"IncompleteLimit", count(weir.IncompleteLimit), 0, math.MaxInt},
		{"MessageTimeout", func(v int64) weir.Option { return weir.MessageTimeout(time.Duration(v), 1) }, 0, int64(forever)},
		{"MessageTimeout", func(v int64) weir.Option { return weir.MessageTimeout(time.Second, int(v)) }, 1, math.MaxInt},
		{"SocketReadBuffer", count(weir.SocketReadBuffer), 0, math.MaxInt32},
		{"SocketWriteBuffer", count(weir.SocketWriteBuffer), 0, math.MaxInt32},
		{"Backlog", count(weir.Backlog), 0, math.MaxInt32},
		{"IdleTime", span(weir.IdleTime), 0, int64(forever)},
		{"StallTimeout", span(weir.StallTimeout), 0, int64(forever)},
		{"Linger", span(weir.Linger), 0, int64(forever)},
		{"LingerLimit", span(weir.LingerLimit), 0, int64(forever)},
		{"Watchdog", span(weir.Watchdog), 0, int64(forever)},
		{"BusyPoll", span(weir.BusyPoll), 0, int64(time.Millisecond)},
		{"KeepAlive", span(weir.KeepAlive), 0, int64(32767 * time.Second)},
	} {
		for _, v := range []int64{tt.least, tt.most} {
			if tt.option == "NumLoops" && v == tt.most {
				continue // they would all be made
			}
			t.Run(tt.option+"="+strconv.FormatInt(v, 10), func(t *testing.T) {
				s := start(t, &handler{message: echo}, tt.of(v), quiet())
				expectEcho(t, s, "x")
			})
		}
		bad := []int64{tt.least - 1, math.MinInt}
		if tt.most < math.MaxInt-1 {
			bad = append(bad, tt.most+1, math.MaxInt)
			if strconv.IntSize == 64 {
				bad = append(bad, 1<<31, 1<<32)
			}
		}
		for _, v := range bad {
			if v > tt.least && v <= tt.most {
				continue
			}
			s, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"), tt.of(v))
			if err == nil {
				_ = s.Stop() // the test has failed
			}
			var refused *weir.OptionError
			if !errors.As(err, &refused) || refused.Option != tt.option {
				t.Errorf("%s %d: %v", tt.option, v, err)
			}
		}
	}
}
