package resp

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
