package eventloop_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir/internal/eventloop"
)

// recorder is a Target that notes what it was given.
type recorder struct{ got []eventloop.Task }

func (r *recorder) Perform(t *eventloop.Task) { r.got = append(r.got, *t) }

// perform is a Target made of a function.
type perform func(t *eventloop.Task)

func (f perform) Perform(t *eventloop.Task) { f(t) }

func TestQueueOrder(t *testing.T) {
	var q eventloop.Queue
	r := new(recorder)
	next, ran := 0, 0
	for round := range 20 {
		for range round * 3 {
			if !q.Push(eventloop.Task{Target: r, Op: next}) {
				t.Fatal("refused by an open queue")
			}
			next++
		}
		if q.Len() != next-ran {
			t.Fatalf("Len is %d, want %d", q.Len(), next-ran)
		}
		ran += q.Run(7)
	}
	for q.Len() > 0 {
		ran += q.Run(7)
	}
	if ran != next || len(r.got) != next {
		t.Fatalf("%d tasks were posted, %d run by count, %d in fact", next, ran, len(r.got))
	}
	for i, task := range r.got {
		if task.Op != i {
			t.Fatalf("task %d ran in place of task %d", task.Op, i)
		}
	}
}

// TestQueueBatch: one run is bounded, and does not go on with what its tasks
// post.
func TestQueueBatch(t *testing.T) {
	var q eventloop.Queue
	ran := 0
	var again eventloop.Task
	again.Target = eventloop.Func(func() { ran++; q.Push(again) })
	for range 10 {
		q.Push(again)
	}
	for _, tt := range []struct{ limit, want int }{{4, 4}, {4, 4}, {4, 2}, {100, 10}, {100, 10}, {1, 1}} {
		if got := q.Run(tt.limit); got != tt.want {
			t.Fatalf("Run(%d) ran %d tasks, want %d", tt.limit, got, tt.want)
		}
		if q.Len() != 10 {
			t.Fatalf("Len is %d, want 10", q.Len())
		}
	}
	if ran != 31 {
		t.Errorf("ran %d tasks, want 31", ran)
	}
}

func TestQueueClose(t *testing.T) {
	var q eventloop.Queue
	r := new(recorder)
	q.Push(eventloop.Task{Target: r})
	q.Close()
	if q.Push(eventloop.Task{Target: r}) {
		t.Error("a closed queue takes a task")
	}
	if n := q.Run(10); n != 1 || len(r.got) != 1 {
		t.Errorf("ran %d tasks of the 1 that was posted before", n)
	}
	q.Close()
	if q.Len() != 0 || q.Run(10) != 0 {
		t.Error("a closed queue that was run isn't empty")
	}
}

// TestQueueProducers: with many producers, and a close in the middle, every
// task that was accepted runs once, and those of one producer in their order.
func TestQueueProducers(t *testing.T) {
	const producers, each = 8, 2000
	var q eventloop.Queue
	var accepted, ran atomic.Int64
	var last [producers]int
	target := perform(func(task *eventloop.Task) {
		ran.Add(1)
		i := task.Arg.(int)
		if task.Op != last[i]+1 {
			t.Errorf("producer %d: task %d after task %d", i, task.Op, last[i])
		}
		last[i] = task.Op
	})
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			for n := 1; n <= each; n++ {
				if !q.Push(eventloop.Task{Target: target, Op: n, Arg: i}) {
					return
				}
				accepted.Add(1)
			}
		})
	}
	for ran.Load() < producers*each/2 {
		q.Run(100)
	}
	q.Close()
	wg.Wait()
	for q.Len() > 0 {
		q.Run(100)
	}
	if ran.Load() != accepted.Load() {
		t.Errorf("%d tasks ran, %d were accepted", ran.Load(), accepted.Load())
	}
}

// TestQueueStorage: what a task held can be collected once it ran, and what a
// burst needed is given up as it is run.
func TestQueueStorage(t *testing.T) {
	const burst = 50 * eventloop.KeptTasks
	var q eventloop.Queue
	r := perform(func(*eventloop.Task) {})
	for range burst {
		q.Push(eventloop.Task{Target: r, Arg: r, Done: func(any) {}})
	}
	if n := q.Storage(); n >= burst+eventloop.ChunkTasks {
		t.Errorf("storage for %d tasks, of which there are %d", n, burst)
	}
	for q.Len() > 0 {
		q.Run(eventloop.TasksPerCycle)
		if n := q.Storage(); n > q.Len()+eventloop.KeptTasks+eventloop.ChunkTasks {
			t.Fatalf("storage for %d tasks when %d are left", n, q.Len())
		}
	}
	if q.Held() {
		t.Error("tasks that ran are still referred to")
	}
	if n := q.Storage(); n > eventloop.KeptTasks {
		t.Errorf("storage for %d tasks is kept", n)
	}
	for i := range 100 { // the life after
		for range i * 50 {
			q.Push(eventloop.Task{Target: r})
		}
		for q.Len() > 0 {
			q.Run(eventloop.TasksPerCycle)
		}
		if n := q.Storage(); n > eventloop.KeptTasks {
			t.Fatalf("storage for %d tasks is kept", n)
		}
	}
}

// TestQueueResume: a task that ends its goroutine is not held on to, and not run again.
func TestQueueResume(t *testing.T) {
	for _, n := range []int{1, eventloop.ChunkTasks, eventloop.ChunkTasks + 1, 3 * eventloop.ChunkTasks} {
		var q eventloop.Queue
		ran := 0
		for range n {
			q.Push(eventloop.Task{Target: eventloop.Func(func() { ran++; runtime.Goexit() }), Arg: &q})
		}
		for range n {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				q.Run(eventloop.TasksPerCycle)
			}()
			<-ended
			q.Resume()
		}
		if ran != n || q.Len() != 0 || q.Run(1) != 0 {
			t.Errorf("%d tasks of %d have run, %d are left", ran, n, q.Len())
		}
		if q.Held() {
			t.Error("tasks that ran are still referred to")
		}
	}
}

func TestQueueAllocatesNothing(t *testing.T) {
	var q eventloop.Queue
	r := perform(func(*eventloop.Task) {})
	var arg any = "arg"
	done := func(any) {}
	if n := testing.AllocsPerRun(100, func() {
		for i := range 100 {
			q.Push(eventloop.Task{Target: r, Op: i, Arg: arg, Done: done})
		}
		q.Run(eventloop.TasksPerCycle)
	}); n != 0 {
		t.Errorf("%v allocations for 100 tasks", n)
	}
}
