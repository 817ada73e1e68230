package websocket

import (
	"sync"
	"sync/atomic"
)

// publication is a message on its way to the subscribers of a topic, or what has to be
// done behind those that are.
type publication struct {
	// set once
	hub     *Hub
	topic   string
	message *PreparedMessage
	except  *Conn  // nil: nobody is left out
	then    func() // nil: it is a message

	// any goroutine
	loops atomic.Int32 // that have yet to write it to all their subscribers
}

// publicationOverhead is what a publication counts besides its bytes, so that a flood of
// empty ones meets the limit, too.
const publicationOverhead = 256

func (b *publication) cost() int64 { return int64(b.message.size()) + publicationOverhead }

// done is called by each loop once.
func (b *publication) done() {
	if b.then == nil && b.loops.Add(-1) == 0 {
		b.hub.queued.Add(-b.cost())
	}
}

// feed is the queue of publications for one loop. It is not the loop's own, whose tasks
// each run in one go: a publication to very many is written in several cycles, and those
// behind it must not overtake it.
type feed struct {
	// guarded by mu
	mu        sync.Mutex
	waiting   []*publication
	scheduled bool // a task of the loop is on its way, or runs

	// loop only
	taken []*publication // before those that are waiting; taken[:next] are done with
	next  int
}

// keptFeed is the capacity up to which a feed keeps its storage.
const keptFeed = 1024

// push appends b, and reports whether the loop has to be given a task. Any goroutine.
func (f *feed) push(b *publication) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, b)
	first = !f.scheduled
	f.scheduled = true
	return first
}

// peek returns the first publication, nil if there is none. Loop only.
func (f *feed) peek() *publication {
	if f.next == len(f.taken) {
		spent := f.taken[:0]
		if cap(spent) > keptFeed {
			spent = nil
		}
		f.mu.Lock()
		f.taken, f.waiting = f.waiting, spent
		f.mu.Unlock()
		f.next = 0
	}
	if len(f.taken) == 0 {
		return nil
	}
	return f.taken[f.next]
}

// drop takes the first one off. Loop only.
func (f *feed) drop() {
	f.taken[f.next] = nil
	f.next++
}

// idle reports whether there is nothing left. If so, the next push asks for a task.
// Loop only.
func (f *feed) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scheduled = f.next < len(f.taken) || len(f.waiting) > 0
	return !f.scheduled
}

// abandon gives up what is waiting, for a loop that has ended. Any goroutine.
func (f *feed) abandon() {
	f.mu.Lock()
	waiting := f.waiting
	f.waiting, f.scheduled = nil, false
	f.mu.Unlock()
	for _, b := range waiting {
		b.done()
	}
}

// enqueue has the loop write b to its subscribers. Any goroutine.
func (s *shard) enqueue(b *publication) {
	if s.feed.push(b) && s.loop.Execute(s.fanOut) != nil {
		s.feed.abandon() // the loop has ended, and has no connections any more
	}
}

// awaitsPublications reports whether w may have to be sent what was published already.
// Loop only.
func (w *Conn) awaitsPublications() bool {
	s := w.shard
	return w.more != nil && w.more.topics.count > 0 && (s.round.at < s.round.end || s.feed.peek() != nil)
}

// behindPublications has f run on the loop when that is written, or now if there is
// nothing. If w ends before, f does not run. Loop only.
func (w *Conn) behindPublications(f func()) {
	if !w.awaitsPublications() {
		f()
		return
	}
	w.shard.enqueue(&publication{then: func() {
		if !w.has(flagEnded) {
			f()
		}
	}})
}
