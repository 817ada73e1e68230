package eventloop

import (
	"iter"
	"sync"
)

// Handle names one registration on one loop: 10 bits of loop, 22 of slot, 32
// of generation. No two registrations of a process have the same one: a slot
// that has used up its generations is never used again. 0 is no handle.
type Handle uint64

const (
	generationBits = 32
	slotBits       = 22
	// MaxLoops is the number of loops that handles can tell apart.
	MaxLoops = 1 << (64 - slotBits - generationBits)
	maxSlots = 1 << slotBits
)

func makeHandle(loop int, slot, generation uint32) Handle {
	return Handle(loop)<<(slotBits+generationBits) | Handle(slot)<<generationBits | Handle(generation)
}

// Loop is the index of the loop that made h.
func (h Handle) Loop() int { return int(h >> (slotBits + generationBits)) }

func (h Handle) slot() uint32       { return uint32(h>>generationBits) & (maxSlots - 1) }
func (h Handle) generation() uint32 { return uint32(h) }

const pageSize = 256

type slot struct {
	socket     Socket // nil: free
	generation uint32 // of the registration that has the slot, or will have it next
	nextFree   uint32 // index+1 of the next free slot, while this one is free
}

// slots is the table of a loop's registrations. It grows by pages that never
// move, so that growth copies nothing and leaves nothing behind.
//
// Only the loop writes it, always under mu; so the loop reads it without, and
// every other goroutine with mu held.
type slots struct {
	mu    sync.RWMutex
	pages []*[pageSize]slot
	free  uint32 // index+1 of the first free slot; 0: none
	count int    // of those in use; loop only
}

func (s *slots) at(i uint32) *slot { return &s.pages[i/pageSize][i%pageSize] }

// add puts socket into a free slot. Loop only. False: the table is full.
func (s *slots) add(loop int, socket Socket) (Handle, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free == 0 && !s.grow() {
		return 0, false
	}
	i := s.free - 1
	sl := s.at(i)
	s.free = sl.nextFree
	sl.socket = socket
	s.count++
	return makeHandle(loop, i, sl.generation), true
}

func (s *slots) grow() bool {
	first := uint32(len(s.pages)) * pageSize
	if first+pageSize > maxSlots {
		return false
	}
	page := new([pageSize]slot)
	s.pages = append(s.pages, page)
	for i := range page {
		page[i].generation = 1
		page[i].nextFree = first + uint32(i) + 2
	}
	page[pageSize-1].nextFree = 0
	s.free = first + 1
	return true
}

// remove frees the slot of h. Loop only.
func (s *slots) remove(h Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.at(h.slot())
	sl.socket = nil
	s.count--
	sl.generation++
	if sl.generation == 0 {
		return // generations used up: the slot is retired
	}
	sl.nextFree = s.free
	s.free = h.slot() + 1
}

// get is the socket registered as h, nil if it is no longer. Loop only.
func (s *slots) get(h Handle) Socket {
	i := h.slot()
	if i/pageSize >= uint32(len(s.pages)) {
		return nil
	}
	if sl := s.at(i); sl.generation == h.generation() {
		return sl.socket
	}
	return nil
}

// lookup is get for any goroutine.
func (s *slots) lookup(h Handle) Socket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(h)
}

// all yields what is registered, a page at a time; the lock isn't held while
// the caller looks at a page. Any goroutine.
func (s *slots) all() iter.Seq[Socket] {
	return func(yield func(Socket) bool) {
		var found [pageSize]Socket
		for p := 0; ; p++ {
			n := 0
			s.mu.RLock()
			if p >= len(s.pages) {
				s.mu.RUnlock()
				return
			}
			for i := range s.pages[p] {
				if socket := s.pages[p][i].socket; socket != nil {
					found[n] = socket
					n++
				}
			}
			s.mu.RUnlock()
			for _, socket := range found[:n] {
				if !yield(socket) {
					return
				}
			}
		}
	}
}
