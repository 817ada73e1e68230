package websocket

import (
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// Conn is one WebSocket connection. Its methods are for any goroutine unless their
// comment says "loop only": those are called from its own callbacks, or from a function
// given to Execute.
//
// A Conn stays valid after its end; what is written then is refused.
type Conn struct {
	// set once
	c           *weir.Connection
	shard       *shard
	deflate     *codec.Compression // nil: messages are not compressed
	subprotocol string

	// any goroutine
	bits atomic.Uint32

	// loop only
	seen    uint32 // the keeper's time when something was received
	flags   uint8
	kind    Kind  // of the message that OnMessage is called with
	place   int32 // among the keeper's connections
	decoder codec.Decoder
	more    *more // nil: nothing of that
	user    any
}

// more is what few connections need.
type more struct {
	ended  bool // there was a close frame: code and reason are its
	code   Code
	reason string
	timer  *weir.Timer   // the time for the answer to a close frame
	told   bool          // its system has that frame
	waited time.Duration // how much of the time for the answer is over
	held   int           // bytes that the holders know of

	topics   subscriptions
	inflated *inflated // waits to be delivered; nil: none does
}

// Bits that any goroutine may set.
const (
	bitClosing  uint32 = 1 << iota // nothing is accepted for sending any more
	bitPaused                      // PauseRead
	bitInflates                    // a message is being inflated aside, or waits; the next has to wait
)

// Flags that the loop keeps.
const (
	flagOpened    uint8 = 1 << iota // OnOpen has been called
	flagCloseSent                   // our close frame is written; nothing may follow it
	flagPinged                      // nothing was received since we have pinged
	flagEnded                       // OnClose has been called
	flagAside                       // a goroutine uses deflate
	flagSettled                     // the end has been brought about, nothing is read any more
	flagGoingAway                   // the server drains: Hold is for the answer to our close frame
	flagBehind                      // the peer had yet to take what was written when the keeper looked
)

func newConn(s *shard, c *weir.Connection, params codec.Params, subprotocol string, user any) *Conn {
	w := &Conn{c: c, shard: s, subprotocol: subprotocol, user: user}
	w.deflate = s.protocol.codec.NewCompression(params)
	w.decoder.Init(s.protocol.codec, w.deflate != nil)
	return w
}

// begin is the beginning, behind the handshake.
func (w *Conn) begin() {
	if w.has(flagOpened | flagEnded) {
		return
	}
	w.flags |= flagOpened
	w.shard.counts.Open++
	w.shard.note()
	w.shard.keeper.add(w)
	w.shard.handler.handler.OnOpen(w)
}

// end is the end.
func (w *Conn) end() {
	s := w.shard
	w.bits.Or(bitClosing)
	w.flags |= flagEnded
	w.decoder.Release()
	w.noteHeld()
	if w.deflate != nil && !w.has(flagAside) {
		w.deflate.Release()
	}
	if w.more != nil && w.more.inflated != nil {
		s.protocol.codec.Unpin(len(w.more.inflated.data))
		w.more.inflated = nil
	}
	if !w.has(flagOpened) {
		return
	}
	s.keeper.remove(w)
	s.counts.Open--
	code, reason := AbnormalClosure, ""
	if w.more != nil && w.more.ended {
		code, reason = w.more.code, w.more.reason
	}
	s.closed(code)
	s.handler.handler.OnClose(w, code, reason)
}

// Connection is the connection of the server. Writing to it directly breaks the
// protocol.
func (w *Conn) Connection() *weir.Connection { return w.c }

// ID is the connection's name for as long as the process runs.
func (w *Conn) ID() weir.ConnID { return w.c.ID() }

// RemoteAddr is the peer's address, a *net.TCPAddr.
func (w *Conn) RemoteAddr() net.Addr { return w.c.RemoteAddr() }

// Subprotocol is the one that was agreed on, empty if none was.
func (w *Conn) Subprotocol() string { return w.subprotocol }

// Compressed reports whether permessage-deflate was agreed on.
func (w *Conn) Compressed() bool { return w.deflate != nil }

// UserData is what the OnUpgrade function has answered, or SetUserData stored. Loop
// only.
func (w *Conn) UserData() any { return w.user }

// SetUserData stores what the program wants to remember with the connection. Loop only.
func (w *Conn) SetUserData(v any) { w.user = v }

// Hub is where the connection's topics are.
func (w *Conn) Hub() *Hub { return w.shard.protocol.hub }

// Buffered is the number of bytes accepted for sending that the system has not taken
// yet.
func (w *Conn) Buffered() int64 { return w.c.WriteBufferLength() }

// Execute runs f on the connection's loop; see weir.Connection.Execute.
func (w *Conn) Execute(f func()) error { return w.c.Execute(f) }

// Retain returns the bytes of data for good: what OnMessage was given is valid until
// it returns. Loop only.
func (w *Conn) Retain(data []byte) []byte { return slices.Clone(data) }

// PauseRead stops OnMessage for this connection after the current one, and reading
// from its peer, of which no pong is expected meanwhile. After Close it does nothing:
// there are no messages any more, and the peer's answer has to be read.
func (w *Conn) PauseRead() {
	if w.bits.Load()&bitClosing != 0 {
		return
	}
	w.bits.Or(bitPaused)
	w.followBits()
}

// ResumeRead undoes PauseRead, however often that was called.
func (w *Conn) ResumeRead() {
	before := w.bits.And(^bitPaused)
	w.followBits()
	if before&bitPaused != 0 && before&bitInflates != 0 {
		_ = w.c.Execute(w.resume) // an error means that it is ending
	}
}

// followBits has the connection read or not, as the bits say. Whoever changes them
// calls it then, and acts again if they have changed meanwhile: so the last one to act
// has acted on what they are. Any goroutine.
func (w *Conn) followBits() {
	for {
		held := w.bits.Load()&(bitPaused|bitInflates) != 0
		if held {
			w.c.PauseRead()
		} else {
			w.c.ResumeRead()
		}
		if held == (w.bits.Load()&(bitPaused|bitInflates) != 0) {
			return
		}
	}
}

func (w *Conn) has(flag uint8) bool { return w.flags&flag != 0 }

// rare returns w.more, made if need be.
func (w *Conn) rare() *more {
	if w.more == nil {
		w.more = new(more)
	}
	return w.more
}
