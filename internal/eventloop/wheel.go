package eventloop

import (
	"math/bits"
	"time"
)

// Expirer is told that its timer fired.
type Expirer interface {
	// OnExpire runs on the loop. The timer is disarmed and may be armed again.
	OnExpire()
}

// Timer is a node of a loop's timing wheel, embedded in what it times, so that
// arming it allocates nothing. Everything about it is loop only. It fires once,
// never early, and at most one tick late on a loop that isn't busy.
type Timer struct {
	next, prev *Timer // nil: not armed
	tick       int64  // when it fires, in ticks
	expirer    Expirer
}

// Init says whom t tells. It comes before the first Arm.
func (t *Timer) Init(e Expirer) { t.expirer = e }

// Armed reports whether t is going to fire.
func (t *Timer) Armed() bool { return t.next != nil }

func (t *Timer) unlink() {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
}

const (
	tickShift  = 23 // a tick is 2^23 ns: 8.4 ms
	tick       = time.Duration(1) << tickShift
	levelShift = 6
	levelSlots = 1 << levelShift
	levels     = 6 // 2^(23+6*6) ns: 18 years
	maxTick    = int64(1)<<(levels*levelShift) - 1
)

// wheel is a hierarchical timing wheel (Varghese and Lauck, 1987): a slot of
// level k spans 64^k ticks. A timer stands at the level of the highest group of
// six bits in which its tick differs from the wheel's own, and moves down a
// level when the wheel reaches its slot; so insertion and removal take constant
// time, and empty ticks take none.
//
// Invariant: every armed timer's tick is after now.
// Invariant: bit s of occupied[k] is set if slot s of level k holds a timer; it
// may also be set for a slot whose last timer was disarmed.
type wheel struct {
	now      int64 // the last tick that was processed
	target   int64 // the tick up to which advance goes; now, while it doesn't run
	count    int
	occupied [levels]uint64
	slots    [levels][levelSlots]Timer // list heads
	due      Timer                     // list head: the slot being emptied
	clock    time.Duration             // the time when advance was called
	delays   Durations                 // by how much timers were late
}

func (w *wheel) init() {
	for k := range w.slots {
		for s := range w.slots[k] {
			head := &w.slots[k][s]
			head.next, head.prev = head, head
		}
	}
	w.due.next, w.due.prev = &w.due, &w.due
}

// arm makes t fire at the first tick that isn't before at, a time since the
// loop was made.
func (w *wheel) arm(t *Timer, at time.Duration) {
	if t.Armed() {
		w.disarm(t)
	}
	due := int64(at >> tickShift)
	if at&(tick-1) != 0 {
		due++ // rounded up after the shift, so that the last time there is does not overflow
	}
	t.tick = min(max(due, w.target+1), maxTick)
	w.count++
	w.insert(t)
}

func (w *wheel) insert(t *Timer) {
	level := (bits.Len64(uint64(t.tick^w.now)) - 1) / levelShift
	slot := t.tick >> (level * levelShift) & (levelSlots - 1)
	head := &w.slots[level][slot]
	t.next, t.prev = head, head.prev
	head.prev.next, head.prev = t, t
	w.occupied[level] |= 1 << slot
}

func (w *wheel) disarm(t *Timer) {
	if t.Armed() {
		t.unlink()
		w.count--
	}
}

// earliest is the first slot that the wheel reaches, and when. A lower level's
// slots all come before a higher level's.
func (w *wheel) earliest() (level, slot int, at int64, ok bool) {
	for level := range levels {
		for w.occupied[level] != 0 {
			slot := bits.TrailingZeros64(w.occupied[level])
			if head := &w.slots[level][slot]; head.next == head {
				w.occupied[level] &^= 1 << slot // its timers were disarmed
				continue
			}
			span := level * levelShift
			at := w.now>>(span+levelShift)<<(span+levelShift) | int64(slot)<<span
			return level, slot, at, true
		}
	}
	return 0, 0, 0, false
}

// next is when the wheel wants to be advanced, as a time since the loop was
// made; false if no timer is armed.
func (w *wheel) next() (time.Duration, bool) {
	if w.count == 0 {
		return 0, false
	}
	_, _, at, ok := w.earliest()
	return time.Duration(at) << tickShift, ok
}

// advance fires the timers whose time has come at now. A timer that a callback
// arms fires in a later call. The clock, which may be later, says how late they are.
func (w *wheel) advance(now, clock time.Duration) {
	w.clock = clock
	w.target = max(w.target, int64(now>>tickShift))
	for w.count > 0 {
		level, slot, at, ok := w.earliest()
		if !ok || at > w.target {
			break
		}
		w.now = at
		w.occupied[level] &^= 1 << slot
		w.take(&w.slots[level][slot])
		w.fire()
	}
	w.now = w.target
}

// take makes the timers of a slot that the wheel has reached the ones that are due,
// and the slot empty: a callback may arm and disarm any of them.
func (w *wheel) take(head *Timer) {
	due := &w.due
	due.next, due.prev = head.next, head.prev
	due.next.prev, due.prev.next = due, due
	head.next, head.prev = head, head
}

// fire fires those that are due, or moves them down. It goes on where it was if a
// callback has ended the goroutine of the last call.
func (w *wheel) fire() {
	due := &w.due
	for due.next != due {
		t := due.next
		t.unlink()
		if t.tick > w.now {
			w.insert(t)
			continue
		}
		w.count--
		w.delays.Observe(w.clock - time.Duration(t.tick)<<tickShift)
		t.expirer.OnExpire()
	}
}
