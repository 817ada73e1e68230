package protocoltest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/go-weir/weir"
)

const (
	// maxPositions is how many places of a stream are cut and wrapped one by
	// one. In a longer one they are chosen at random.
	maxPositions = 512
	// maxPieces is in how many pieces a stream comes. A longer one does not
	// come byte by byte.
	maxPieces = 4096
	// effort is about how many bytes may be moved while a stream is fed once:
	// what waits moves with every piece, and with every message.
	effort = 4 << 20
)

// bounded is most, or less for a stream of n bytes that is very long.
func bounded(most, n int) int { return max(min(most, effort/(n+1)), 16) }

// Check feeds stream to the protocol in all ways but the exhaustive ones, and
// returns an error if it isn't the same messages that come out, or the same
// end. Whether that is right, nobody has said: it is for streams at random.
func (x *Tester) Check(stream []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	want, err := x.feed(stream, plan{})
	if err != nil {
		return err
	}
	return x.compareAll(x.feed, stream, want, append(pieces(stream, 2), every(stream)))
}

// stream checks a Stream in every way.
func (x *Tester) stream(s Stream) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	want, err := x.feed(s.Bytes, plan{})
	switch {
	case err != nil:
		return err
	case want.err != nil && !errors.Is(want.err, weir.ErrConnectionClosed):
		return fmt.Errorf("in one piece: ended with %w", want.err)
	case s.Messages != nil:
		if err := x.same(s.Messages, want.messages); err != nil {
			return fmt.Errorf("in one piece: %w", err)
		}
	}
	single := every(s.Bytes)
	stepped, err := x.feed(s.Bytes, single)
	if err == nil {
		err = x.compare(want, stepped)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", single.name, err)
	}
	random := pieces(s.Bytes, 16)
	return errors.Join(
		x.compareAll(x.feed, s.Bytes, want, random),
		x.truncate(s.Bytes, want, stepped),
		x.wrap(s.Bytes, want),
		x.live(s.Bytes, want, append(random[:2:2], single)),
	)
}

// truncate stops at each place in the stream, where the protocol has to wait
// with the messages that are complete by then, and goes on from there, with that
// place at the end of the storage.
func (x *Tester) truncate(stream []byte, want, stepped outcome) error {
	for _, at := range positions(len(stream)) {
		n := step(len(stream))
		at = max(at/n, 1) * n // elsewhere stepped has not stopped
		p := wrapped(at)
		p.name = fmt.Sprintf("cut after %d bytes", at)
		p.cut = func(rest int) int {
			if rest == len(stream) {
				return at
			}
			return rest
		}
		got, err := x.feed(stream, p)
		if err == nil {
			err = x.compare(want, got)
		}
		if err == nil {
			err = x.same(stepped.by(at), got.by(at))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// by returns the messages that were there when n bytes had come.
func (o *outcome) by(n int) []Message {
	return o.messages[:o.counts[min(n, len(o.counts)-1)]]
}

// live compares what a server makes of the stream. It is only the bytes written
// that it may do otherwise: a handler's answer after Close is for the loop alone
// to send.
func (x *Tester) live(stream []byte, want outcome, plans []plan) error {
	got, err := x.serve(stream, plan{})
	want.written = got.written
	if err == nil {
		err = x.compare(want, got)
	}
	if err == nil {
		err = x.compareAll(x.serve, stream, want, plans)
	}
	if err != nil {
		return fmt.Errorf("by a server: %w", err)
	}
	return nil
}

// wrap feeds the stream in one piece, with each place of it at the end of the
// ring's storage.
func (x *Tester) wrap(stream []byte, want outcome) error {
	plans := []plan{wrapped(0)}
	for _, at := range positions(len(stream)) {
		plans = append(plans, wrapped(at))
	}
	return x.compareAll(x.feed, stream, want, plans)
}

// garbage checks that what must fail does.
func (x *Tester) garbage(g Garbage) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	want, err := x.feed(g.Bytes, plan{})
	switch {
	case err != nil:
		return err
	case want.err == nil:
		return fmt.Errorf("it is taken for %d messages: %s", len(want.messages), show(want.messages))
	case errors.Is(want.err, weir.ErrConnectionClosed):
		return errors.New("the connection is closed, but not with CloseWithError and a cause")
	case g.Err != nil && !errors.Is(want.err, g.Err):
		return fmt.Errorf("ended with %w, want %w", want.err, g.Err)
	}
	plans := append(pieces(g.Bytes, 8), every(g.Bytes), wrapped(len(g.Bytes)/2))
	return errors.Join(
		x.compareAll(x.feed, g.Bytes, want, plans),
		x.live(g.Bytes, want, plans[:2]),
	)
}

// compareAll returns the first difference, if there is any.
func (x *Tester) compareAll(feed func([]byte, plan) (outcome, error), stream []byte, want outcome, plans []plan) error {
	for _, p := range plans {
		got, err := feed(stream, p)
		if err == nil {
			err = x.compare(want, got)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// compare says how got differs from what came of the stream in one piece.
func (x *Tester) compare(want, got outcome) error {
	if (want.err == nil) != (got.err == nil) || errors.Is(want.err, weir.ErrConnectionClosed) != errors.Is(got.err, weir.ErrConnectionClosed) {
		return fmt.Errorf("the connection's end is %w, in one piece it was %w", orNone(got.err), orNone(want.err))
	}
	if err := x.same(want.messages, got.messages); err != nil {
		return err
	}
	if !bytes.Equal(want.written, got.written) {
		return fmt.Errorf("the peer was sent %s, in one piece it was %s", clip(got.written), clip(want.written))
	}
	return nil
}

var errNone = errors.New("none")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// same says how messages differ.
func (x *Tester) same(want, got []Message) error {
	if x.spec.Equal != nil {
		if !x.spec.Equal(want, got) {
			return fmt.Errorf("messages %s, want %s", show(got), show(want))
		}
		return nil
	}
	for i := range min(len(want), len(got)) {
		if !bytes.Equal(want[i].Payload, got[i].Payload) || !reflect.DeepEqual(want[i].Ctx, got[i].Ctx) {
			return fmt.Errorf("message %d is %s, want %s", i, show(got[i:i+1]), show(want[i:i+1]))
		}
	}
	if len(want) != len(got) {
		return fmt.Errorf("%d messages, want %d", len(got), len(want))
	}
	return nil
}

// every is byte by byte, with the bytes at the beginning of a ring.
func every(stream []byte) plan {
	size := step(len(stream))
	p := plan{name: "byte by byte", layout: func(int, int) int { return owned }, cut: func(int) int { return size }}
	if size > 1 {
		p.name = fmt.Sprintf("%d bytes at a time", size)
	}
	return p
}

// step is how many bytes of n come at a time, byte by byte.
func step(n int) int { return n/bounded(maxPieces, n) + 1 }

// wrapped has the end of the storage after at bytes of the stream.
func wrapped(at int) plan {
	return plan{
		name:   fmt.Sprintf("wrapped after %d bytes", at),
		layout: func(waiting, fed int) int { return max(at-(fed-waiting), owned) },
	}
}

// pieces are n plans that cut anywhere and lay the bytes out in any way: the
// same each time, so that what fails fails again.
func pieces(stream []byte, n int) []plan {
	plans := make([]plan, n)
	for i := range plans {
		r := rand.New(rand.NewPCG(uint64(i), uint64(len(stream))))
		size := 2 + 2*len(stream)/bounded(maxPieces, len(stream)) + r.IntN(1+len(stream)/(1+r.IntN(16)))
		plans[i] = plan{
			name:   fmt.Sprintf("random cuts %d", i),
			cut:    func(int) int { return r.IntN(size) },
			layout: func(waiting, _ int) int { return borrowed + r.IntN(waiting+1) },
		}
	}
	return plans
}

// positions are the places inside n bytes.
func positions(n int) []int {
	var at []int
	if n-1 <= bounded(maxPositions, n) {
		for i := 1; i < n; i++ {
			at = append(at, i)
		}
		return at
	}
	r := rand.New(rand.NewPCG(0, uint64(n)))
	for range bounded(maxPositions, n) {
		at = append(at, 1+r.IntN(n-1))
	}
	return at
}

func show(messages []Message) string {
	var b []byte
	for i, m := range messages {
		if i == 4 {
			return string(append(b, " …"...))
		}
		b = fmt.Appendf(b, "[ctx %#v, payload %s]", m.Ctx, clip(m.Payload))
	}
	return string(b)
}

func clip(p []byte) string {
	const most = 64
	if len(p) > most {
		return fmt.Sprintf("%q… (%d bytes)", p[:most], len(p))
	}
	return fmt.Sprintf("%q", p)
}
