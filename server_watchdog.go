package weir

import (
	"bytes"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// Watchdog sets how long a callback may keep its loop from everything else until
// that is logged, with its stack, and counted; up to a quarter more. It is 1 s by
// default, and 0 turns it off. The callback goes on: Go can't stop it.
//
// It costs the loops nothing: a goroutine looks now and then whether they get on. Many
// short callbacks in a row are none that blocks.
func Watchdog(d time.Duration) Option { return func(o *Options) { o.Watchdog = d } }

const (
	// looks is how many looks of the watchdog must find a loop in the same
	// callback. Counting them, and not the time, it blames no loop for a process
	// that was stopped, or a machine that was asleep.
	looks = 4
	// largestDump bounds the stacks of all goroutines, among which the one of
	// the loop is looked for.
	largestDump = 16 << 20
)

// watchdog looks after the loops of a server.
type watchdog struct {
	// set once
	server *Server
	limit  time.Duration
	ended  chan struct{}
	wait   sync.WaitGroup

	// of its own goroutine
	misses []int // of each loop: looks in a row that found it no further
}

// watch starts the watchdog; calling what it returns ends it.
func (s *Server) watch() (end func()) {
	if s.opts.Watchdog == 0 {
		return func() {}
	}
	w := &watchdog{server: s, limit: s.opts.Watchdog, ended: make(chan struct{})}
	w.misses = make([]int, len(s.allLoops()))
	w.wait.Go(w.run)
	return func() { close(w.ended); w.wait.Wait() }
}

func (w *watchdog) run() {
	ticker := time.NewTicker(max(w.limit/looks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-w.ended:
			return
		case <-ticker.C:
		}
		for i, l := range w.server.allLoops() {
			if !l.Stuck() {
				w.misses[i] = 0
			} else if w.misses[i]++; w.misses[i] == looks { // once
				l.stalls.Add(1)
				w.report(l)
			}
		}
	}
}

// report logs what the loop is doing. Nobody waits for the Logger: it may well stop the
// server, and wait for that.
func (w *watchdog) report(l *loop) {
	stack := stackOf(l.goroutine.Load())
	args := []any{"loop", l.Index(), "limit", w.limit}
	if c := blame(l, stack); c != nil {
		args = append(args, c.attrs()...)
	}
	go w.server.log.Error("weir: a callback blocks its loop", append(args, "stack", string(stack))...)
}

// goroutineNumber is the number of the calling goroutine, as stacks show it.
func goroutineNumber() uint64 {
	header := make([]byte, 64)
	header = header[:runtime.Stack(header, false)] // "goroutine 18 [running]:..."
	fields := bytes.Fields(header)
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(string(fields[1]), 10, 64) // 0 if it is none
	return n
}

// stackOf is the stack of the goroutine with that number; empty if it has ended,
// or if there are too many to find it.
func stackOf(goroutine uint64) []byte {
	header := []byte("goroutine " + strconv.FormatUint(goroutine, 10) + " ")
	for size := 256 << 10; size <= largestDump; size *= 4 {
		dump := make([]byte, size)
		dump = dump[:runtime.Stack(dump, true)]
		for stack := range bytes.SplitSeq(dump, []byte("\n\n")) {
			if bytes.HasPrefix(stack, header) && (len(dump) < size || !bytes.HasSuffix(dump, stack)) {
				return stack
			}
		}
		if len(dump) < size {
			break
		}
	}
	return nil
}

// frame is a call of a method of a connection, with its receiver's address.
var frame = regexp.MustCompile(`weir\.\(\*(?:Connection|socket|connTimeout)\)\.\w+\(0x([0-9a-f]+)`)

// blame finds the connection whose callback keeps the loop; nil if it can't. For
// OnMessage the loop would have to tell other goroutines at each wake-up; instead
// the stack says whose methods are running.
func blame(l *loop, stack []byte) *Connection {
	if c := l.calling.Load(); c != nil {
		return c
	}
	for _, match := range frame.FindAllSubmatch(stack, -1) {
		address, err := strconv.ParseUint(string(match[1]), 16, 64)
		if err != nil {
			continue
		}
		for s := range l.Sockets() {
			if s, ok := s.(*socket); ok && uintptr(unsafe.Pointer(s)) == uintptr(address) {
				return (*Connection)(s)
			}
		}
	}
	return nil
}
