package weir_test

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/eventloop"
	engine "github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/internal/leaktest"
)

// TestBadOptions: what can't be is an error of NewServer that names the option,
// and nothing is left open.
func TestBadOptions(t *testing.T) {
	somewhere := weir.Address("127.0.0.1:0")
	for _, tt := range []struct {
		name   string // of the option
		values []weir.Option
	}{
		{"Address", []weir.Option{nil}},
		{"Address", []weir.Option{weir.Address("")}},
		{"Address", []weir.Option{weir.Address("127.0.0.1")}},
		{"Address", []weir.Option{weir.Address("::1:0")}},
		{"Address", []weir.Option{weir.Address("127.0.0.1:0:0")}},
		{"Address", []weir.Option{weir.Address("tcp4://")}},
		{"Address", []weir.Option{weir.Address("127.0.0.1:0", "")}},
		{"Address", []weir.Option{weir.Address("127.0.0.1:0", "127.0.0.1:0", "localhost")}},
		{"Network", []weir.Option{somewhere, weir.Network("udp")}},
		{"Network", []weir.Option{somewhere, weir.Network("")}},
		{"Network", []weir.Option{somewhere, weir.Network("TCP")}},
		{"Network", []weir.Option{weir.Address("unix:///tmp/weir")}},
		{"Network", []weir.Option{weir.Address("127.0.0.1:0", "://127.0.0.1:0")}},
		{"NumLoops", []weir.Option{somewhere, weir.NumLoops(-2)}},
		{"NumLoops", []weir.Option{somewhere, weir.NumLoops(engine.MaxLoops - 1)}},
		{"CustomProtocol", []weir.Option{somewhere, weir.CustomProtocol(nil)}},
		{"LoadBalance", []weir.Option{somewhere, weir.LoadBalance[weir.LoadBalanceStrategy](nil)}},
		{"LoadBalance", []weir.Option{somewhere, weir.LoadBalance(weir.RoundRobin()), weir.ListenerPerLoop(true)}},
		{"LoadBalance", []weir.Option{somewhere, weir.LoadBalance[weir.AddrStrategy](nil)}},
		{"LoadBalance", []weir.Option{somewhere, weir.LoadBalance[func([]*eventloop.EventLoop) *eventloop.EventLoop](nil)}},
		{"LoadBalance", []weir.Option{somewhere, weir.LoadBalance[func([]*eventloop.EventLoop, netip.AddrPort) *eventloop.EventLoop](nil)}},
		{"MaxConnections", []weir.Option{somewhere, weir.MaxConnections(-1)}},
		{"MaxMessageSize", []weir.Option{somewhere, weir.MaxMessageSize(0)}},
		{"MaxMessageSize", []weir.Option{somewhere, weir.MaxMessageSize(-1)}},
		{"IncompleteLimit", []weir.Option{somewhere, weir.IncompleteLimit(-1)}},
		{"IncompleteLimit", []weir.Option{somewhere, weir.IncompleteLimit(32<<20 - 1)}}, // below twice the message size
		{"MessageTimeout", []weir.Option{somewhere, weir.MessageTimeout(-1, 1)}},
		{"MessageTimeout", []weir.Option{somewhere, weir.MessageTimeout(1, 0)}},
		{"WriteBufferMarks", []weir.Option{somewhere, weir.WriteBufferMarks(-1, 1)}},
		{"WriteBufferMarks", []weir.Option{somewhere, weir.WriteBufferMarks(0, 0)}},
		{"WriteBufferMarks", []weir.Option{somewhere, weir.WriteBufferMarks(5, 5)}},
		{"WriteBufferMarks", []weir.Option{somewhere, weir.WriteBufferMarks(6, 5)}},
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferLimit(0)}},
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferLimit(1)}}, // it leaves no room for a mark
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferLimit(50), weir.WriteBufferMarks(10, 51)}},
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferMarks(10, 50), weir.WriteBufferLimit(50)}},
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferMarks(256<<10, 1<<20), weir.WriteBufferLimit(1 << 20)}},
		{"WriteBufferLimit", []weir.Option{somewhere, weir.WriteBufferLimit(1 << 20), func(o *weir.Options) { o.HighWaterMark *= 2 }}},
		{"SlowConsumer", []weir.Option{somewhere, weir.SlowConsumer(-1)}},
		{"SlowConsumer", []weir.Option{somewhere, weir.SlowConsumer(weir.CloseSlow + 1)}},
		{"IdleTime", []weir.Option{somewhere, weir.IdleTime(-1)}},
		{"Linger", []weir.Option{somewhere, weir.Linger(-1)}},
		{"BusyPoll", []weir.Option{somewhere, weir.BusyPoll(-1)}},
		{"BusyPoll", []weir.Option{somewhere, weir.BusyPoll(2 * time.Millisecond)}},
		{"KeepAlive", []weir.Option{somewhere, weir.KeepAlive(-1)}},
		{"SocketReadBuffer", []weir.Option{somewhere, weir.SocketReadBuffer(-1)}},
		{"SocketWriteBuffer", []weir.Option{somewhere, weir.SocketWriteBuffer(-1)}},
		{"Backlog", []weir.Option{somewhere, weir.Backlog(-1)}},
	} {
		before := leaktest.Descriptors()
		s, err := weir.NewServer(&handler{}, tt.values...)
		var bad *weir.OptionError
		if s != nil || !errors.As(err, &bad) {
			t.Errorf("a bad %s gives %v", tt.name, err)
			continue
		}
		if bad.Option != tt.name || bad.Reason == "" {
			t.Errorf("a bad %s gives %+v", tt.name, bad)
		}
		if after := leaktest.Descriptors(); after > before { // what tests before have left may be closed meanwhile
			t.Errorf("a bad %s: %d descriptors before, %d after", tt.name, before, after)
		}
	}
	if _, err := weir.NewServer(nil, somewhere); err == nil {
		t.Error("a server without a handler was made")
	}
}

// TestMarks: those that nobody has set lie below the limit, and those that somebody
// has stay as they are.
func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		low, high, limit int
		options          []weir.Option
	}{
		{256 << 10, 1 << 20, 64 << 20, nil},
		{256 << 10, 1 << 20, 4 << 20, []weir.Option{weir.WriteBufferLimit(4 << 20)}},
		{64 << 10, 256 << 10, 1 << 20, []weir.Option{weir.WriteBufferLimit(1 << 20)}},
		{0, 1, 2, []weir.Option{weir.WriteBufferLimit(2)}},
		{256 << 10, 1 << 20, 1<<20 + 1, []weir.Option{weir.WriteBufferLimit(1<<20 + 1), weir.WriteBufferMarks(256<<10, 1<<20)}},
		{1, 2, 3, []weir.Option{weir.WriteBufferMarks(1, 2), weir.WriteBufferLimit(3)}},
		{256 << 10, 512 << 10, 1 << 20, []weir.Option{weir.WriteBufferLimit(1 << 20), func(o *weir.Options) { o.HighWaterMark /= 2 }}},
	} {
		s := newServer(t, &handler{}, tt.options...)
		if o := s.Options(); o.LowWaterMark != tt.low || o.HighWaterMark != tt.high || o.WriteBufferLimit != tt.limit {
			t.Errorf("marks %d and %d with limit %d, want %d and %d with %d",
				o.LowWaterMark, o.HighWaterMark, o.WriteBufferLimit, tt.low, tt.high, tt.limit)
		}
		fail(t, s.Stop())
	}
}

// TestAddressTaken: the error is that of net.Listen, whichever address it is,
// and nothing is left open.
func TestAddressTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }() // only for its effect
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	for _, reuse := range []bool{false, true} {
		for _, addresses := range [][]string{
			{taken.Addr().String()},
			{free.Addr().String(), taken.Addr().String()},
		} {
			t.Run(fmt.Sprintf("%d addresses,listener per loop=%v", len(addresses), reuse), func(t *testing.T) {
				before := leaktest.Descriptors()
				s, err := weir.NewServer(&handler{}, weir.Address(addresses[0], addresses[1:]...),
					weir.NumLoops(2), weir.ListenerPerLoop(reuse))
				var op *net.OpError
				if s != nil || !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &op) {
					t.Errorf("NewServer returns %v", err)
				}
				if after := leaktest.Descriptors(); after > before {
					t.Errorf("%d descriptors before, %d after", before, after)
				}
				if len(addresses) > 1 {
					again, err := net.Listen("tcp", addresses[0])
					if err != nil {
						t.Fatalf("the first address is not free: %v", err)
					}
					_ = again.Close() // only for its effect
				}
			})
		}
	}
}

// TestNumLoops: as many as are asked for, or one per CPU.
func TestNumLoops(t *testing.T) {
	perCPU := runtime.GOMAXPROCS(0)
	for asked, want := range map[int]int{-1: perCPU, 0: perCPU, 1: 1, 4: 4} {
		for _, reuse := range []bool{false, true} {
			s := newServer(t, &handler{}, weir.NumLoops(asked), weir.ListenerPerLoop(reuse))
			all := want
			if want > 1 && !reuse {
				all++ // the one that accepts
			}
			loops := s.Stats().Loops
			if got := s.Options().NumLoops; got != want || len(loops) != all {
				t.Errorf("asked for %d, reuseport=%v: NumLoops is %d of %d, want %d of %d", asked, reuse, got, len(loops), want, all)
			}
			for i := range loops {
				if loops[i].Loop != i {
					t.Errorf("loop %d says it is %d", i, loops[i].Loop)
				}
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestEndlessTimes: the longest time that there is is not over at once.
func TestEndlessTimes(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	looked := make(chan error, 1)
	s := start(t, &handler{
		connect: func(c *weir.Connection) {
			far := time.Now().Add(forever)
			if err := errors.Join(c.SetReadDeadline(far), c.SetWriteDeadline(far)); err != nil {
				t.Error(err)
			}
			c.SetIdleTime(forever - 1)
			c.RunAfter(forever, func() { t.Error("forever is over") })
			c.RunAfter(20*time.Millisecond, func() { looked <- c.Err() }) // the timers were looked at before
		},
		message: echo,
	}, weir.IdleTime(forever), weir.Linger(forever))
	s.RunAfter(forever, func() { t.Error("forever is over") })
	s.RunEvery(forever, func() { t.Error("forever is over") })
	c := dial(t, s)
	send(t, c, "hello")
	expect(t, c, "hello")
	if err := receive(t, looked); err != nil {
		t.Errorf("ended with %v", err)
	}
	for conn := range s.Connections() {
		if err := conn.Send(make([]byte, 16<<20)); err != nil { // so that it has to linger
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 16 {
		expect(t, c, string(make([]byte, 1<<20)))
	}
	expectEnd(t, c)
}
