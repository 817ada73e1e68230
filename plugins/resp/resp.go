// Package resp is a [weir.Protocol] for RESP, the protocol of Redis, on the
// server's side: commands are received, replies are appended.
//
//	func (h *handler) OnMessage(c *weir.Connection, ctx any, _ []byte) any {
//		if cmd, ok := ctx.(*resp.Command); ok { // it isn't one after Wake
//			scratch := c.UserBuffer()
//			*scratch = h.appendReply((*scratch)[:0], cmd.Args)
//			_, _ = c.Write(*scratch)
//		}
//		return nil
//	}
//
// Commands come as arrays of bulk strings, as client libraries send them, or
// inline, as somebody with telnet does; one by one, or many at once. Neither to
// decode them nor to append replies takes an allocation. A command that comes in
// many pieces is not gone through again with each of them: how far the decoder has
// got is kept in the connection's ProtocolState.
//
// # Versions
//
// A client speaks RESP2 until it has asked for RESP3, with the HELLO command. Its
// commands are the same in both, and so are the replies that the functions of this
// package append. The kinds of reply that RESP3 has brought are methods of
// [Version], which the program remembers for each client.
//
// # Errors and limits
//
// What Redis refuses is refused, in the words of Redis: the client is sent the
// error, and its connection is closed with a [ProtocolError] as the cause. What
// Redis does not look at isn't looked at here either: the two bytes after an
// argument, and the one after the carriage return of a length.
//
// The inline commands POST and Host: are refused, too. By these Redis knows a browser
// that a web page has made send commands to a server which only the browser can reach.
package resp

import (
	"fmt"
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// The limits of a Config that has none.
const (
	DefaultMaxArgs   = 1 << 20
	DefaultMaxBulk   = 8 << 20
	DefaultMaxInline = 64 << 10
)

// What a connection may send while it is restricted.
const (
	restrictedArgs = 10
	restrictedBulk = 16 << 10
)

// Config is what a command may have at most. The server's MaxMessageSize bounds
// a command with all its arguments.
type Config struct {
	// MaxArgs is how many arguments, with the name; 0: DefaultMaxArgs.
	MaxArgs int

	// MaxBulk is how many bytes in an argument; 0: DefaultMaxBulk. That is less
	// than the 512 MiB of Redis, and half of the server's default MaxMessageSize.
	MaxBulk int

	// MaxInline is how many bytes in an inline command, or in the line that says
	// how long an argument is; 0: DefaultMaxInline.
	MaxInline int
}

// Protocol cuts a stream into commands. The ctx of each is a *[Command], the
// payload its bytes as they were sent. What is sent is a []byte or a string that
// is RESP already. It can be used by any number of servers. The zero value has the
// limits of a Config that has none.
type Protocol struct {
	// set once
	limits limits // the zero value: those of a Config that has none

	// any goroutine
	decoders sync.Pool // of *decoder, that wait for nothing
}

var _ weir.Protocol = (*Protocol)(nil)

// Command is one command. It is valid until OnMessage returns.
type Command struct {
	// Args are the name, as the client has written it, and the arguments; at
	// least the name. They are windows into what was received: what is to be
	// kept must be copied.
	Args [][]byte
}

// largest is what a limit can be: all lengths up to it are an int on any machine.
const largest = 1 << 30

// New returns the Protocol with those limits, or an error if one is invalid.
func New(c Config) (*Protocol, error) {
	for _, limit := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"MaxArgs", &c.MaxArgs, DefaultMaxArgs},
		{"MaxBulk", &c.MaxBulk, DefaultMaxBulk},
		{"MaxInline", &c.MaxInline, DefaultMaxInline},
	} {
		switch {
		case *limit.value < 0 || *limit.value > largest:
			return nil, fmt.Errorf("resp: %s is %d, must be between 1 and %d", limit.name, *limit.value, largest)
		case *limit.value == 0:
			*limit.value = limit.standard
		}
	}
	return &Protocol{limits: newLimits(c)}, nil
}

// UnPacket takes the next command off buffer.
func (p *Protocol) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	d, ok := c.ProtocolState().(*decoder)
	if !ok {
		d = p.decoder()
		c.SetProtocolState(d)
	}
	for !buffer.IsEmpty() {
		data, wrapped := buffer.PeekAll()
		if len(wrapped) > 0 {
			data = buffer.View(buffer.Length())
		}
		n, err := d.decode(data)
		if err != "" {
			_, _ = c.Write(AppendError(nil, "ERR "+string(err))) // whether or not it arrives
			c.AwaitPeer()                                        // which may be in the middle of sending
			c.CloseWithError(err)
			return nil, nil
		}
		if n == 0 {
			d.forget()
			return nil, nil
		}
		buffer.Retrieve(n)
		if len(d.command.Args) > 0 {
			return &d.command, data[:n:n]
		}
	}
	// The stream is between two commands. Most connections are, most of the time,
	// and share the decoders.
	if !d.restricted {
		c.SetProtocolState(nil)
		d.forget()
		p.decoders.Put(d)
	}
	return nil, nil
}

// decoder returns one for a stream that is between two commands.
func (p *Protocol) decoder() *decoder {
	if d, ok := p.decoders.Get().(*decoder); ok {
		return d
	}
	l := p.limits
	if l.maxArgs == 0 {
		l = newLimits(Config{DefaultMaxArgs, DefaultMaxBulk, DefaultMaxInline})
	}
	return &decoder{limits: l}
}

// Packet returns data as it is. Anything but a []byte or a string closes the
// connection with an error that names its type.
func (p *Protocol) Packet(c *weir.Connection, data any) []byte {
	switch data := data.(type) {
	case []byte:
		return data
	case string:
		return []byte(data)
	}
	c.CloseWithError(fmt.Errorf("resp: can't send a %T: give it a []byte or a string that is RESP already", data))
	return nil
}

// Restrict sets whether c may send only short commands, of at most 10 arguments
// of 16 KiB: what Redis grants those who have yet to authenticate, who then can't
// make it hold much. Loop only, in OnConnect or OnMessage.
func (p *Protocol) Restrict(c *weir.Connection, on bool) {
	d, ok := c.ProtocolState().(*decoder)
	if !ok && on {
		d = p.decoder()
		c.SetProtocolState(d)
	}
	if d != nil {
		d.restricted = on
	}
}
