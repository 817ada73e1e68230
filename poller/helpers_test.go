//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package poller_test

import (
	"maps"
	"testing"
	"time"

	"github.com/go-weir/weir/poller"
	"golang.org/x/sys/unix"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newPoller(t testing.TB) poller.Poller {
	t.Helper()
	p, err := poller.New()
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

func add(t testing.TB, p poller.Poller, fd int, token uint64, want poller.Interest) {
	t.Helper()
	must(t, p.Add(fd, token, want))
}

// pair returns the two ends of a connected, non-blocking socket pair, closed after the test.
func pair(t testing.TB) (int, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, err)
	for _, fd := range fds {
		keep(t, fd)
	}
	return fds[0], fds[1]
}

// connection returns the two ends of a TCP connection over the loopback, closed after the test.
func connection(t testing.TB) (int, int) {
	t.Helper()
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, err)
	defer unix.Close(listener)
	must(t, unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(listener, 1))
	addr, err := unix.Getsockname(listener)
	must(t, err)

	dialed, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, err)
	must(t, unix.Connect(dialed, addr))
	keep(t, dialed)
	accepted, _, err := unix.Accept(listener)
	must(t, err)
	keep(t, accepted)
	return accepted, dialed
}

// keep makes fd non-blocking and closes it after the test.
func keep(t testing.TB, fd int) {
	t.Helper()
	t.Cleanup(func() { must(t, unix.Close(fd)) })
	must(t, unix.SetNonblock(fd, true))
}

// reset ends the connection of fd with an RST. The number stays open, as another descriptor, for keep.
func reset(t testing.TB, fd int) {
	t.Helper()
	must(t, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	other, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	must(t, err)
	must(t, unix.Dup2(other, fd))
	must(t, unix.Close(other))
}

func write(t testing.TB, fd int, s string) {
	t.Helper()
	n, err := unix.Write(fd, []byte(s))
	must(t, err)
	if n != len(s) {
		t.Fatalf("wrote %d bytes of %d", n, len(s))
	}
}

// fill writes until the socket takes no more and returns how much that was.
func fill(t testing.TB, fd int) int {
	t.Helper()
	chunk := make([]byte, 1<<12)
	for total := 0; ; {
		n, err := unix.Write(fd, chunk)
		if err == unix.EAGAIN {
			return total
		}
		must(t, err)
		total += n
	}
}

func read(t testing.TB, fd, n int) {
	t.Helper()
	buf := make([]byte, n)
	for n > 0 {
		got, err := unix.Read(fd, buf[:n])
		must(t, err)
		if got == 0 {
			t.Fatal("end of stream")
		}
		n -= got
	}
}

// poll merges what one Wait that does not block reports, as one descriptor may have several events.
func poll(t testing.TB, p poller.Poller) map[uint64]poller.Readiness {
	t.Helper()
	return merge(t, p, 0)
}

func merge(t testing.TB, p poller.Poller, timeout time.Duration) map[uint64]poller.Readiness {
	t.Helper()
	events := make([]poller.Event, 64)
	n, err := p.Wait(events, timeout)
	must(t, err)
	got := map[uint64]poller.Readiness{}
	for _, e := range events[:n] {
		got[e.Token] |= e.Ready
	}
	return got
}

// expect wants a Wait that does not block to report just this. What it is for has happened on this machine's sockets,
// in this goroutine, so there is nothing to wait for.
func expect(t testing.TB, p poller.Poller, want map[uint64]poller.Readiness) {
	t.Helper()
	if got := poll(t, p); !maps.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func expectNone(t testing.TB, p poller.Poller) {
	t.Helper()
	expect(t, p, map[uint64]poller.Readiness{})
}

func expectReady(t testing.TB, p poller.Poller, token uint64, want poller.Readiness) {
	t.Helper()
	if want == 0 {
		expectNone(t, p)
		return
	}
	expect(t, p, map[uint64]poller.Readiness{token: want})
}

// collect waits until token is reported with ready in it.
func collect(t testing.TB, p poller.Poller, token uint64, ready poller.Readiness) map[uint64]poller.Readiness {
	t.Helper()
	const patience = time.Minute
	for start := time.Now(); ; {
		got := merge(t, p, patience)
		if got[token]&ready == ready || time.Since(start) > patience {
			return got
		}
	}
}

// expectWoken wants a Wait that returns without an event; the test's own time limit notices one that does not return.
func expectWoken(t testing.TB, p poller.Poller, timeout time.Duration) {
	t.Helper()
	if got := merge(t, p, timeout); len(got) != 0 {
		t.Fatalf("got %v, want a wake-up only", got)
	}
}

// idle returns how long a Wait took that had nothing to report.
func idle(t testing.TB, p poller.Poller, timeout time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	if got := merge(t, p, timeout); len(got) != 0 {
		t.Fatalf("got %v, want nothing", got)
	}
	return time.Since(start)
}
