package weir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// dialect is a framing protocol, and how the server answers in it. A
// connection's first byte names it.
type dialect byte

func (d dialect) width() int { return [...]int{1, 2, 4, 4}[d&3] }

func (d dialect) order() interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if d>>2&1 == 0 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// strict: a length over the limit is an error at once, and not only when too
// many bytes have come.
func (d dialect) strict() bool { return d>>3&1 == 0 }

// The ways to answer.
const (
	answerReturn = iota
	answerWrite
	answerWritePacket
	answerSend
	answerExecute
	answers
)

func (d dialect) answer() int { return int(d>>4) % answers }

// longest is the longest message in d.
func (d dialect) longest() int {
	return int(min(int64(1)<<(8*d.width())-1, int64(fuzzMessageSize-d.width())))
}

func (d dialect) appendLength(dst []byte, n int) []byte {
	switch d.width() {
	case 1:
		return append(dst, byte(n))
	case 2:
		return d.order().AppendUint16(dst, uint16(n))
	}
	return d.order().AppendUint32(dst, uint32(n))
}

func (d dialect) append(dst, message []byte) []byte {
	return append(d.appendLength(dst, len(message)), message...)
}

// length is the length at the beginning of b, which has enough bytes.
func (d dialect) length(b *ringbuffer.RingBuffer) int {
	p := b.View(d.width())
	switch d.width() {
	case 1:
		return int(b.PeekUint8())
	case 2:
		return int(d.order().Uint16(p))
	}
	return int(min(d.order().Uint32(p), 1<<30)) // with what is in front of it still an int of 32 bits
}

const fuzzMessageSize = 90_000 // the server's MaxMessageSize

var errTooLong = errors.New("length over the limit")

// polyglot is a Protocol that speaks each connection's dialect.
type polyglot struct{}

func (polyglot) UnPacket(c *weir.Connection, b *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	d, ok := c.ProtocolState().(dialect)
	if !ok {
		first, err := b.ReadByte()
		if err != nil {
			return nil, nil
		}
		d = dialect(first)
		c.SetProtocolState(d)
	}
	if b.Length() < d.width() {
		return nil, nil
	}
	n := d.length(b)
	if n > d.longest() && d.strict() {
		c.CloseWithError(errTooLong)
		return nil, nil
	}
	frame := b.View(d.width() + n)
	if frame == nil {
		return nil, nil
	}
	b.Retrieve(len(frame))
	return n, frame[d.width():]
}

func (polyglot) Packet(c *weir.Connection, data any) []byte {
	return c.ProtocolState().(dialect).append(nil, data.([]byte))
}

// polyglotAppender is polyglot, and encodes in place.
type polyglotAppender struct{ polyglot }

func (polyglotAppender) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	return c.ProtocolState().(dialect).append(dst, data.([]byte))
}

// answerIn answers each message with itself. Errors would show at the peer.
func answerIn(c *weir.Connection, _ any, data []byte) any {
	d := c.ProtocolState().(dialect)
	switch d.answer() {
	case answerReturn:
		return data
	case answerWrite:
		_, _ = c.Write(d.append(nil, data))
	case answerWritePacket:
		_ = c.WritePacket(data)
	case answerSend:
		_ = c.Send(bytes.Clone(data))
	case answerExecute:
		data = bytes.Clone(data)
		_ = c.Execute(func() { _ = c.WritePacket(data) })
	}
	return nil
}

// stream is what a peer sends, as a script of bytes tells it.
type stream struct {
	dialect dialect
	script  []byte
	wire    []byte // what is sent
	replies []byte // what has to come back
	pieces  []int  // in which the wire is sent
	cause   error  // of the connection's end
}

func (s *stream) byte() int {
	if len(s.script) == 0 {
		return 0
	}
	b := s.script[0]
	s.script = s.script[1:]
	return int(b)
}

func newStream(d dialect, script []byte) *stream {
	s := &stream{dialect: d, script: script, wire: []byte{byte(d)}, cause: io.EOF}
	filler := pattern(fuzzMessageSize)
	messages := 1 << 20
	if d.answer() == answerExecute {
		messages = 500 // what a loop runs in one cycle: the end of the stream, in the next, cuts off the others
	}
	for ; messages > 0 && len(s.script) > 0 && len(s.wire) < 300_000 && errors.Is(s.cause, io.EOF); messages-- {
		switch op := s.byte(); op % 16 {
		case 15:
			s.tooLong(filler)
		case 14:
			s.wire = d.appendLength(s.wire, d.longest())
			s.wire = append(s.wire, filler[:min(s.byte(), d.longest()-1)]...) // not all of it
			return s.cut()
		default:
			n := s.byte()
			if op%16 > 11 {
				n = n<<8 | s.byte()
			}
			message := filler[op : op+min(n, d.longest(), len(filler)-op)]
			s.wire = d.append(s.wire, message)
			s.replies = d.append(s.replies, message)
		}
	}
	return s.cut()
}

// tooLong ends the stream with a message that is longer than allowed. Narrow
// lengths have none. Nor is there one where it would cut off answers: functions
// given to Execute don't run after a Close.
func (s *stream) tooLong(filler []byte) {
	if s.dialect.width() < 4 || s.dialect.answer() == answerExecute {
		return
	}
	if s.dialect.strict() {
		s.cause = errTooLong
		s.wire = s.dialect.appendLength(s.wire, s.dialect.longest()+1)
		return
	}
	s.cause = weir.ErrMessageTooLarge // which is for messages that are not complete
	s.wire = s.dialect.appendLength(s.wire, len(filler)+1)
	s.wire = append(s.wire, filler...)
}

// cut chooses the pieces. What is left of the script does, over and over.
func (s *stream) cut() *stream {
	sizes := []int{1, 2, 3, 100, 1000, 16 << 10, 64 << 10, 1 << 20}
	choices := append(slices.Clone(s.wire[:min(len(s.wire), 7)]), s.script...)
	for left := len(s.wire); left > 0; {
		n := len(s.pieces)
		size := sizes[int(choices[n%len(choices)])%len(sizes)]
		if n > 200 {
			size = len(s.wire)
		}
		size = min(size, left)
		s.pieces = append(s.pieces, size)
		left -= size
	}
	return s
}

// send writes the stream in its pieces.
func (s *stream) send(c *net.TCPConn) error {
	wire := s.wire
	for _, n := range s.pieces {
		if _, err := c.Write(wire[:n]); err != nil {
			return err
		}
		wire = wire[n:]
	}
	return c.CloseWrite()
}

// FuzzServer: whatever the framing, the messages and the pieces in which they
// arrive, each is answered with just the right bytes, in order; and what can't
// be a message ends the connection for the right reason.
func FuzzServer(f *testing.F) {
	type target struct {
		addr  string
		ended chan *weir.Connection
	}
	var targets []target
	for _, protocol := range []weir.Protocol{polyglot{}, polyglotAppender{}} {
		for _, high := range []int{1 << 10, 1 << 20} {
			ended := make(chan *weir.Connection, 1024) // a failure may leave some
			s := start(f, &handler{message: answerIn, close: func(c *weir.Connection) { ended <- c }},
				weir.CustomProtocol(protocol), weir.MaxMessageSize(fuzzMessageSize), weir.WriteBufferMarks(high/4, high))
			targets = append(targets, target{s.Addrs()[0].String(), ended})
		}
	}
	for d := range dialect(answers << 4) {
		f.Add(byte(d), byte(d), []byte{1, 0, 2, 1, 13, 200, 77, 3, 30, 12, 3, 3, 15 - byte(d>>4&1), 40, 0, 1, 2, 3, 4, 5, 6})
	}
	f.Fuzz(func(t *testing.T, which, d byte, script []byte) {
		to := targets[int(which)%len(targets)]
		for len(to.ended) > 0 {
			<-to.ended // of an input that failed
		}
		s := newStream(dialect(d), script)
		conn, err := net.Dial("tcp", to.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() { sent <- s.send(conn.(*net.TCPConn)) }()
		got := make([]byte, len(s.replies))
		n, err := io.ReadFull(conn, got)
		if at := mismatch(got[:n], s.replies); err != nil || at < n {
			t.Fatalf("read %d bytes of %d, wrong from byte %d on, %v", n, len(got), at, err)
		}
		if rest, err := io.ReadAll(conn); len(rest) > 0 || err != nil && (s.cause == io.EOF || !errors.Is(err, syscall.ECONNRESET)) { //nolint:errorlint // of a table
			t.Fatalf("%d bytes too many, %v", len(rest), err)
		}
		if err := receive(t, sent); err != nil && s.cause == io.EOF { //nolint:errorlint // of a table
			t.Fatal(err)
		}
		if c := receive(t, to.ended); !errors.Is(c.Err(), s.cause) {
			t.Fatalf("ended with %v, want %v", c.Err(), s.cause)
		}
	})
}

// mismatch is where a and b differ first, or the length of the shorter one.
func mismatch(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
