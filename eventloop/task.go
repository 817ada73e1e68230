package eventloop

import (
	"sync"
	"time"
)

// Target carries out tasks on a loop.
type Target interface {
	// Perform runs on the loop. t is valid until it returns.
	Perform(t *Task)
}

// Task is work posted to a loop. It is a plain value and not a closure, so
// that posting one allocates nothing.
type Task struct {
	Target Target
	Op     int       // what to do; its meaning is the target's
	Size   int64     // how much; its meaning is the target's
	Arg    any       // what to do it with; nil if nothing
	Done   func(any) // whom to tell; nil if nobody
}

// Func makes a Target of a function.
type Func func()

// Perform calls f.
func (f Func) Perform(*Task) { f() }

const (
	// tasksPerCycle bounds the tasks run between two polls, so that a flood
	// of them does not keep the sockets waiting.
	tasksPerCycle = 1024
	// keptTasks is the capacity up to which a queue keeps its storage.
	keptTasks = 4 * tasksPerCycle
	// taskSampling is how many tasks there are to one whose wait is measured.
	taskSampling = 64
)

// queue is a first-in first-out queue with many producers and one consumer.
// The consumer takes all that is there in one go.
type queue struct {
	// guarded by mu
	mu     sync.Mutex
	posted []Task
	closed bool
	unseen int       // tasks since the last one that was marked
	marked int       // 1 + the place in posted of the task whose wait is measured; 0: none
	since  time.Time // when that was posted

	// loop only
	batch []Task // taken from posted; batch[next:] has not run yet
	next  int
	mark  int // marked and since, of batch
	from  time.Time
	waits Durations
}

// push appends t, and reports false once the queue is closed. Any goroutine.
func (q *queue) push(t Task) bool {
	q.mu.Lock()
	ok := !q.closed
	if ok {
		q.posted = append(q.posted, t)
		if q.unseen++; q.unseen >= taskSampling && q.marked == 0 {
			q.unseen, q.marked, q.since = 0, len(q.posted), time.Now()
		}
	}
	q.mu.Unlock()
	return ok
}

// len is the number of tasks not yet run. Loop only.
func (q *queue) len() int {
	q.mu.Lock()
	n := len(q.posted)
	q.mu.Unlock()
	return n + len(q.batch) - q.next
}

// close makes push report false from now on. Any goroutine.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
}

// run runs up to limit tasks and returns how many. Loop only. Tasks posted
// meanwhile wait for the next call.
func (q *queue) run(limit int) int {
	if q.next == len(q.batch) && !q.take() {
		return 0
	}
	n := min(limit, len(q.batch)-q.next)
	if q.mark > q.next && q.mark <= q.next+n {
		q.waits.Observe(time.Since(q.from))
	}
	for range n {
		t := &q.batch[q.next]
		q.next++
		t.Target.Perform(t)
		*t = Task{} // what it held may be collected
	}
	return n
}

// take swaps the posted tasks in for the batch that was run, and reports
// whether there are any. Storage that a burst made large is given up.
func (q *queue) take() bool {
	spent := q.batch[:0]
	if cap(spent) > keptTasks {
		spent = nil
	}
	q.mu.Lock()
	q.batch, q.posted = q.posted, spent
	q.mark, q.from, q.marked = q.marked, q.since, 0
	q.mu.Unlock()
	q.next = 0
	return len(q.batch) > 0
}
