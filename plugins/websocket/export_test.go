package websocket

import "time"

// RunAside has f run by one of the goroutines that inflate messages.
func (p *Protocol) RunAside(f func()) { p.pool.run(f) }

// EndSilent ends the connection as the keeper does when no pong has come. Loop only.
func (w *Conn) EndSilent() { w.endSilent() }

// Partial is how many bytes of an unfinished message have come; -1 if there is none. Loop
// only.
func (w *Conn) Partial() int {
	if !w.decoder.Partial() {
		return -1
	}
	_, n, _ := w.decoder.Mark(w.shard.keeper.now, false)
	return n
}

// PingsOut is how many silent peers of the connection's loop were pinged. Loop only.
func (w *Conn) PingsOut() uint64 { return w.shard.counts.PingsOut }

// Silent is how long ago something was received, as the keeper knows it. Loop only.
func (w *Conn) Silent() time.Duration { return w.shard.keeper.after(w.seen) }

// Later has the keeper of the connection's loop look after the connection as if d were
// over. Loop only.
func (w *Conn) Later(d time.Duration) {
	k := &w.shard.keeper
	k.origin = k.origin.Add(-d)
	k.tick()
	w.keepAlive()
}

// Holders is how many connections are known to hold much for unfinished messages.
func (p *Protocol) Holders() int {
	p.holders.mu.Lock()
	defer p.holders.mu.Unlock()
	return len(p.holders.held)
}

// Leaving is how many bytes are held by connections that have been told to go.
func (p *Protocol) Leaving() int {
	p.holders.mu.Lock()
	defer p.holders.mu.Unlock()
	return p.holders.leaving
}

// Dismiss has the largest holder go, and c, which is that, note meanwhile that it holds
// another number of bytes. Loop only.
func (w *Conn) Dismiss() {
	h := &w.shard.protocol.holders
	h.mu.Lock()
	h.dismiss()
	h.mu.Unlock()
	w.more.held--
	w.noteHeld()
}
