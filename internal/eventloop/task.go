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
	// keptTasks is how many tasks an empty queue keeps the storage for, at most.
	keptTasks = 4 * tasksPerCycle
	// taskSampling is how many tasks there are to one whose wait is measured.
	taskSampling = 64
)

// queue is a first-in first-out queue with many producers and one consumer.
// The consumer takes all that is there in one go.
//
// It is a list of chunks: a long queue grows without being copied while producers
// wait for the lock, and gives its memory back as it is run.
type queue struct {
	// guarded by mu
	mu     sync.Mutex
	posted chunks
	n      int    // tasks in posted
	spare  chunks // empty, for what is posted next
	closed bool
	unseen int       // tasks since the last one that was marked
	marked int       // 1 + the place in posted of the task whose wait is measured; 0: none
	since  time.Time // when that was posted

	// loop only
	batch   chunks // taken from posted
	at      int    // how many tasks of batch's first chunk have run
	size    int    // tasks in batch when it was taken
	next    int    // how many of them have run
	ran     uint64 // tasks run, of all batches
	fresh   bool   // batch was taken since the loop has last cleared this
	free    chunks // empty, to be spare with the next take
	surplus int    // how many spares there were at the last take
	mark    int    // marked and since, of batch
	from    time.Time
	waits   Durations
}

// push appends t, and reports false once the queue is closed. Any goroutine.
func (q *queue) push(t Task) bool {
	q.mu.Lock()
	ok := !q.closed
	if ok {
		c := q.posted.last
		if c == nil || c.n == chunkTasks {
			c = q.grow()
		}
		c.tasks[c.n] = t
		c.n++
		q.n++
		if q.unseen++; q.unseen >= taskSampling && q.marked == 0 {
			q.unseen, q.marked, q.since = 0, q.n, time.Now()
		}
	}
	q.mu.Unlock()
	return ok
}

// grow appends an empty chunk to what is posted. With mu held.
func (q *queue) grow() *chunk {
	c := q.spare.pop()
	if c == nil {
		c = new(chunk)
	}
	q.posted.push(c)
	return c
}

// len is the number of tasks not yet run. Loop only.
func (q *queue) len() int {
	q.mu.Lock()
	n := q.n
	q.mu.Unlock()
	return n + q.size - q.next
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
	if q.next == q.size && !q.take() {
		return 0
	}
	n := min(limit, q.size-q.next)
	if q.mark > q.next && q.mark <= q.next+n {
		q.waits.Observe(time.Since(q.from))
	}
	for range n {
		c := q.batch.first
		t := &c.tasks[q.at]
		q.at++
		q.next++
		q.ran++
		t.Target.Perform(t)
		*t = Task{} // what it held may be collected
		if q.at == c.n {
			q.recycle()
		}
	}
	return n
}

// take swaps the posted tasks in for the batch that was run, and reports whether
// there are any.
func (q *queue) take() bool {
	q.mu.Lock()
	q.batch, q.posted = q.posted, chunks{}
	q.size, q.n = q.n, 0
	q.mark, q.from, q.marked = q.marked, q.since, 0
	q.spare.splice(&q.free)
	q.surplus = q.spare.n
	q.mu.Unlock()
	q.at, q.next, q.fresh = 0, 0, true
	return q.size > 0
}

// caughtUp reports whether all has run that was posted before fresh was cleared.
func (q *queue) caughtUp() bool { return q.fresh && q.next == q.size }

// recycle takes the first chunk, which was run, off the batch. Its storage is kept
// for what is posted next, unless there is enough.
func (q *queue) recycle() {
	c := q.batch.pop()
	q.at = 0
	if q.surplus+q.free.n < keptChunks {
		c.n = 0
		q.free.push(c)
	}
}

// resume puts the queue in order after a task that has not returned to run.
func (q *queue) resume() {
	c := q.batch.first
	if c == nil || q.at == 0 {
		return
	}
	c.tasks[q.at-1] = Task{}
	if q.at == c.n {
		q.recycle()
	}
}
