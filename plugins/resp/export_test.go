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

// Kept is how many arguments the decoder of c has room for, and whether it has any.
func Kept(c *weir.Connection) (room int, any bool) {
	d, ok := c.ProtocolState().(*decoder)
	if !ok {
		return 0, false
	}
	args := d.command.Args[:cap(d.command.Args)]
	return len(args), slices.ContainsFunc(args, func(arg []byte) bool { return arg != nil })
}
