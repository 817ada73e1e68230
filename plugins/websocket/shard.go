package websocket

import (
	"maps"
	"time"

	"github.com/go-weir/weir"
)

// shard is what the connections of one loop share. All of it is loop only but where
// it says otherwise. It exists as long as there are connections.
type shard struct {
	// set once
	protocol *Protocol
	loop     weir.Loop
	handler  *wrapped
	fanOut   func() // shard.writePublications

	feed feed // what is published and has subscribers on this loop

	refs     int      // connections, those included that are in their handshake
	header   []byte   // scratch: the header of a frame
	inflated []byte   // scratch: an inflated message
	deflated []byte   // scratch: a compressed frame
	exchange exchange // scratch: a handshake
	spent    *frame   // what was given to weir last; its bytes are copied when the next one is
	keeper   keeper
	topics   map[string]*topic
	round    round // the publications that are being written
	counts   Stats
	changed  bool        // counts have, and will be published
	publish  *weir.Timer // when

	published Stats // guarded by protocol.mu
}

// publishEvery is how old published counts are at most.
const publishEvery = 50 * time.Millisecond

// enter counts a connection of the loop.
func (p *Protocol) enter(l weir.Loop, w *wrapped) {
	s := p.shard(l)
	if s == nil {
		s = &shard{protocol: p, loop: l, handler: w, topics: make(map[string]*topic)}
		s.fanOut = s.writePublications
		p.mu.Lock()
		p.shards[l] = s
		p.mu.Unlock()
	}
	s.refs++
}

// leave undoes enter, when the connection has ended.
func (p *Protocol) leave(l weir.Loop) {
	s := p.shard(l)
	if s == nil {
		return
	}
	if s.refs--; s.refs > 0 {
		return
	}
	s.keeper.stop()
	if s.publish != nil {
		s.publish.Stop()
	}
	p.mu.Lock()
	p.past.add(&s.counts)
	delete(p.shards, l)
	p.mu.Unlock()
}

// shard returns the loop's; nil if it has none.
func (p *Protocol) shard(l weir.Loop) *shard {
	p.mu.RLock()
	s := p.shards[l]
	p.mu.RUnlock()
	return s
}

// note has the counts published soon.
func (s *shard) note() {
	if s.changed {
		return
	}
	s.changed = true
	s.publish = s.loop.RunAfter(publishEvery, func() {
		s.changed, s.publish = false, nil
		s.protocol.mu.Lock()
		s.published = s.counts
		s.published.Closed = maps.Clone(s.counts.Closed)
		s.protocol.mu.Unlock()
	})
}

// refused counts a handshake that ended with that status.
func (s *shard) refused(status int) {
	s.counts.Refused.count(status)
	s.note()
}

// refusedTopic counts a subscription over the limits.
func (s *shard) refusedTopic() {
	s.counts.Limits.Topics++
	s.note()
}

// closed counts the end of a connection.
func (s *shard) closed(code Code) {
	if s.counts.Closed == nil {
		s.counts.Closed = make(map[Code]uint64)
	}
	s.counts.Closed[code]++
	s.note()
}
