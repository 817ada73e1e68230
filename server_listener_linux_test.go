package weir_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
)

// listening are the descriptors of the process's sockets that listen on addr.
func listening(t *testing.T, addr net.Addr) (found []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name()) // 0 is not one of them
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
			continue
		}
		sa, _ := unix.Getsockname(fd) // nil is not one of them either
		if in4, ok := sa.(*unix.SockaddrInet4); ok && netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), uint16(in4.Port)).String() == addr.String() {
			found = append(found, fd)
		}
	}
	return found
}

// kill shuts a listening socket down, as ss -K does from outside.
func kill(t *testing.T, fd int) {
	t.Helper()
	if err := unix.Shutdown(fd, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
}

// TestDeadListener: another socket takes the place of one that was shut down. That is
// logged and counted, and nothing spins.
func TestDeadListener(t *testing.T) {
	for _, each := range []bool{false, true} {
		for _, loops := range []int{1, 2} {
			t.Run(fmt.Sprintf("loops=%d,perloop=%v", loops, each), func(t *testing.T) {
				var log journal
				s := start(t, &handler{message: echo}, weir.NumLoops(loops), weir.ListenerPerLoop(each), weir.Logger(slog.New(&log)))
				before := dial(t, s)
				send(t, before, "before")
				expect(t, before, "before")
				for n := uint64(1); n <= 3; n++ {
					kill(t, listening(t, s.Addrs()[0])[0])
					eventually(t, "it is counted", func() bool { return s.Stats().ListenersLost == n })
					for range 8 { // with a listener per loop, some for each
						expectEcho(t, s, "after")
					}
				}
				send(t, before, "still here")
				expect(t, before, "still here")
				expectIdle(t, s)
				if n := log.count("weir: a listening socket is dead, opening another one"); n != 3 {
					t.Errorf("logged %d times, want 3", n)
				}
				if n := log.count("weir: can't accept connections, trying again"); n != 0 {
					t.Errorf("the new one was paused %d times", n)
				}
			})
		}
	}
}

// count is how many records have that message.
func (j *journal) count(message string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if r.Message == message {
			n++
		}
	}
	return n
}

// TestDeadListenerForGood: when the address is somebody else's by then, the server ends,
// and Start says why.
func TestDeadListenerForGood(t *testing.T) {
	for _, loops := range []int{1, 2} {
		var s *weir.Server
		var thief net.Listener
		s = newServer(t, &handler{message: echo}, quiet(), weir.NumLoops(loops), weir.WithCalls(func(c *sock.Calls) {
			accept := c.Accept
			c.Accept = func(fd int) (int, netip.AddrPort, syscall.Errno) {
				conn, peer, errno := accept(fd)
				if errno == syscall.EINVAL { // it has just found out
					var err error
					if thief, err = net.Listen("tcp", s.Addrs()[0].String()); err != nil {
						t.Error(err)
					}
				}
				return conn, peer, errno
			}
		}))
		ended := begin(s)
		c := dial(t, s)
		send(t, c, "hello")
		expect(t, c, "hello")
		kill(t, listening(t, s.Addrs()[0])[0])
		if err := receive(t, ended); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("Start returns %v", err)
		}
		if thief != nil {
			fail(t, thief.Close())
		}
		if st := s.Stats(); st.Open != 0 || st.ListenersLost != 1 {
			t.Errorf("%d connections open, %d listeners lost", st.Open, st.ListenersLost)
		}
	}
}

// TestDeadListenerAndControl: when the program's Control fails the new socket, in whatever
// way, the server ends, and Start says why.
func TestDeadListenerAndControl(t *testing.T) {
	t.Run("error", func(t *testing.T) {
		if err := testLostWith(t, func() error { return syscall.EPERM }); !errors.Is(err, syscall.EPERM) {
			t.Errorf("Start returns %v", err)
		}
	})
	eachCrash(t, func(t *testing.T, crash crash) {
		var panicked *weir.PanicError
		if err := testLostWith(t, func() error { crash.now(); return nil }); !errors.As(err, &panicked) || panicked.Callback != "Control" {
			t.Errorf("Start returns %v", err)
		}
	})
}

// testLostWith returns what Start does when a listener is lost, and Control does that.
func testLostWith(t *testing.T, again func() error) error {
	t.Helper()
	calls := 0
	s := newServer(t, &handler{message: echo}, quiet(), weir.Control(func(string, string, syscall.RawConn) error {
		if calls++; calls == 1 {
			return nil
		}
		return again()
	}))
	ended := begin(s)
	expectEcho(t, s, "before")
	kill(t, listening(t, s.Addrs()[0])[0])
	return receive(t, ended)
}

// TestDeadListenerWithoutWatches: for what is only scarce the server waits.
func TestDeadListenerWithoutWatches(t *testing.T) {
	f := newFaults()
	f.site, f.nth, f.always, f.effect = "add@start<reopen", 1, true, effect{errno: syscall.ENOSPC}
	var log journal
	s := start(t, &handler{message: echo}, append(f.options(), weir.Logger(slog.New(&log)))...)
	before := dial(t, s)
	send(t, before, "before")
	expect(t, before, "before")
	f.arm()
	kill(t, listening(t, s.Addrs()[0])[0])
	eventually(t, "it has tried several times", func() bool { return f.made() >= 3 })
	send(t, before, "during")
	expect(t, before, "during")
	f.disarm()
	eventually(t, "it listens again", func() bool { return len(listening(t, s.Addrs()[0])) == 1 })
	expectEcho(t, s, "after")
	if n := log.count("weir: can't open a listening socket, trying again"); n != 1 {
		t.Errorf("logged %d times, want once in a while", n)
	}
	if n := s.Stats().ListenersLost; n != 1 {
		t.Errorf("%d listeners lost, want 1", n)
	}
}

// TestStopWithoutListener: a server can be stopped while its listener waits to be opened.
func TestStopWithoutListener(t *testing.T) {
	f := newFaults()
	f.site, f.nth, f.always, f.effect = "add@start<reopen", 1, true, effect{errno: syscall.ENOSPC}
	s := newServer(t, &handler{}, append(f.options(), quiet())...)
	ended := begin(s)
	f.arm()
	eventually(t, "it serves", func() bool { return s.Stats().Polls > 0 })
	kill(t, listening(t, s.Addrs()[0])[0])
	eventually(t, "it is lost", func() bool { return s.Stats().ListenersLost == 1 })
	fail(t, s.Stop())
	fail(t, receive(t, ended))
	isFree(t, s)
}

// TestStopFromLoggerOfMetrics: the metrics server's line about its own end.
func TestStopFromLoggerOfMetrics(t *testing.T) {
	var journal journal
	log := &stopper{&journal, "weir: the metrics server has ended", func() {}}
	s := newServer(t, &handler{message: echo}, metered(), weir.Logger(slog.New(log)))
	stopped := make(chan error, 1)
	log.stop = func() { stopped <- s.Stop() }
	ended := begin(s)
	expectEcho(t, s, "hello")
	kill(t, listening(t, s.MetricsAddr())[0])
	fail(t, receive(t, ended))
	fail(t, receive(t, stopped))
}
