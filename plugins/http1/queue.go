package http1

// queue holds the calls that wait for a worker, in the order in which they came.
// Guarded by the Pool's mu, as is what calls know of it.
type queue struct {
	first, last *call
	length      int
	leaving     int // those of them whose client has ended its half
}

// place is a call's in the queue.
type place struct {
	queued, leaving bool
	before, behind  *call
}

func (q *queue) push(k *call) {
	k.place.queued, k.place.before = true, q.last
	if q.last != nil {
		q.last.place.behind = k
	} else {
		q.first = k
	}
	q.last = k
	q.length++
	if k.place.leaving {
		q.leaving++
	}
}

// remove takes k out, and reports whether it was there.
func (q *queue) remove(k *call) bool {
	p := &k.place
	if !p.queued {
		return false
	}
	if p.before != nil {
		p.before.place.behind = p.behind
	} else {
		q.first = p.behind
	}
	if p.behind != nil {
		p.behind.place.before = p.before
	} else {
		q.last = p.before
	}
	q.length--
	if p.leaving {
		q.leaving--
	}
	*p = place{leaving: p.leaving}
	return true
}

// leave notes that k's client has ended its half: it may be gone.
func (q *queue) leave(k *call) {
	if k.place.queued && !k.place.leaving {
		q.leaving++
	}
	k.place.leaving = true
}

// oldestLeaving is the one of those that has waited longest; nil if there is none.
func (q *queue) oldestLeaving() *call {
	if q.leaving == 0 {
		return nil
	}
	k := q.first
	for !k.place.leaving {
		k = k.place.behind
	}
	return k
}
