package resp

import (
	"slices"

	"github.com/go-weir/weir"
)

// Decoder decodes commands without a connection.
type Decoder struct{ d decoder }

// NewDecoder returns a Decoder with the limits of p.
func NewDecoder(p *Protocol) *Decoder { return &Decoder{decoder{limits: p.limits}} }

// Decode is the decoder's decode, with the arguments that it has found.
func (d *Decoder) Decode(p []byte) (args [][]byte, n int, err ProtocolError) {
	n, err = d.d.decode(p)
	return d.d.command.Args, n, err
}

// At is how many bytes of an incomplete command are known to be arguments.
func (d *Decoder) At() int { return d.d.at }

// Kept is for how many arguments, and for how many bytes of inline ones, the decoder of c
// has room, and whether it holds on to any. Between two commands it is the one that the
// next connection gets.
func Kept(p *Protocol, c *weir.Connection) (args, bytes int, some bool) {
	d, ok := c.ProtocolState().(*decoder)
	if !ok {
		d = p.decoder()
		defer p.decoders.Put(d)
	}
	all := d.command.Args[:cap(d.command.Args)]
	return len(all), cap(d.words), slices.ContainsFunc(all, func(arg []byte) bool { return arg != nil })
}
