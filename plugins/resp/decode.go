package resp

// ProtocolError is why a connection was closed (see [weir.Connection.Err]) whose
// peer does not keep to RESP or goes beyond a limit. The peer was sent the same
// words.
type ProtocolError string

func (e ProtocolError) Error() string { return "resp: " + string(e) }

// The errors of Redis. In front of each, the peer is sent "ERR ".
const (
	errArgs           ProtocolError = "Protocol error: invalid multibulk length"
	errBulk           ProtocolError = "Protocol error: invalid bulk length"
	errRestrictedArgs ProtocolError = "Protocol error: unauthenticated multibulk length"
	errRestrictedBulk ProtocolError = "Protocol error: unauthenticated bulk length"
	errLongArgs       ProtocolError = "Protocol error: too big mbulk count string"
	errLongBulk       ProtocolError = "Protocol error: too big bulk count string"
	errLongInline     ProtocolError = "Protocol error: too big inline request"
	errQuotes         ProtocolError = "Protocol error: unbalanced quotes in request"
)

// errHTTP has no words in Redis, which closes without any.
const errHTTP ProtocolError = "Protocol error: this is HTTP, not RESP"

func errNotBulk(kind byte) ProtocolError {
	return ProtocolError("Protocol error: expected '$', got '" + string([]byte{kind}) + "'")
}

// limits are those of a Protocol. Set once.
type limits struct {
	maxArgs, maxBulk, maxInline int
	shortArgs, shortBulk        uint // the same, or what one digit can say
}

func newLimits(c Config) limits {
	return limits{
		maxArgs: c.MaxArgs, maxBulk: c.MaxBulk, maxInline: c.MaxInline,
		shortArgs: uint(min(c.MaxArgs, 9)), shortBulk: uint(min(c.MaxBulk, 9)),
	}
}

// decoder cuts commands out of the stream of one connection.
type decoder struct {
	limits

	// loop only
	restricted bool
	command    Command // the last one
	used       int     // places in its Args that hold something, behind their end too
	words      []byte  // its arguments, if it is an inline one

	// loop only: how far the decoding of an incomplete command has come. That is
	// all that is remembered of it, since its bytes may move between two calls.
	at      int // behind its last complete argument, counted from its first byte
	missing int // complete arguments that it still needs; 0: none is incomplete
	scanned int // bytes behind at that have no end of line in them
}

// decode decodes the command that p begins with, and returns its length: 0 if not
// all of it is there. A command to be ignored has no arguments.
func (d *decoder) decode(p []byte) (n int, err ProtocolError) {
	if p[0] != '*' {
		return d.inline(p)
	}
	if d.missing > 0 {
		if whole, err := d.resume(p); !whole {
			return 0, err
		}
	}
	return d.array(p) // only now it has its final place
}

// resume goes on with an array that was incomplete, and reports whether it is all
// there. What it finds is not kept: the arguments of an incomplete command take no
// memory but their bytes.
func (d *decoder) resume(p []byte) (whole bool, err ProtocolError) {
	for ; d.missing > 0; d.missing-- {
		start, size, err := d.bulk(p, d.at)
		if start == 0 {
			return false, err
		}
		d.scanned = 0
		if len(p)-start < size+2 {
			return false, ""
		}
		d.at = start + size + 2
	}
	return true, ""
}

// array is decode for an array of bulk strings.
func (d *decoder) array(p []byte) (n int, err ProtocolError) {
	at, missing := len("*1\r\n"), oneDigit(p, '*')
	if uint(missing) > d.shortArgs {
		if at, missing, err = d.count(p); at == 0 {
			return 0, err
		}
	}
	d.scanned = 0
	args := d.command.Args[:0]
	for ; missing > 0; missing-- {
		start, size := at+len("$1\r\n"), oneDigit(p[at:], '$')
		if uint(size) > d.shortBulk {
			if start, size, err = d.bulk(p, at); start == 0 {
				d.suspend(at, missing, args)
				return 0, err
			}
		}
		d.scanned = 0
		if len(p)-start < size+2 {
			d.suspend(at, missing, args)
			return 0, ""
		}
		end := start + size
		args = append(args, p[start:end:end])
		at = end + 2
	}
	d.found(args)
	return at, ""
}

// suspend notes how far array has come. It begins again when all is there.
func (d *decoder) suspend(at, missing int, args [][]byte) {
	d.found(args)
	d.at, d.missing = at, missing
}

func (d *decoder) found(args [][]byte) {
	d.command.Args = args
	d.used = max(d.used, len(args))
}

// count reads the number of arguments.
func (d *decoder) count(p []byte) (next, n int, err ProtocolError) {
	if next, n = shortLength(p, '*'); next > 0 && n <= d.maxArgs && !d.restricted {
		return next, n, ""
	}
	end := d.lineEnd(p, '\r')
	switch {
	case end == tooLong:
		return 0, 0, errLongArgs
	case end == incomplete || end+1 == len(p):
		return 0, 0, ""
	}
	n, ok := parseLength(p[1:end])
	switch {
	case !ok || n > d.maxArgs:
		return 0, 0, errArgs
	case d.restricted && n > restrictedArgs:
		return 0, 0, errRestrictedArgs
	}
	return end + 2, n, ""
}

// bulk reads the length of the argument that begins at p[at].
func (d *decoder) bulk(p []byte, at int) (next, n int, err ProtocolError) {
	p = p[at:]
	if next, n = shortLength(p, '$'); next > 0 && n <= d.maxBulk {
		return at + next, n, ""
	}
	end := d.lineEnd(p, '\r')
	switch {
	case end == tooLong:
		return 0, 0, errLongBulk
	case end == incomplete || end+1 == len(p):
		return 0, 0, ""
	case p[0] != '$':
		return 0, 0, errNotBulk(p[0])
	}
	n, ok := parseLength(p[1:end])
	switch {
	case !ok || n < 0 || n > d.maxBulk:
		return 0, 0, errBulk
	case d.restricted && n > restrictedBulk:
		return 0, 0, errRestrictedBulk
	}
	return at + end + 2, n, ""
}

// forget lets go of the buffers that arguments were in, and of memory that only
// rare commands need. It is called when no command is being served.
func (d *decoder) forget() {
	const keptArgs, keptWords = 1024, 4 << 10
	args := d.command.Args
	clear(args[:d.used])
	d.used = 0
	if cap(args) > keptArgs {
		d.command.Args = nil
	}
	if cap(d.words) > keptWords {
		d.words = nil
	}
}
