package eventloop

import (
	"fmt"
	"iter"
	"math/bits"
	"time"
)

// What tests need to know of the loop's bounds.
const (
	ChunkTasks      = chunkTasks
	BatchSize       = batchSize
	EventsPerSocket = eventsPerSocket
	HeldCycles      = heldCycles
	KeptTasks       = keptTasks
	MaxSlots        = maxSlots
	PageSize        = pageSize
	TasksPerCycle   = tasksPerCycle
	Tick            = tick
	MaxTick         = maxTick
)

// Wheel is a timing wheel without a loop around it.
type Wheel struct{ w wheel }

// NewWheel returns a wheel at time 0.
func NewWheel() *Wheel {
	w := new(Wheel)
	w.w.init()
	return w
}

// Arm is the wheel's arm.
func (w *Wheel) Arm(t *Timer, at time.Duration) { w.w.arm(t, at) }

// Disarm is the wheel's disarm.
func (w *Wheel) Disarm(t *Timer) { w.w.disarm(t) }

// Advance is the wheel's advance.
func (w *Wheel) Advance(now time.Duration) { w.w.advance(now, now) }

// Next is the wheel's next.
func (w *Wheel) Next() (time.Duration, bool) { return w.w.next() }

// Count is the number of armed timers.
func (w *Wheel) Count() int { return w.w.count }

// Delays is by how much timers were late.
func (w *Wheel) Delays() *Durations { return &w.w.delays }

// Check verifies the wheel's invariants. It may be called at any time, also
// from OnExpire.
func (w *Wheel) Check() error { return w.w.check() }

func (w *wheel) check() error {
	found := 0
	for k := range w.slots {
		for s := range w.slots[k] {
			head := &w.slots[k][s]
			for t := range head.list {
				found++
				if t.tick <= w.now {
					return fmt.Errorf("a timer for tick %d is armed at tick %d", t.tick, w.now)
				}
				level := (bits.Len64(uint64(t.tick^w.now)) - 1) / levelShift
				slot := int(t.tick >> (level * levelShift) & (levelSlots - 1))
				if level != k || slot != s {
					return fmt.Errorf("tick %d at tick %d is in level %d, slot %d instead of %d, %d", t.tick, w.now, k, s, level, slot)
				}
			}
			if head.next != head && w.occupied[k]&(1<<s) == 0 {
				return fmt.Errorf("level %d, slot %d: not marked as occupied", k, s)
			}
			if err := head.linked(); err != nil {
				return fmt.Errorf("level %d, slot %d: %w", k, s, err)
			}
		}
	}
	if err := w.due.linked(); err != nil {
		return fmt.Errorf("due: %w", err)
	}
	for t := range w.due.list {
		found++
		if t.tick < w.now {
			return fmt.Errorf("tick %d is fired at tick %d", t.tick, w.now)
		}
	}
	if found != w.count {
		return fmt.Errorf("%d timers armed, %d counted", found, w.count)
	}
	return nil
}

// list yields the timers of the list that t heads.
func (t *Timer) list(yield func(*Timer) bool) {
	for e := t.next; e != t; e = e.next {
		if !yield(e) {
			return
		}
	}
}

func (t *Timer) linked() error {
	for e := t; ; e = e.next {
		if e.next == nil || e.next.prev != e {
			return fmt.Errorf("broken links")
		}
		if e.next == t {
			return nil
		}
	}
}

// Queue is a task queue without a loop around it.
type Queue struct{ q queue }

// Push is the queue's push.
func (q *Queue) Push(t Task) bool { return q.q.push(t) }

// Run is the queue's run.
func (q *Queue) Run(limit int) int { return q.q.run(limit) }

// Len is the queue's len.
func (q *Queue) Len() int { return q.q.len() }

// Close is the queue's close.
func (q *Queue) Close() { q.q.close() }

// Waits is how long sampled tasks have waited.
func (q *Queue) Waits() *Durations { return &q.q.waits }

// Resume is the queue's resume.
func (q *Queue) Resume() { q.q.resume() }

// Storage is the number of tasks that the queue has room for, in all.
func (q *Queue) Storage() int {
	return chunkTasks * (q.q.posted.n + q.q.batch.n + q.q.spare.n + q.q.free.n)
}

// Held reports whether the storage of tasks that have run still refers to anything.
func (q *Queue) Held() bool { return q.q.held() }

// HoldsTasks is Held of the loop's queue.
func (l *EventLoop) HoldsTasks() bool { return l.tasks.held() }

func (q *queue) held() bool {
	for _, list := range []chunks{q.spare, q.free, q.batch} {
		for c := list.first; c != nil; c = c.next {
			for _, t := range c.tasks {
				if t.Target != nil || t.Arg != nil || t.Done != nil {
					return true
				}
			}
		}
	}
	return false
}

// Slots is a table of registrations without a loop around it.
type Slots struct{ s slots }

// Add is the table's add, for loop 7.
func (s *Slots) Add(socket Socket) (Handle, bool) { return s.s.add(7, socket) }

// Remove is the table's remove.
func (s *Slots) Remove(h Handle) { s.s.remove(h) }

// Get is the table's get.
func (s *Slots) Get(h Handle) Socket { return s.s.get(h) }

// Lookup is the table's lookup.
func (s *Slots) Lookup(h Handle) Socket { return s.s.lookup(h) }

// All is the table's all.
func (s *Slots) All() iter.Seq[Socket] { return s.s.all() }

// Pages is the number of pages allocated.
func (s *Slots) Pages() int { return len(s.s.pages) }

// UseUp moves the slot of h on to where left more registrations can follow that of h,
// and returns the new handle of this one.
func (s *Slots) UseUp(h Handle, left uint32) Handle {
	sl := s.s.at(h.slot())
	sl.generation = ^uint32(0) - left
	return makeHandle(h.Loop(), h.slot(), sl.generation)
}

// Slot is the number of h's slot.
func (h Handle) Slot() int { return int(h.slot()) }

// Generation is h's generation.
func (h Handle) Generation() uint32 { return h.generation() }
