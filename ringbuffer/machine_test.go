package ringbuffer_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

// A machine runs operations, decoded from a script, on a ring and on its model: a bytes.Buffer and a virtual cursor. After
// each it checks the invariants, the content, the windows handed out so far, and that lent slices are untouched.
type machine struct {
	t       testing.TB
	script  []byte
	ring    ringbuffer.RingBuffer
	model   bytes.Buffer
	virtual int
	serial  byte // makes every written byte differ from its neighbours

	windows []held // that must still be valid
	lent    []held // the slices that the ring borrowed
}

// held is a slice and what it must show.
type held struct{ slice, want []byte }

func hold(p []byte) held { return held{p, bytes.Clone(p)} }

// ops are the operations; each takes its argument from the script.
var ops = []func(m *machine, n int){
	(*machine).write,
	(*machine).writeOther,
	(*machine).readFrom,
	(*machine).commit,
	(*machine).storage,
	(*machine).withData,
	(*machine).read,
	(*machine).retrieve,
	(*machine).take,
	(*machine).writeTo,
	(*machine).view,
	(*machine).peek,
	(*machine).index,
	(*machine).virtualRead,
	(*machine).virtualEnd,
}

// What a script may make of the ring: enough for several classes, little enough for many scripts.
const (
	maxOps     = 200
	maxContent = 8 << 10
	maxLent    = 8
)

func (m *machine) run() {
	for count := 0; len(m.script) > 0 && count < maxOps; count++ {
		op := int(m.next()) % len(ops)
		n := int(m.next())
		if n >= 128 { // mostly small, sometimes more than a class
			n = (n - 128) * 11
		}
		if m.ring.Length() > maxContent {
			m.take(0)
		}
		ops[op](m, n)
		m.check()
	}
	m.ring.Release()
	m.windows = nil
	scribble()
	m.checkHeld()
}

// next takes a byte from the script, 0 at its end.
func (m *machine) next() byte {
	if len(m.script) == 0 {
		return 0
	}
	b := m.script[0]
	m.script = m.script[1:]
	return b
}

// content returns n new bytes.
func (m *machine) content(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = m.serial
		m.serial += 3
	}
	return p
}

func (m *machine) expect(ok bool, what string, args ...any) {
	m.t.Helper()
	if !ok {
		m.t.Fatalf(what, args...)
	}
}

func (m *machine) check() {
	m.t.Helper()
	mustContain(m.t, &m.ring, m.model.Bytes())
	m.expect(m.ring.VirtualLength() == m.model.Len()-m.virtual, "VirtualLength = %d, want %d-%d",
		m.ring.VirtualLength(), m.model.Len(), m.virtual)
	checkNumbers(m.t, &m.ring, m.model.Bytes())
	m.checkHeld()
}

func (m *machine) checkHeld() {
	m.t.Helper()
	for _, h := range slices.Concat(m.windows, m.lent) {
		m.expect(bytes.Equal(h.slice, h.want), "a slice of %d bytes changed", len(h.want))
	}
}

// written is told of bytes that were added: earlier windows end.
func (m *machine) written(p []byte) {
	m.model.Write(p)
	m.windows = nil
}

// taken is told of a taking of n bytes.
func (m *machine) taken(n int) {
	m.model.Next(n)
	if n > 0 {
		m.virtual = 0
	}
}

func (m *machine) write(n int) {
	p := m.content(n)
	if n%5 == 4 { // a window into the ring itself
		p = m.ring.View(min(n, m.ring.Length()))
	}
	want := bytes.Clone(p)
	k, err := m.ring.Write(p)
	m.expect(k == len(want) && err == nil, "Write = %d, %v", k, err)
	m.written(want)
}

func (m *machine) writeOther(n int) {
	p := m.content(n)
	if n%2 == 0 {
		k, err := m.ring.WriteString(string(p))
		m.expect(k == n && err == nil, "WriteString = %d, %v", k, err)
	} else {
		for _, c := range p {
			m.expect(m.ring.WriteByte(c) == nil, "WriteByte failed")
		}
	}
	m.written(p)
}

func (m *machine) readFrom(n int) {
	p := m.content(n)
	k, err := m.ring.ReadFrom(bytes.NewReader(p))
	m.expect(k == int64(n) && err == nil, "ReadFrom = %d, %v", k, err)
	m.written(p)
}

func (m *machine) commit(n int) {
	if n%2 == 0 {
		m.ring.Grow(n)
		room := m.ring.Capacity() - m.ring.Length()
		m.expect(n == 0 || room >= n, "room for %d after Grow(%d)", room, n)
	}
	p := m.content(min(n, len(m.ring.Free())))
	copy(m.ring.Free(), p)
	m.ring.Commit(len(p))
	m.written(p)
}

// storage changes it, and in half of the cases drops the content.
func (m *machine) storage(n int) {
	switch n % 4 {
	case 0:
		m.ring.Release()
		m.model.Reset()
		m.virtual = 0
		m.expect(m.ring.Capacity() == 0, "Capacity = %d after Release", m.ring.Capacity())
	case 1:
		m.ring.Shrink()
	default:
		m.ring.Grow(n)
	}
	m.windows = nil
}

func (m *machine) withData(n int) {
	p := m.content(n)
	m.lent = append(m.lent[:min(len(m.lent), maxLent-1)], hold(p))
	m.ring.WithData(p)
	m.model.Reset()
	m.virtual = 0
	m.written(p)
}

func (m *machine) read(n int) {
	got := make([]byte, n)
	k, err := m.ring.Read(got)
	want := m.model.Bytes()[:min(n, m.model.Len())]
	m.expect(bytes.Equal(got[:k], want), "Read = %.20q, want %.20q", got[:k], want)
	m.expect(errors.Is(err, ringbuffer.ErrIsEmpty) == (n > 0 && k == 0), "Read = %d, %v", k, err)
	m.taken(k)
}

func (m *machine) retrieve(n int) {
	m.ring.Retrieve(n - 1)
	m.taken(min(max(n-1, 0), m.model.Len()))
}

func (m *machine) take(n int) {
	switch n % 4 {
	case 0:
		m.ring.RetrieveAll()
		m.taken(m.model.Len())
	case 1:
		m.ring.Reset()
		m.taken(m.model.Len())
	case 2:
		got, err := m.ring.ReadByte()
		want, wantErr := m.model.ReadByte()
		m.expect(got == want && (err == nil) == (wantErr == nil), "ReadByte = %d, %v, want %d", got, err, want)
		if err == nil {
			m.virtual = 0
		}
	default:
		k, err := m.ring.Discard(n - 3)
		m.expect(k == min(n-3, m.model.Len()) && (err != nil) == (k < n-3), "Discard(%d) = %d, %v", n-3, k, err)
		m.taken(k)
		_, err = m.ring.Discard(-n)
		m.expect(errors.Is(err, bufio.ErrNegativeCount), "Discard(%d): %v", -n, err)
	}
}

func (m *machine) writeTo(n int) {
	var got bytes.Buffer
	limit := io.Writer(&got)
	if n%2 == 0 { // takes n bytes and then fails
		limit = writerFunc(func(p []byte) (int, error) {
			k, _ := got.Write(p[:min(len(p), n-got.Len())])
			if k < len(p) {
				return k, io.ErrClosedPipe
			}
			return k, nil
		})
	}
	want := bytes.Clone(m.model.Bytes())
	if n%2 == 0 {
		want = want[:min(n, len(want))]
	}
	k, err := m.ring.WriteTo(limit)
	m.expect(k == int64(len(want)) && bytes.Equal(got.Bytes(), want), "WriteTo = %d, want %d", k, len(want))
	m.expect((err != nil) == (len(want) < m.model.Len()), "WriteTo of %d: %v", m.model.Len(), err)
	m.taken(len(want))
}

func (m *machine) view(n int) {
	v := m.ring.View(n)
	if n > m.model.Len() {
		m.expect(v == nil, "View(%d) of %d", n, m.model.Len())
		return
	}
	m.expect(v != nil && bytes.Equal(v, m.model.Bytes()[:n]), "View(%d) = %.20q", n, v)
	m.windows = append(m.windows, hold(v))
}

func (m *machine) peek(n int) {
	first, end := m.ring.Peek(n)
	want := m.model.Bytes()[:min(n, m.model.Len())]
	m.expect(bytes.Equal(append(bytes.Clone(first), end...), want), "Peek(%d) = %.20q, %.20q", n, first, end)
	allFirst, allEnd := m.ring.PeekAll()
	m.windows = append(m.windows, hold(first), hold(end), hold(allFirst), hold(allEnd))
	scribble()
}

func (m *machine) index(n int) {
	p := m.model.Bytes()
	at := min(n, len(p))
	sep := p[at:min(at+int(m.next())%20, len(p))]
	from := int(m.next()) - 1
	got, want := m.ring.IndexFrom(sep, from), indexFrom(p, sep, from)
	m.expect(got == want, "IndexFrom(%q, %d) = %d, want %d", sep, from, got, want)
	m.expect(m.ring.Index(sep) == bytes.Index(p, sep), "Index(%q) = %d", sep, m.ring.Index(sep))
}

func (m *machine) virtualRead(n int) {
	got := make([]byte, n)
	k, err := m.ring.VirtualRead(got)
	rest := m.model.Bytes()[m.virtual:]
	m.expect(bytes.Equal(got[:k], rest[:min(n, len(rest))]), "VirtualRead(%d) = %.20q", n, got[:k])
	m.expect(errors.Is(err, ringbuffer.ErrIsEmpty) == (n > 0 && k == 0), "VirtualRead = %d, %v", k, err)
	m.virtual += k
}

func (m *machine) virtualEnd(n int) {
	if n%2 == 0 {
		m.ring.VirtualFlush()
		m.taken(m.virtual)
		return
	}
	m.ring.VirtualRevert()
	m.virtual = 0
}
