package websocket

import "github.com/go-weir/weir"

// round is publications, one or some in a row that are to the same topic, on their way
// to the members of the topic. All that one member is sent leaves in one write(2). Loop
// only.
type round struct {
	batch []*publication
	work  int    // of the batch, for each member
	topic *topic // nil: it has no members
	at    int    // members from here to end are yet to be written to
	end   int    // those from here on have subscribed since the round began
	given int    // of the batch, to the member at
	again bool   // the next one was put off for that member
}

// What a loop does in one go before it looks for what else there is: in bytes, or what
// takes about as long as to write that many.
const (
	sliceWork   = 1 << 20
	batchWork   = 64 << 10 // of the messages of a batch together, unless there is one only
	memberWork  = 2 << 10  // the write(2)
	messageWork = 128
	// compressWork is how many times as much work a message is that has to be compressed
	// for this member alone.
	compressWork = 8
)

// writePublications writes some of what is published, and has itself called again for
// the rest.
func (s *shard) writePublications() {
	defer s.goOn() // if there is a panic, too
	r := &s.round
	for work := sliceWork; work > 0; {
		if r.at == r.end {
			r.finish()
			if !s.begin(r) {
				return
			}
			work -= messageWork * max(len(r.batch), 1)
			continue
		}
		w := r.topic.members[r.at].conn
		if !s.sendBatch(r, w) {
			return
		}
		r.at, r.given = r.at+1, 0
		work -= memberWork + r.workFor(w)
	}
}

// goOn has the loop come back if anything is left.
func (s *shard) goOn() {
	if s.round.at == s.round.end && s.feed.peek() == nil {
		s.round.finish()
		if s.feed.idle() {
			return
		}
	}
	if s.loop.Execute(s.fanOut) == nil {
		return
	}
	s.round.finish() // the loop ends, and with it all members
	for s.feed.peek() != nil {
		s.feed.peek().done()
		s.feed.drop()
	}
	s.feed.abandon()
}

// begin begins a round with what is first in the feed, and reports whether there is
// anything.
func (s *shard) begin(r *round) bool {
	b := s.feed.peek()
	if b == nil {
		return false
	}
	if b.then != nil {
		s.feed.drop()
		b.then()
		return true
	}
	name := b.topic
	if r.topic = s.topics[name]; r.topic != nil {
		r.end = len(r.topic.members)
	}
	for b != nil && b.topic == name && b.then == nil {
		work := b.message.size() + messageWork
		if len(r.batch) > 0 && r.work+work > batchWork {
			break
		}
		r.batch = append(r.batch, b)
		r.work += work
		s.feed.drop()
		b = s.feed.peek()
	}
	return true
}

// finish ends a round that has come to its end.
func (r *round) finish() {
	for _, b := range r.batch {
		b.done()
	}
	clear(r.batch)
	*r = round{batch: r.batch[:0]}
}

// workFor is how much it is to write the batch to one of the members.
func (r *round) workFor(w *Conn) int {
	if w.deflate != nil && w.deflate.Takeover() {
		return r.work * compressWork
	}
	return r.work
}

// remove takes a member out of its topic's. Of those that are yet to be written to nobody
// may be passed over, and who is first of them stays it; nobody may come twice. So the
// places up to at, those up to end, and all, in turn have their last one fill the gap.
func (r *round) remove(t *topic, place int) {
	if r.topic == t {
		switch {
		case place < r.at:
			r.at--
			t.move(r.at, place)
			if place = r.at; place+1 < r.end {
				t.move(place+1, place)
				place++
			}
		case place == r.at:
			r.given, r.again = 0, false
		}
		if place < r.end {
			r.end--
			t.move(r.end, place)
			place = r.end
		}
	}
	last := len(t.members) - 1
	t.move(last, place)
	t.members[last] = nil
	t.members = t.members[:last]
}

// sendBatch writes to one member what it hasn't got of the batch. It reports false if
// that has to wait until the system was offered what was written before.
func (s *shard) sendBatch(r *round, w *Conn) bool {
	for r.given < len(r.batch) {
		b := r.batch[r.given]
		if b.except != w && !r.again && w.mustFlush(b.message) {
			r.again = true
			return false
		}
		r.given, r.again = r.given+1, false
		if b.except != w {
			s.sendTo(w, b.message)
		}
	}
	return true
}

// mustFlush reports whether w has no room for m, but would perhaps if what was written in
// this cycle were with the system.
func (w *Conn) mustFlush(m *PreparedMessage) bool {
	return !w.c.WriteFits(m.size()) && w.c.WriteBufferLength() > 0 && !w.c.WriteBlocked()
}

// sendTo writes m to one subscriber, unless it is slow. One that is being closed gets
// what was published before, and is still sent its close frame behind that.
func (s *shard) sendTo(w *Conn, m *PreparedMessage) {
	o := &s.protocol.options.hub
	if w.has(flagCloseSent) || !w.c.Connected() {
		return // nothing can follow
	}
	if w.c.WriteBlocked() && w.c.WriteBufferLength() > int64(o.backlog) {
		s.slow(w)
		return
	}
	frame, shared := m.encode(w)
	if !w.c.WriteFits(len(frame)) {
		w.skipped()
		s.slow(w)
		return
	}
	if w.writePrepared(frame, shared) == nil {
		s.counts.Delivered++
	}
}

// slow leaves a message out for a subscriber that does not keep up, or closes it.
func (s *shard) slow(w *Conn) {
	if w.bits.Load()&bitClosing != 0 {
		return // it is ending for another reason
	}
	s.counts.Dropped++
	s.note()
	if s.protocol.options.hub.policy == CloseSlow {
		s.counts.SlowEnded++
		w.sendClose(TryAgainLater, "too slow for what it has subscribed to")
		w.endWith(weir.ErrSlowConsumer)
	}
}
