package codec_test

import (
	"bytes"
	"errors"
	"testing"
	"unsafe"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// next is one call of Next that has to return a message of the kind.
func next(t *testing.T, d *codec.Decoder, p []byte, k codec.Kind) (m codec.Message, rest []byte) {
	t.Helper()
	m, n, err := d.Next(p)
	if err != nil || m.Kind != k {
		t.Fatalf("%v %q, %v, not %v", m.Kind, m.Data, err, k)
	}
	return m, p[n:]
}

func masked(k codec.Kind, f codec.Flags, payload string) []byte {
	return codec.AppendMasked(nil, k, f, testKey, []byte(payload))
}

func TestDecoderIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(codec.Decoder{}); n > 64 {
		t.Errorf("a Decoder has %d bytes", n)
	}
}

// TestInPlace: a message that is whole is where it came, and appending to it does not
// overwrite what follows.
func TestInPlace(t *testing.T) {
	d := newDecoder(t, codec.Config{}, false)
	p := append(masked(codec.Text, 0, "one"), masked(codec.Ping, 0, "two")...)
	p = append(p, masked(codec.Binary, 0, "three")...)
	rest := p
	for i, k := range []codec.Kind{codec.Text, codec.Ping, codec.Binary} {
		at := len(p) - len(rest) + 6
		var m codec.Message
		m, rest = next(t, d, rest, k)
		if &m.Data[0] != &p[at] || cap(m.Data) != len(m.Data) {
			t.Errorf("message %d is not at %d, or has capacity %d", i, at, cap(m.Data))
		}
	}
	next(t, d, rest, 0)
}

// TestClientRole: a server does not mask, and what it sends is checked like the rest.
func TestClientRole(t *testing.T) {
	d := newDecoder(t, codec.Config{Client: true}, false)
	p := codec.AppendFrame(nil, codec.Text, codec.More, []byte("Hel"))
	p = codec.AppendFrame(p, codec.Ping, 0, []byte("?"))
	p = codec.AppendFrame(p, codec.Continuation, 0, []byte("lo"))
	for i := range p {
		m, _, err := d.Next(p[i : i+1 : i+1])
		if err != nil || (m.Kind == codec.Text) != (i == len(p)-1) || m.Kind == codec.Text && string(m.Data) != "Hello" {
			t.Fatalf("byte %d: %v %q, %v", i, m.Kind, m.Data, err)
		}
	}
	if _, _, err := d.Next(masked(codec.Text, 0, "x")[:2]); !errors.Is(err, codec.ErrMasked) {
		t.Errorf("a masked frame: %v", err)
	}
}

// TestErrorStays: the error comes again whatever else is given, and Release after it is
// as good as without it.
func TestErrorStays(t *testing.T) {
	c := newCodec(t, codec.Config{})
	var d codec.Decoder
	d.Init(c, false)
	p := append(masked(codec.Text, codec.More, "begun"), 0xff, 0xff)
	_, _, err := d.Next(p)
	if !errors.Is(err, codec.ErrReservedBits) {
		t.Fatal(err)
	}
	if _, _, again := d.Next(masked(codec.Text, 0, "more")); !errors.Is(again, err) {
		t.Errorf("%v, then %v", err, again)
	}
	if _, _, again := d.Next(nil); !errors.Is(again, err) {
		t.Errorf("%v, then %v", err, again)
	}
	if n := c.Pinned(); n != 0 {
		t.Errorf("%d bytes are pinned", n)
	}
	d.Release()
}

// TestPinned: what an unfinished message takes is counted, grows with what came and not
// with what was announced, and is given back.
func TestPinned(t *testing.T) {
	c := newCodec(t, codec.Config{})
	var d codec.Decoder
	d.Init(c, false)
	p := codec.AppendMasked(nil, codec.Binary, 0, testKey, make([]byte, 1<<20))
	next(t, &d, p[:8], 0)
	if n := d.Pinned(); n != 0 {
		t.Errorf("%d bytes for a header", n)
	}
	next(t, &d, p[8:1000], 0)
	if n := d.Pinned(); n == 0 || n > 2048 || n != c.Pinned() {
		t.Errorf("%d bytes for one of 1000, of the codec %d", n, c.Pinned())
	}
	m, rest := next(t, &d, p[1000:], codec.Binary)
	if len(m.Data) != 1<<20 || c.Pinned() < 1<<20 {
		t.Errorf("%d bytes, %d pinned", len(m.Data), c.Pinned())
	}
	next(t, &d, rest, 0)
	if n := c.Pinned(); n != 0 {
		t.Errorf("%d bytes are pinned after the message", n)
	}
	next(t, &d, p[:5000], 0)
	d.Release()
	if n := c.Pinned(); n != 0 {
		t.Errorf("%d bytes are pinned after Release", n)
	}
}

// TestPinnedEnds: a message that will never be complete is given back by the call after
// the one that shows it, and not only by Release.
func TestPinnedEnds(t *testing.T) {
	c := newCodec(t, codec.Config{})
	for name, end := range map[string]func(d *codec.Decoder){
		"Close": func(d *codec.Decoder) {
			next(t, d, masked(codec.Close, 0, "\x03\xe8"), codec.Close)
			next(t, d, nil, 0)
		},
		"Close in pieces": func(d *codec.Decoder) {
			p := masked(codec.Close, 0, "\x03\xe8")
			next(t, d, p[:7], 0)
			next(t, d, p[7:], codec.Close)
			next(t, d, masked(codec.Text, 0, "discarded"), 0)
		},
		"error": func(d *codec.Decoder) {
			if _, _, err := d.Next(masked(codec.Text, 0, "x")); err == nil {
				t.Error("no error")
			}
		},
	} {
		var d codec.Decoder
		d.Init(c, false)
		next(t, &d, masked(codec.Binary, codec.More, string(make([]byte, 1000))), 0)
		if c.Pinned() == 0 || !d.Partial() {
			t.Errorf("%s: %d bytes are pinned of a message, partial %v", name, c.Pinned(), d.Partial())
		}
		if end(&d); c.Pinned() != 0 || d.Partial() {
			t.Errorf("%s: %d bytes are pinned, partial %v", name, c.Pinned(), d.Partial())
		}
	}
}

// TestPinnedSize: the last frame of a large message gets no more room than it announces.
func TestPinnedSize(t *testing.T) {
	for _, frames := range [][]int{{3 << 19}, {3 << 20}, {1 << 19, 1 << 20}, {5<<20 + 1}} {
		c := newCodec(t, codec.Config{})
		var d codec.Decoder
		d.Init(c, false)
		size, m := 0, codec.Message{}
		for i, n := range frames {
			f := codec.More
			if i == len(frames)-1 {
				f = 0
			}
			kind := codec.Binary
			if i > 0 {
				kind = codec.Continuation
			}
			size += n
			for p := masked(kind, f, string(make([]byte, n))); len(p) > 0; {
				var used int
				var err error
				if m, used, err = d.Next(p[:min(len(p), 64<<10)]); err != nil {
					t.Fatal(err)
				}
				p = p[used:]
			}
		}
		if m.Kind != codec.Binary || len(m.Data) != size || d.Pinned() != size {
			t.Errorf("%v: %v of %d bytes takes %d", frames, m.Kind, len(m.Data), d.Pinned())
		}
		if d.Done(); d.Pinned() != 0 || c.Pinned() != 0 {
			t.Errorf("%v: %d bytes are pinned behind it", frames, c.Pinned())
		}
		d.Release()
	}
}

// TestPartial: what has begun and is not complete.
func TestPartial(t *testing.T) {
	ping, text := masked(codec.Ping, 0, "ping"), masked(codec.Text, 0, "text")
	for _, tt := range []struct {
		name   string
		pieces [][]byte
		want   []bool
	}{
		{"message", [][]byte{text}, []bool{false}},
		{"message in pieces", [][]byte{text[:1], text[1:6], text[6:8], text[8:]}, []bool{true, true, true, false}},
		{"ping in pieces", [][]byte{ping[:1], ping[1:7], ping[7:]}, []bool{true, true, false}},
		{"fragments", [][]byte{masked(codec.Text, codec.More, "a"), ping, ping[:7], ping[7:], masked(0, 0, "b")}, []bool{true, true, true, true, false}},
		{"empty fragments", [][]byte{masked(codec.Text, codec.More, ""), masked(0, 0, "")}, []bool{true, false}},
		{"close", [][]byte{masked(codec.Close, 0, ""), text[:1]}, []bool{false, false}},
		{"error", [][]byte{text[:1], {0}}, []bool{true, false}},
	} {
		d := newDecoder(t, codec.Config{}, false)
		for i, p := range tt.pieces {
			for p = bytes.Clone(p); ; {
				m, n, err := d.Next(p)
				if err != nil || m.Kind == 0 {
					break
				}
				p = p[n:]
			}
			if d.Partial() != tt.want[i] {
				t.Errorf("%s, behind piece %d: %v", tt.name, i, d.Partial())
			}
		}
	}
}

// TestMark: each message has a mark of its own.
func TestMark(t *testing.T) {
	d := newDecoder(t, codec.Config{}, false)
	expect := func(now uint32, anew bool, mark uint32, bytes int, ok bool) {
		t.Helper()
		if m, n, have := d.Mark(now, anew); m != mark || n != bytes || have != ok {
			t.Errorf("mark %d, %d bytes, %v", m, n, have)
		}
	}
	expect(1, false, 0, 0, false)
	for range 2 {
		next(t, d, masked(codec.Text, codec.More, "one"), 0)
		expect(0, false, 0, 3, true)
		expect(2, false, 0, 3, true)
		next(t, d, masked(0, codec.More, "two"), 0)
		expect(3, false, 0, 6, true)
		expect(4, true, 4, 6, true)
		expect(5, false, 4, 6, true)
		next(t, d, masked(0, 0, "three"), codec.Text)
		expect(6, false, 0, 0, false)
		if d.Partial() {
			t.Error("a message that was returned is partial")
		}
		next(t, d, nil, 0)
		expect(7, true, 0, 0, false)
	}
}

// TestPinnedLimit: the connection that would go past it is closed, the others go on.
func TestPinnedLimit(t *testing.T) {
	c := newCodec(t, codec.Config{Limits: codec.Limits{Pinned: 8192}})
	var one, two codec.Decoder
	one.Init(c, false)
	two.Init(c, false)
	p := codec.AppendMasked(nil, codec.Binary, 0, testKey, bytes.Repeat([]byte{7}, 6000))
	next(t, &one, p[:4000], 0) // takes 4096
	q := bytes.Clone(p)
	next(t, &two, q[:4000], 0) // and that is all there is
	_, _, err := two.Next(q[4000:5000])
	if !errors.Is(err, codec.ErrTooMuchPending) {
		t.Fatalf("the second: %v", err)
	}
	m, _ := next(t, &one, p[4000:], codec.Binary) // 8192
	if !bytes.Equal(m.Data, bytes.Repeat([]byte{7}, 6000)) {
		t.Error("the first was disturbed")
	}
	one.Release()
	if n := c.Pinned(); n != 0 {
		t.Errorf("%d bytes are pinned", n)
	}
}

func TestMessageLimit(t *testing.T) {
	k := codec.Config{Limits: codec.Limits{Message: 10, Frames: 3}}
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"10 bytes", masked(codec.Text, 0, "0123456789"), nil},
		{"11 bytes", masked(codec.Text, 0, "0123456789a"), codec.ErrMessageTooBig},
		{"11 bytes, the header", masked(codec.Text, 0, "0123456789a")[:2], codec.ErrMessageTooBig},
		{"10 bytes in three", append(append(masked(codec.Text, codec.More, "01234"), masked(0, codec.More, "5678")...), masked(0, 0, "9")...), nil},
		{"5 and 6", append(masked(codec.Text, codec.More, "01234"), masked(0, 0, "56789a")...), codec.ErrMessageTooBig},
		{"four frames", append(append(append(masked(codec.Text, codec.More, ""), masked(0, codec.More, "")...), masked(0, codec.More, "")...), masked(0, 0, "")...), codec.ErrTooManyFrames},
		{"a ping is not limited", masked(codec.Ping, 0, "0123456789a"), nil},
	} {
		d := newDecoder(t, k, false)
		m, _, err := d.Next(tt.in)
		if tt.want == nil && (err != nil || m.Kind == 0) || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v", tt.name, m.Kind, err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for i, c := range []codec.Config{
		{Limits: codec.Limits{Message: -1}},
		{Limits: codec.Limits{Frames: -1}},
		{Limits: codec.Limits{Inflated: -1}},
		{Limits: codec.Limits{Pinned: -1}},
		{Deflate: &codec.Deflate{Level: 10}},
		{Deflate: &codec.Deflate{Level: -3}},
		{Deflate: &codec.Deflate{Threshold: -1}},
		{Deflate: &codec.Deflate{Memory: -1}},
	} {
		if _, err := codec.New(c); err == nil {
			t.Errorf("%d: no error for %+v", i, c)
		}
	}
	want := codec.Limits{Message: codec.DefaultMessage, Frames: 7, Inflated: codec.DefaultInflated, Pinned: codec.DefaultPinned}
	if got := newCodec(t, codec.Config{Limits: codec.Limits{Frames: 7}}).Limits(); got != want {
		t.Errorf("limits are %+v", got)
	}
}
