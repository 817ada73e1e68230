package codec

import (
	"compress/flate"
	"fmt"
	"sync"
	"sync/atomic"
)

// Deflate is how permessage-deflate is to be used. Its zero value is a good choice.
type Deflate struct {
	// Level is that of compress/flate, 1 to 9, or -1 for its default, or
	// flate.HuffmanOnly. 0 means 1 where messages are compressed by themselves, because
	// the others begin with clearing 640 KiB of tables, and 3 where there is a context,
	// which 1 does not use in messages of less than 128 bytes.
	Level int
	// Threshold is how many bytes a message must have to be compressed. 0 means 512 where
	// messages are compressed by themselves, and 64 where there is a context; 1 is all.
	Threshold int
	// Takeover keeps the context of what we send from one message to the next, unless
	// the peer forbids it or wants a window of less than 32 KiB. Messages that resemble
	// each other shrink by much more. It costs nearly a megabyte for each connection,
	// so it is off by default; then every message is compressed by itself.
	Takeover bool
	// NoPeerTakeover asks every peer to compress each message by itself, which saves
	// up to 32 KiB for each connection. Otherwise peers do as they have offered.
	NoPeerTakeover bool
	// Memory is how many bytes the contexts of all connections of the Codec may take
	// together: the default for 0 is 64 MiB. When the next ones would not fit, new
	// connections compress each message by itself: the answer to a peer forbids its
	// context, or ours, or both.
	Memory int
}

// DefaultMemory is the default of Deflate.Memory.
const DefaultMemory = 64 << 20

// deflate is what the connections of a Codec share for their compression. Any goroutine
// may use it.
type deflate struct {
	Deflate  // set once
	memory   budget
	declined atomic.Uint64                                            // contexts, because of the memory
	writers  [flate.BestCompression - flate.HuffmanOnly + 1]sync.Pool // *writer, by level
	readers  sync.Pool                                                // *reader
}

func newDeflate(d Deflate) (*deflate, error) {
	if d.Level < flate.HuffmanOnly || d.Level > flate.BestCompression {
		return nil, fmt.Errorf("websocket: compression level %d is not one of compress/flate", d.Level)
	}
	if d.Threshold < 0 || d.Memory < 0 {
		return nil, fmt.Errorf("websocket: compression threshold %d or memory %d is less than zero", d.Threshold, d.Memory)
	}
	if d.Memory == 0 {
		d.Memory = DefaultMemory
	}
	made := &deflate{Deflate: d}
	made.memory.limit = int64(d.Memory)
	return made, nil
}

// level is that of compress/flate for what we send, with or without a context.
func (d *deflate) level(takeover bool) int {
	switch {
	case d.Level != 0:
		return d.Level
	case takeover:
		return 3
	}
	return flate.BestSpeed
}

// threshold is how long messages have to be, with or without a context.
func (d *deflate) threshold(takeover bool) int {
	switch {
	case d.Threshold != 0:
		return d.Threshold
	case takeover:
		return 64
	}
	return 512
}

// What the context of what we send takes, as Go 1.26 allocates a flate.Writer, for
// level 1 and for the others.
const (
	fastCost   = 1284 << 10
	writerCost = 900 << 10
)

// cost is how many bytes the contexts of a connection with these parameters take.
func (c *Codec) cost(p Params) (n int) {
	if sends, _ := c.sends(p); sends {
		if n = writerCost; c.deflate.level(true) == flate.BestSpeed {
			n = fastCost
		}
	}
	if receives, bits := c.receives(p); receives {
		n += 1 << bits
	}
	return n
}

// sends reports whether what we send has a context, and the size of its window. As
// compress/flate can't be told to keep to a smaller window, a context needs the full one.
func (c *Codec) sends(p Params) (takeover bool, bits uint8) {
	not, bits := p.ServerNoTakeover, p.ServerBits
	if c.client {
		not, bits = p.ClientNoTakeover, p.ClientBits
	}
	return c.deflate.Takeover && !not && bits == maxBits, bits
}

// receives is the same of what we receive.
func (c *Codec) receives(p Params) (takeover bool, bits uint8) {
	if c.client {
		return !p.ServerNoTakeover, p.ServerBits
	}
	return !p.ClientNoTakeover, p.ClientBits
}
