package eventloop_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// inert is a Socket that is only looked at.
type inert struct{ n int }

func (*inert) OnReady(poller.Readiness) {}

// TestSlotsModel: random registrations against a map. No handle comes twice.
func TestSlotsModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var s eventloop.Slots
	live := map[eventloop.Handle]*inert{}
	var handles, stale []eventloop.Handle
	used := map[eventloop.Handle]bool{0: true}
	for n := range 20000 {
		// Up and down, so that the table is now growing, now being emptied.
		if grow := 3 + 4*(n/4000%2); len(handles) == 0 || rnd.IntN(10) < grow {
			socket := &inert{n}
			h, ok := s.Add(socket)
			if !ok || used[h] || h.Loop() != 7 {
				t.Fatalf("Add returns %x, %v; used before: %v", h, ok, used[h])
			}
			used[h], live[h] = true, socket
			handles = append(handles, h)
		} else {
			i := rnd.IntN(len(handles))
			h := handles[i]
			s.Remove(h)
			delete(live, h)
			handles = slices.Delete(handles, i, i+1)
			stale = append(stale, h)
		}
		if len(handles) > 0 {
			h := handles[rnd.IntN(len(handles))]
			if s.Get(h) != live[h] || s.Lookup(h) != live[h] {
				t.Fatalf("%x is %v, want %v", h, s.Get(h), live[h])
			}
		}
		if len(stale) > 0 {
			if h := stale[rnd.IntN(len(stale))]; s.Get(h) != nil || s.Lookup(h) != nil {
				t.Fatalf("the stale handle %x finds a socket", h)
			}
		}
	}
	found := map[*inert]bool{}
	for socket := range s.All() {
		found[socket.(*inert)] = true
	}
	for _, socket := range live {
		if !found[socket] {
			t.Fatalf("All misses a socket")
		}
	}
	if len(found) != len(live) {
		t.Errorf("All yields %d sockets of %d", len(found), len(live))
	}
}

// TestSlotsReuse: freed slots are used again before the table grows.
func TestSlotsReuse(t *testing.T) {
	var s eventloop.Slots
	if s.Pages() != 0 {
		t.Fatal("an empty table has pages")
	}
	var handles []eventloop.Handle
	for range eventloop.PageSize {
		h, _ := s.Add(&inert{})
		handles = append(handles, h)
	}
	if s.Pages() != 1 {
		t.Errorf("%d pages for one page of sockets", s.Pages())
	}
	for range 10 {
		for _, h := range handles {
			s.Remove(h)
		}
		for i := range handles {
			handles[i], _ = s.Add(&inert{})
		}
	}
	if s.Pages() != 1 {
		t.Errorf("%d pages after reuse", s.Pages())
	}
	if _, ok := s.Add(&inert{}); !ok || s.Pages() != 2 {
		t.Errorf("%d pages for one socket more than a page, %v", s.Pages(), ok)
	}
}

// TestSlotsRetire: a slot whose generations are used up is never used again.
func TestSlotsRetire(t *testing.T) {
	var s eventloop.Slots
	first, _ := s.Add(&inert{})
	for range eventloop.PageSize - 1 { // so that there is no other slot to take
		s.Add(&inert{})
	}
	h := s.UseUp(first, 1)
	s.Remove(h)
	last, _ := s.Add(&inert{})
	if last.Slot() != h.Slot() || last.Generation() != ^uint32(0) {
		t.Fatalf("slot %d, generation %x; want %d and the last there is", last.Slot(), last.Generation(), h.Slot())
	}
	s.Remove(last)
	if s.Get(last) != nil || s.Get(last+1) != nil || s.Get(last-last&(1<<32-1)) != nil {
		t.Error("the retired slot has a socket")
	}
	next, ok := s.Add(&inert{})
	if !ok || next.Slot() == h.Slot() {
		t.Errorf("the retired slot %d is used again: slot %d, %v", h.Slot(), next.Slot(), ok)
	}
}

// TestSlotsForeign: handles that no table made find nothing.
func TestSlotsForeign(t *testing.T) {
	var s eventloop.Slots
	foreign := []eventloop.Handle{0, 1, 1 << 32, ^eventloop.Handle(0), eventloop.PageSize << 32, 5<<32 | 1}
	for range 2 {
		for _, h := range foreign {
			if s.Get(h) != nil || s.Lookup(h) != nil {
				t.Errorf("%x finds a socket", h)
			}
		}
		s.Add(&inert{})
		foreign[1] = 2 // slot 0 in its second generation
	}
}

// TestSlotsFull: the table ends at its bound, and takes more once something
// was removed.
func TestSlotsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("fills 128 MiB")
	}
	var s eventloop.Slots
	socket := &inert{}
	var last eventloop.Handle
	for range eventloop.MaxSlots {
		h, ok := s.Add(socket)
		if !ok {
			t.Fatal("full too early")
		}
		last = h
	}
	if h, ok := s.Add(socket); ok || h != 0 {
		t.Fatalf("a full table takes one more, as %x", h)
	}
	if last.Slot() != eventloop.MaxSlots-1 || last.Loop() != 7 {
		t.Errorf("the last handle has slot %d, loop %d", last.Slot(), last.Loop())
	}
	s.Remove(last)
	if h, ok := s.Add(socket); !ok || h == last || h.Slot() != last.Slot() {
		t.Errorf("after a Remove, Add returns %x, %v", h, ok)
	}
}

// TestSlotsConcurrent: Lookup and All from other goroutines, while the loop
// adds and removes. A handle finds its own socket or nothing.
func TestSlotsConcurrent(t *testing.T) {
	const last = 8 * eventloop.PageSize
	var s eventloop.Slots
	var handles [last]atomic.Uint64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for seed := range uint64(2) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 0))
			for !stop.Load() {
				i := rnd.IntN(last)
				h := eventloop.Handle(handles[i].Load())
				if socket := s.Lookup(h); h != 0 && socket != nil && socket.(*inert).n != i {
					t.Errorf("the handle of socket %d finds socket %d", i, socket.(*inert).n)
				}
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			n := 0
			for socket := range s.All() {
				if n++; socket == nil {
					t.Error("All yields nil")
				}
			}
			for range s.All() {
				break // early
			}
			runtime.Gosched()
		}
	})
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		i := rnd.IntN(last)
		if h := handles[i].Load(); h != 0 {
			s.Remove(eventloop.Handle(h))
			handles[i].Store(0)
		} else {
			h, _ := s.Add(&inert{i})
			handles[i].Store(uint64(h))
		}
	}
	stop.Store(true)
	wg.Wait()
}
