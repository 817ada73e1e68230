// Package cases is a list of byte streams that a WebSocket client may send, each with
// what a server has to make of it. It covers the ground of the Autobahn test suite,
// whose numbers it uses, and what that leaves out (numbers that begin with x). The
// tests of the codec replay it in all pieces, those of the plugin through a server.
//
// It is made without the code that it tests: it has its own, simpler way to frame, to
// mask and to compress.
package cases

import "encoding/binary"

// Opcodes, and the bits of a first byte.
const (
	Continuation byte = 0
	Text         byte = 1
	Binary       byte = 2
	Close        byte = 8
	Ping         byte = 9
	Pong         byte = 10

	fin  byte = 0x80
	rsv1 byte = 0x40
)

// A Case is a stream, from the first byte after the handshake on.
type Case struct {
	ID   string // unique
	Name string
	// Offer is the value of Sec-WebSocket-Extensions in the handshake; empty: none. It
	// is one that every server with compression accepts, and In is made in accordance.
	Offer string
	In    []byte
	// Events are the messages that come out, in their order.
	Events []Event
	// Fails is the code with which the server has to fail the connection after the
	// Events, or 0: it stays open, or was closed by the last event.
	Fails uint16
	// Large says that the stream is too long to try all that can be tried with the rest.
	Large bool
}

// An Event is one message, or a control frame. The data of a Close is its payload.
type Event struct {
	Kind byte
	Data []byte
}

// Replies are what an echo server sends back: messages as they came, a Pong for each
// Ping, a Close with the same code for a Close, and one with Fails, whose reason is not
// given, at the end of a case that fails. Nothing comes after a Close.
func (c Case) Replies() []Event {
	var out []Event
	for _, e := range c.Events {
		switch e.Kind {
		case Text, Binary:
			out = append(out, e)
		case Ping:
			out = append(out, Event{Pong, e.Data})
		case Close:
			return append(out, Event{Close, e.Data[:min(len(e.Data), 2)]})
		}
	}
	if c.Fails != 0 {
		out = append(out, Event{Close, binary.BigEndian.AppendUint16(nil, c.Fails)})
	}
	return out
}

// All returns every case.
func All() []Case {
	var all []Case
	for _, group := range []func() []Case{
		framing, pings, reserved, opcodes, fragmentation, text, closing, limits, compression, extra, extraDeflate,
	} {
		all = append(all, group()...)
	}
	return all
}

var key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// frame is a whole frame of a client.
func frame(first byte, payload []byte) []byte {
	return masked(header(first, 0x80, len(payload)), payload)
}

// header has the length in its shortest form.
func header(first, mask byte, n int) []byte {
	switch {
	case n < 126:
		return []byte{first, mask | byte(n)}
	case n < 1<<16:
		return []byte{first, mask | 126, byte(n >> 8), byte(n)}
	}
	return binary.BigEndian.AppendUint64([]byte{first, mask | 127}, uint64(n))
}

// masked completes a header that has no key yet.
func masked(head, payload []byte) []byte {
	out := append(head, key[:]...)
	for i, b := range payload {
		out = append(out, b^key[i%4])
	}
	return out
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// message is a case of one message.
func message(id, name string, kind byte, payload []byte) Case {
	return Case{ID: id, Name: name, In: frame(fin|kind, payload), Events: []Event{{kind, payload}}}
}

// fragments cuts a message into frames of at most size bytes.
func fragments(kind byte, payload []byte, size int) []byte {
	var out []byte
	for len(payload) > size {
		out = append(out, frame(kind, payload[:size])...)
		kind, payload = Continuation, payload[size:]
	}
	return append(out, frame(fin|kind, payload)...)
}

// filler is n bytes that are not all the same; of ASCII, with text.
func filler(n int, text bool) []byte {
	p := make([]byte, n)
	for i := range p {
		if p[i] = byte(i*7 + i>>8); text {
			p[i] = ' ' + p[i]%95
		}
	}
	return p
}
