package eventloop_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
)

const tick = eventloop.Tick

// horizon is as far as the tests go, years before the end of a wheel's time.
const horizon = time.Duration(1) << 57

// timed is a timer that knows when it was meant to fire.
type timed struct {
	eventloop.Timer
	expire func()
	at     time.Duration
}

func (e *timed) OnExpire() { e.expire() }

func newTimed(expire func()) *timed {
	e := &timed{expire: expire}
	e.Init(e)
	return e
}

// tickOf is the first tick that isn't before at.
func tickOf(at time.Duration) int64 {
	t := int64(at / tick)
	if at%tick > 0 {
		t++
	}
	return min(t, eventloop.MaxTick)
}

// wheelModel drives a wheel by a script of bytes, and knows of each timer when
// it has to fire.
type wheelModel struct {
	t      testing.TB
	script []byte
	wheel  *eventloop.Wheel
	timers []*timed
	now    time.Duration
	armed  map[*timed]int64 // the first tick at which it fires

	advancing bool
	target    int64 // the tick being advanced to
	last      int64 // the tick for which the last timer of this advance fired
}

func newWheelModel(t testing.TB, script []byte) *wheelModel {
	m := &wheelModel{t: t, script: script, wheel: eventloop.NewWheel(), armed: map[*timed]int64{}}
	for range 12 {
		var e *timed
		e = newTimed(func() { m.fired(e) })
		m.timers = append(m.timers, e)
	}
	return m
}

func (m *wheelModel) byte() byte {
	if len(m.script) == 0 {
		return 0
	}
	b := m.script[0]
	m.script = m.script[1:]
	return b
}

// span is a time of any magnitude up to 2^bits ns.
func (m *wheelModel) span(bits uint) time.Duration {
	var b [8]byte
	shift := uint(m.byte()) % bits
	for i := range b[:1+shift/8] {
		b[i] = m.byte()
	}
	return time.Duration(binary.LittleEndian.Uint64(b[:])&(2<<shift-1) | 1<<shift)
}

func (m *wheelModel) timer() *timed { return m.timers[int(m.byte())%len(m.timers)] }

func (m *wheelModel) run() {
	for len(m.script) > 0 {
		switch m.byte() % 8 {
		case 0, 1, 2:
			m.change()
		case 3:
			m.advance(m.now + m.span(36))
		case 4:
			m.advance(m.now + m.span(54))
		case 5:
			m.advance(m.now + m.span(10)) // often within the same tick
		default:
			m.sleep()
		}
		m.check()
	}
	// In the end everything fires, far away or not, in a bounded number of steps.
	for e := range m.armed {
		if time.Duration(m.armed[e])*tick > horizon {
			m.disarm(e)
		}
	}
	m.script = nil // no more surprises from callbacks
	for steps := 0; len(m.armed) > 0; steps++ {
		if steps > 12*6*2 {
			m.t.Fatalf("%d timers are left after %d steps", len(m.armed), steps)
		}
		m.sleep()
	}
}

// change arms or disarms a timer.
func (m *wheelModel) change() {
	e := m.timer()
	switch m.byte() % 8 {
	case 0:
		m.disarm(e)
	case 1:
		m.arm(e, m.now) // at once
	case 2:
		m.arm(e, m.now-m.span(40)) // overdue
	case 3:
		m.arm(e, math.MaxInt64-m.span(62))
	case 4:
		m.arm(e, m.now+m.span(60))
	default:
		m.arm(e, m.now+m.span(40))
	}
}

func (m *wheelModel) arm(e *timed, at time.Duration) {
	e.at = at
	m.wheel.Arm(&e.Timer, at)
	// The wheel has processed the ticks up to the last Advance; while it
	// advances, up to the tick to which it does.
	m.armed[e] = min(max(tickOf(at), int64(m.now/tick)+1), eventloop.MaxTick)
}

func (m *wheelModel) disarm(e *timed) {
	m.wheel.Disarm(&e.Timer)
	delete(m.armed, e)
}

// sleep advances to when the wheel asks for it, as a loop does.
func (m *wheelModel) sleep() {
	next, ok := m.wheel.Next()
	if ok != (len(m.armed) > 0) {
		m.t.Fatalf("Next says %v with %d timers armed", ok, len(m.armed))
	}
	if !ok {
		return
	}
	for _, due := range m.armed {
		if next > time.Duration(due)*tick {
			m.t.Fatalf("the wheel wants to sleep until %v, over a timer at %v", next, time.Duration(due)*tick)
		}
	}
	m.advance(max(m.now, next))
}

func (m *wheelModel) advance(now time.Duration) {
	if now > horizon {
		return
	}
	m.now, m.target, m.last, m.advancing = now, int64(now/tick), 0, true
	m.wheel.Advance(now)
	m.advancing = false
	for e, due := range m.armed {
		if due <= m.target {
			m.t.Fatalf("at tick %d the timer of tick %d for %v hasn't fired", m.target, due, e.at)
		}
	}
}

func (m *wheelModel) fired(e *timed) {
	due, ok := m.armed[e]
	switch {
	case !m.advancing || !ok:
		m.t.Fatalf("a timer fired that isn't armed")
	case m.now < e.at:
		m.t.Fatalf("a timer for %v fired at %v", e.at, m.now)
	case due > m.target:
		m.t.Fatalf("the timer of tick %d fired at tick %d", due, m.target)
	case due < m.last:
		m.t.Fatalf("the timer of tick %d fired after that of tick %d", due, m.last)
	case e.Armed():
		m.t.Fatal("a timer is armed when it fires")
	}
	m.last = due
	delete(m.armed, e)
	m.check()
	for range m.byte() % 3 { // of this slot or any other
		m.change()
		m.check()
	}
}

func (m *wheelModel) check() {
	m.t.Helper()
	if err := m.wheel.Check(); err != nil {
		m.t.Fatal(err)
	}
	if n := m.wheel.Count(); n != len(m.armed) {
		m.t.Fatalf("%d timers are armed, want %d", n, len(m.armed))
	}
	for _, e := range m.timers {
		if _, ok := m.armed[e]; ok != e.Armed() {
			m.t.Fatalf("a timer's Armed is %v, want %v", e.Armed(), ok)
		}
	}
}

func TestWheelModel(t *testing.T) {
	script := make([]byte, 2000)
	for seed := range uint64(60) {
		rnd := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
		_, _ = rnd.Read(script) // never fails
		newWheelModel(t, script).run()
	}
}

func FuzzWheel(f *testing.F) {
	f.Add([]byte{0, 0, 4, 20, 1, 2, 3, 7, 7, 7})
	f.Add([]byte{0, 0, 4, 59, 1, 2, 3, 4, 5, 6, 7, 8, 4, 50, 1, 1, 1, 1, 1, 1, 1, 7})
	f.Add([]byte{1, 1, 3, 0, 0, 1, 1, 2, 61, 9, 9, 9, 9, 9, 9, 9, 9, 3, 30, 8, 8, 8, 8, 2, 1, 1, 2, 2})
	f.Fuzz(func(t *testing.T, script []byte) { newWheelModel(t, script).run() })
}

// TestWheelPrecision: a loop that advances when the wheel asks for it, and is
// itself not late, fires every timer less than a tick late.
func TestWheelPrecision(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	w := eventloop.NewWheel()
	var now time.Duration
	fired := 0
	for range 5000 {
		var e *timed
		e = newTimed(func() {
			fired++
			if late := now - e.at; late < 0 || late >= tick {
				t.Errorf("a timer for %v fired %v late", e.at, late)
			}
		})
		e.at = now + 1 + time.Duration(rnd.Int64N(1<<rnd.IntN(50)))
		w.Arm(&e.Timer, e.at)
		if rnd.IntN(3) == 0 {
			next, _ := w.Next()
			now = max(now, next)
			w.Advance(now)
		}
	}
	for {
		next, ok := w.Next()
		if !ok {
			break
		}
		now = max(now, next)
		w.Advance(now)
	}
	if fired != 5000 {
		t.Errorf("%d timers of 5000 fired", fired)
	}
}

// TestWheelFarAway: the last time there is is far away, and not long past.
func TestWheelFarAway(t *testing.T) {
	for _, at := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - tick, 1 << 62, 1 << 59, 1<<59 - 1} {
		w := eventloop.NewWheel()
		e := newTimed(func() { t.Errorf("the timer for %v fired", at) })
		w.Arm(&e.Timer, at)
		w.Advance(365 * 24 * time.Hour)
		if err := w.Check(); err != nil {
			t.Error(err)
		}
		if next, ok := w.Next(); !ok || next <= 365*24*time.Hour {
			t.Errorf("armed for %v, the wheel's next is %v, %v", at, next, ok)
		}
	}
}

// TestWheelSameSlot: a callback may disarm and arm the others of the slot that
// is being emptied, those before it and those after it.
func TestWheelSameSlot(t *testing.T) {
	for _, at := range []time.Duration{3 * tick, 64 * tick, 100 * tick, 64 * 64 * tick} {
		w := eventloop.NewWheel()
		var order []int
		var timers [4]*timed
		act := [4]func(){
			1: func() {
				w.Disarm(&timers[2].Timer)      // later in the slot: must not fire
				w.Arm(&timers[0].Timer, at)     // fired already: again, in a later call
				w.Arm(&timers[3].Timer, 2*at)   // later in the slot: must fire at the new time only
				w.Arm(&timers[1].Timer, 2*at)   // itself
				w.Disarm(&timers[1].Timer)      // and yet not
				w.Disarm(&timers[1].Timer)      // nor twice
				w.Arm(&timers[1].Timer, 2*at)   // but
				w.Arm(&timers[1].Timer, 2*at+1) // a tick later
			},
		}
		for i := range timers {
			timers[i] = newTimed(func() {
				order = append(order, i)
				if act[i] != nil {
					act[i]()
					act[i] = nil
				}
				if err := w.Check(); err != nil {
					t.Fatal(err)
				}
			})
			w.Arm(&timers[i].Timer, at)
		}
		for _, step := range []struct {
			now  time.Duration
			want []int
		}{
			{at - 1, nil},
			{at, []int{0, 1}},
			{at + tick, []int{0}},
			{2*at - 1, nil},
			{2 * at, []int{3}},
			{2*at + tick, []int{1}},
			{1 << 55, nil},
		} {
			order = nil
			w.Advance(step.now)
			if len(order) != len(step.want) {
				t.Fatalf("at %v: %v fired, want %v", step.now, order, step.want)
			}
			for i := range order {
				if order[i] != step.want[i] {
					t.Fatalf("at %v: %v fired, want %v", step.now, order, step.want)
				}
			}
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWheelRearmedInThePast: a callback that arms its own timer for a time
// that has passed is called again in the next call of Advance, not in this one
// for every tick that a stalled loop has missed.
func TestWheelRearmedInThePast(t *testing.T) {
	w := eventloop.NewWheel()
	fired := 0
	var e *timed
	e = newTimed(func() { fired++; w.Arm(&e.Timer, 0) })
	w.Arm(&e.Timer, tick)
	for call := 1; call <= 3; call++ {
		w.Advance(time.Duration(call) * time.Second)
		if fired != call {
			t.Fatalf("fired %d times in %d calls", fired, call)
		}
	}
}

func TestWheelAllocatesNothing(t *testing.T) {
	w := eventloop.NewWheel()
	timers := make([]*timed, 100)
	for i := range timers {
		timers[i] = newTimed(func() {})
	}
	var now time.Duration
	if n := testing.AllocsPerRun(100, func() {
		for i, e := range timers {
			w.Arm(&e.Timer, now+time.Duration(i)*17*time.Millisecond)
		}
		now += time.Second
		w.Advance(now)
		for _, e := range timers {
			w.Disarm(&e.Timer)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
