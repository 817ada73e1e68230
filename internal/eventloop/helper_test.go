package eventloop_test

import (
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// patience is how long a test waits for what must happen. It is never the
// measure of anything.
const patience = 20 * time.Second

// fakePoller is a Poller without a system under it. Its Wait is the test's;
// what Add and Modify were told last is noted by descriptor.
type fakePoller struct {
	wait func(events []poller.Event, timeout time.Duration) (int, error)
	add  func(fd int) error // nil: no error

	// any goroutine
	once  sync.Once
	woken chan struct{}

	// loop only
	tokens map[int]uint64
	want   map[int]poller.Interest

	// guarded by mu
	mu     sync.Mutex
	fail   error // the result of the next Wake
	wakes  int
	closed bool
}

func (p *fakePoller) Add(fd int, token uint64, want poller.Interest) error {
	if p.add != nil {
		if err := p.add(fd); err != nil {
			return err
		}
	}
	return p.Modify(fd, token, want)
}

func (p *fakePoller) Modify(fd int, token uint64, want poller.Interest) error {
	if p.tokens == nil {
		p.tokens, p.want = map[int]uint64{}, map[int]poller.Interest{}
	}
	p.tokens[fd], p.want[fd] = token, want
	return nil
}

func (p *fakePoller) Remove(fd int) error {
	delete(p.tokens, fd)
	delete(p.want, fd)
	return nil
}

func (p *fakePoller) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	return p.wait(events, timeout)
}

// waking is the channel that has an element after a Wake.
func (p *fakePoller) waking() chan struct{} {
	p.once.Do(func() { p.woken = make(chan struct{}, 1) })
	return p.woken
}

func (p *fakePoller) Wake() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wakes++
	if err := p.fail; err != nil {
		p.fail = nil
		return err
	}
	select {
	case p.waking() <- struct{}{}:
	default:
	}
	return nil
}

func (p *fakePoller) wakeCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wakes
}

func (p *fakePoller) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// socket is a Socket made of a function.
type socket func(poller.Readiness)

func (f socket) OnReady(r poller.Readiness) { f(r) }

// realPoller is the system's; the test is skipped where there is none.
func realPoller(t testing.TB) poller.Poller {
	t.Helper()
	p, err := poller.New()
	if err != nil {
		t.Skip(err)
	}
	return p
}

// run runs l until the test ends.
func run(t testing.TB, l *eventloop.EventLoop) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	t.Cleanup(func() {
		l.Post(eventloop.Task{Target: eventloop.Func(l.Stop)}) // false: the test has stopped it
		if err := receive(t, ended); err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// on runs f on l and waits for it.
func on(t testing.TB, l *eventloop.EventLoop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if !l.Post(eventloop.Task{Target: eventloop.Func(func() { f(); close(done) })}) {
		t.Fatal("the loop has stopped")
	}
	receive(t, done)
}

// receive takes one value off ch, or fails the test.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}
