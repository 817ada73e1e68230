package weir_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/sock"
	"github.com/go-weir/weir/poller"
)

// effect is what becomes of a call instead of what the system makes of it.
type effect struct {
	errno   syscall.Errno // the result, and the call isn't made; 0: the call is made
	share   int           // of the bytes, one in so many at most; oneByte; 0: all
	done    bool          // with errno: the call is made all the same, only its result is lost
	nothing bool          // a result that says nothing: no bytes, no events, no error
	fatal   bool          // the connection, or the loop, is lost by it
}

const oneByte = -1

func (e effect) String() string {
	switch {
	case e.nothing:
		return "nothing"
	case e.share == oneByte:
		return "one byte"
	case e.share != 0:
		return fmt.Sprintf("1/%d", e.share)
	case e.done:
		return fmt.Sprintf("done, %v", e.errno)
	}
	return fmt.Sprintf("%v", error(e.errno))
}

// of is how many of n bytes the effect lets through.
func (e effect) of(n int) int {
	switch {
	case e.share == oneByte:
		return min(n, 1)
	case e.share != 0:
		return max(n/e.share, 1)
	}
	return n
}

func transient(errnos ...syscall.Errno) (list []effect) {
	for _, errno := range errnos {
		list = append(list, effect{errno: errno})
	}
	return list
}

func fatal(errnos ...syscall.Errno) (list []effect) {
	for _, errno := range errnos {
		list = append(list, effect{errno: errno, fatal: true})
	}
	return list
}

var partial = []effect{{share: oneByte}, {share: 2}, {share: 3}}

// effects are those that each call can meet.
var effects = map[string][]effect{
	"read": append(append(transient(syscall.EAGAIN, syscall.EINTR),
		fatal(syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EIO, syscall.ENOBUFS)...), partial...),
	"write": append(append(transient(syscall.EAGAIN, syscall.EINTR),
		fatal(syscall.EPIPE, syscall.ECONNRESET, syscall.ENOBUFS, syscall.EIO)...), append(partial, effect{nothing: true})...),
	"accept": append(transient(syscall.EAGAIN, syscall.EINTR, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
		syscall.ENOBUFS, syscall.ENOMEM, syscall.EBADF), fatal(syscall.EMFILE, syscall.ENFILE)...),
	"shutdown":  fatal(syscall.ENOTCONN, syscall.EIO),
	"close":     {{errno: syscall.EIO, done: true}, {errno: syscall.EINTR, done: true}},
	"error":     append(fatal(syscall.EIO), effect{nothing: true}),
	"unacked":   {{errno: syscall.EIO}, {share: oneByte}},
	"unread":    transient(syscall.EIO),
	"localaddr": transient(syscall.EBADF, syscall.ENOBUFS),
	"add":       fatal(syscall.ENOMEM, syscall.ENOSPC),
	"modify":    fatal(syscall.ENOMEM, syscall.ENOENT),
	"remove":    {{errno: syscall.ENOENT}, {errno: syscall.ENOENT, done: true}},
	"wait":      append(fatal(syscall.EBADF, syscall.EINVAL), effect{nothing: true}),
	"wake":      transient(syscall.EIO, syscall.EBADF),
}

// faults stands between a server and the system. It knows each call by the
// place in the library that makes it, "write@tryWrite<writeBuffered", and has one of
// them, or by chance any of them, go wrong.
type faults struct {
	mu     sync.Mutex
	armed  bool
	counts map[string]int // calls by site, or by f.site, while armed
	total  int            // calls, while armed

	// the fault
	site   string // or the beginning of several
	nth    int    // call there
	effect effect
	fired  bool
	always bool // not only the nth call: all from then on

	// faults by chance, all of them transient
	random *rand.Rand // nil: none
	one    int        // one call in so many
	lethal bool       // not all: one in eight may cost the connection

	accepted []int        // the descriptors accepted, in order
	open     map[int]bool // those of them not closed
	spared   map[int]bool // those of them on which nothing goes wrong
	watched  map[int]bool // those of them that a poller knows
	broken   []string     // rules of the contracts that the library broke
}

func newFaults() *faults {
	return &faults{counts: map[string]int{}, open: map[int]bool{}, spared: map[int]bool{}, watched: map[int]bool{}}
}

// options are those of a server under f.
func (f *faults) options() []weir.Option {
	return []weir.Option{weir.WithCalls(f.calls), weir.WithPoller(func() (poller.Poller, error) {
		p, err := poller.New()
		return &faultyPoller{Poller: p, f: f}, err
	})}
}

// arm makes faults happen from now on, and spares the descriptors that there
// are.
func (f *faults) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for fd := range f.open {
		f.spared[fd] = true
	}
	f.armed = true
}

// disarm ends it, and says whether the fault has happened.
func (f *faults) disarm() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.fired
}

func (f *faults) hasFired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// made is the number of calls made while armed.
func (f *faults) made() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// caller names the place in the library that makes the call: the innermost two
// of its functions.
func caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs[:])])
	var path []string
	for more := true; more && len(path) < 2; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if name, ok := strings.CutPrefix(frame.Function, "github.com/go-weir/weir."); ok {
			_, method, found := strings.Cut(name, ").")
			if found {
				name = method
			}
			path = append(path, name)
		}
	}
	return strings.Join(path, "<")
}

// at is called for each call; fd is -1 for those that have none. It returns
// what is to become of it.
func (f *faults) at(call string, fd int) effect {
	site := call + "@" + caller()
	kind, _, _ := strings.Cut(call, " ")
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed {
		return effect{}
	}
	f.total++
	if f.spared[fd] {
		return effect{}
	}
	f.counts[site]++
	if f.hits(site) {
		f.fired = true
		return f.effect
	}
	if f.random != nil && f.random.IntN(f.one) == 0 {
		list := effects[kind]
		if e := list[f.random.IntN(len(list))]; (!e.fatal || f.costs(kind)) && kind != "wake" && !strings.HasPrefix(site, "remove@hangup") {
			return e
		}
	}
	return effect{}
}

// costs reports whether a fault by chance may cost the connection; the loop never.
func (f *faults) costs(kind string) bool {
	return f.lethal && kind != "wait" && f.random.IntN(8) == 0
}

// hits reports whether the fault, of a site or of all that begin so, is due.
func (f *faults) hits(site string) bool {
	switch {
	case f.site == "" || !strings.HasPrefix(site, f.site):
		return false
	case site != f.site:
		f.counts[f.site]++
	}
	return f.counts[f.site] == f.nth || f.always && f.fired
}

// rule notes that a rule of a contract is broken unless it holds.
func (f *faults) rule(holds bool, format string, args ...any) {
	if !holds {
		f.broken = append(f.broken, fmt.Sprintf(format, args...)+" by "+caller())
	}
}

func (f *faults) calls(c *sock.Calls) {
	system := *c
	c.Read = func(fd int, p []byte) (int, syscall.Errno) {
		e := f.at("read", fd)
		if e.errno != 0 {
			return 0, e.errno
		}
		return system.Read(fd, p[:e.of(len(p))])
	}
	c.Write = func(fd int, p []byte) (int, syscall.Errno) {
		e := f.at("write", fd)
		if e.errno != 0 || e.nothing {
			return 0, e.errno
		}
		return system.Write(fd, p[:e.of(len(p))])
	}
	c.Writev = func(fd int, v *sock.Vector) (int, syscall.Errno) {
		e := f.at("write v", fd)
		if e.errno != 0 || e.nothing {
			return 0, e.errno
		}
		if left := e.of(v.Size()); left < v.Size() {
			var some sock.Vector
			for _, p := range v.Slices() {
				if p = p[:min(left, len(p))]; len(p) > 0 {
					some.Append(p)
					left -= len(p)
				}
			}
			return system.Writev(fd, &some)
		}
		return system.Writev(fd, v)
	}
	c.Accept = func(fd int) (int, netip.AddrPort, syscall.Errno) {
		if e := f.at("accept", -1); e.errno != 0 {
			return -1, netip.AddrPort{}, e.errno
		}
		conn, peer, errno := system.Accept(fd)
		if errno == 0 {
			f.mu.Lock()
			f.accepted = append(f.accepted, conn)
			f.open[conn] = true
			f.mu.Unlock()
		}
		return conn, peer, errno
	}
	c.ShutdownWrite = func(fd int) syscall.Errno {
		if e := f.at("shutdown", fd); e.errno != 0 {
			return e.errno
		}
		return system.ShutdownWrite(fd)
	}
	c.Close = func(fd int) syscall.Errno {
		e := f.at("close", fd)
		f.mu.Lock()
		f.rule(!f.watched[fd], "descriptor %d is closed while it is polled", fd)
		delete(f.open, fd)
		delete(f.spared, fd)
		f.mu.Unlock()
		errno := system.Close(fd)
		f.mu.Lock()
		f.rule(errno == 0, "descriptor %d is closed: %v", fd, errno)
		f.mu.Unlock()
		if e.errno != 0 {
			return e.errno
		}
		return errno
	}
	c.Error = func(fd int) syscall.Errno {
		if e := f.at("error", fd); e.errno != 0 || e.nothing {
			return e.errno
		}
		return system.Error(fd)
	}
	c.Unacked = func(fd int) int {
		switch e := f.at("unacked", fd); {
		case e.errno != 0:
			return -1
		case e.share != 0:
			return 1000
		}
		return system.Unacked(fd)
	}
	c.Unread = func(fd int) int {
		if e := f.at("unread", fd); e.errno != 0 {
			return -1
		}
		return system.Unread(fd)
	}
	c.LocalAddr = func(fd int) (netip.AddrPort, syscall.Errno) {
		if e := f.at("localaddr", fd); e.errno != 0 {
			return netip.AddrPort{}, e.errno
		}
		return system.LocalAddr(fd)
	}
}

// faultyPoller is a Poller under faults.
type faultyPoller struct {
	poller.Poller
	f      *faults
	tokens []uint64 // all that it was ever given
}

func (p *faultyPoller) Add(fd int, token uint64, want poller.Interest) error {
	if e := p.f.at("add", fd); e.errno != 0 {
		return e.errno
	}
	p.f.mu.Lock()
	p.f.watched[fd] = true
	p.tokens = append(p.tokens, token)
	p.f.mu.Unlock()
	return p.Poller.Add(fd, token, want)
}

func (p *faultyPoller) Modify(fd int, token uint64, want poller.Interest) error {
	if e := p.f.at("modify", fd); e.errno != 0 {
		return e.errno
	}
	return p.Poller.Modify(fd, token, want)
}

func (p *faultyPoller) Remove(fd int) error {
	e := p.f.at("remove", fd)
	p.f.mu.Lock()
	delete(p.f.watched, fd) // more than try nobody can
	p.f.mu.Unlock()
	if e.errno != 0 && !e.done {
		return e.errno
	}
	if err := p.Poller.Remove(fd); err != nil || e.errno == 0 {
		return err
	}
	return e.errno
}

func (p *faultyPoller) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	call := "wait"
	if timeout != 0 {
		call = "wait blocking"
	}
	if e := p.f.at(call, -1); e.errno != 0 {
		return 0, e.errno
	} else if e.nothing {
		return 0, nil
	}
	n, err := p.Poller.Wait(events, timeout)
	return n + p.invent(events[n:]), err
}

// invent fills some of events with what a poller may report without any
// reason: events of another time, several for one descriptor.
func (p *faultyPoller) invent(events []poller.Event) int {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if !p.f.armed || p.f.random == nil {
		return 0
	}
	n := min(p.f.random.IntN(4), len(events), len(p.tokens))
	for i := range n {
		events[i] = poller.Event{
			Token: p.tokens[p.f.random.IntN(len(p.tokens))],
			Ready: poller.Readiness(1 + p.f.random.IntN(7)),
		}
	}
	return n
}

func (p *faultyPoller) Wake() error {
	if e := p.f.at("wake", -1); e.errno != 0 {
		return e.errno
	}
	return p.Poller.Wake()
}
