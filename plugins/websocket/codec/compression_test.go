package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// lines are n bytes in which much comes again, near and far.
func lines(r *rand.Rand, n int) []byte {
	var p []byte
	for len(p) < n {
		p = fmt.Appendf(p, `{"id":%d,"user":"name%d","price":%d},`, r.IntN(1e6), r.IntN(50), r.IntN(1000))
	}
	return p[:n]
}

// link is one direction of a connection.
type link struct {
	send, receive *codec.Compression
	decoder       *codec.Decoder
	params        codec.Params
	client        bool // sends
}

// connect makes both ends of a connection, of which the sending one has the settings d.
func connect(tb testing.TB, d codec.Deflate, fromClient bool, offer string) *link {
	from := newCodec(tb, codec.Config{Client: fromClient, Deflate: &d})
	to := newCodec(tb, codec.Config{Client: !fromClient, Deflate: &codec.Deflate{}})
	p, answer, _ := to.Negotiate([]byte(offer))
	if !p.Agreed() {
		tb.Fatalf("%q is answered %q", offer, answer)
	}
	if _, err := from.Confirm([]byte(answer)); err != nil {
		tb.Fatal(err)
	}
	l := &link{send: from.NewCompression(p), receive: to.NewCompression(p), decoder: new(codec.Decoder), params: p, client: fromClient}
	l.decoder.Init(to, true)
	tb.Cleanup(func() {
		l.send.Release()
		l.receive.Release()
		if from.Memory() != 0 || to.Memory() != 0 {
			tb.Errorf("%d and %d bytes are still counted", from.Memory(), to.Memory())
		}
	})
	return l
}

// frame encodes a message behind what is there.
func (l *link) frame(dst []byte, k codec.Kind, p []byte) []byte {
	if l.client {
		return l.send.AppendMasked(dst, k, testKey, p)
	}
	return l.send.AppendFrame(dst, k, p)
}

// TestRoundTrip sends messages of many sizes with all kinds of parameters.
func TestRoundTrip(t *testing.T) {
	for _, takeover := range []bool{false, true} {
		for _, level := range []int{-2, -1, 0, 1, 2, 6, 9} {
			for _, offer := range []string{
				"permessage-deflate",
				"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
				"permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
				"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12; client_no_context_takeover",
			} {
				for _, client := range []bool{false, true} {
					l := connect(t, codec.Deflate{Level: level, Takeover: takeover, Threshold: 1}, client, offer)
					roundTrip(t, l, fmt.Sprintf("takeover %v, level %d, client %v, %s", takeover, level, client, offer))
				}
			}
		}
	}
}

func roundTrip(t *testing.T, l *link, name string) {
	r := rand.New(rand.NewPCG(5, 6))
	compressed := 0
	for i, n := range []int{0, 1, 2, 20, 125, 126, 300, 300, 4096, 70000, 20, 40000, 65535} {
		p := lines(r, n)
		if i%4 == 3 {
			for j := range p {
				p[j] = byte(r.Uint32()) // can't be compressed
			}
		}
		frame := l.frame([]byte("before"), codec.Binary, p)[6:]
		m, rest := next(t, l.decoder, frame, codec.Binary)
		if m.Compressed {
			compressed++
			dst, err := l.receive.Inflate([]byte("before"), m)
			if err != nil {
				t.Fatalf("%s: message %d: %v", name, i, err)
			}
			m.Data = dst[6:]
		}
		if !bytes.Equal(m.Data, p) || len(rest) != 0 {
			t.Fatalf("%s: message %d is not what was sent", name, i)
		}
		next(t, l.decoder, nil, 0)
	}
	if compressed < 6 {
		t.Errorf("%s: %d messages were compressed", name, compressed)
	}
}

// TestWindow: what we send never refers further back than was agreed on, and makes use
// of its context where there is one.
func TestWindow(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			l := connect(t, codec.Deflate{Takeover: takeover, Level: 6, Threshold: 1}, false, fmt.Sprintf("permessage-deflate; server_max_window_bits=%d", bits))
			if l.send.Bits() != bits || l.send.Takeover() != (takeover && bits == 15) {
				t.Fatalf("%d bits, takeover %v", l.send.Bits(), l.send.Takeover())
			}
			r := rand.New(rand.NewPCG(7, 8))
			var window []byte
			farthest := 0
			for _, n := range []int{200, 256, 257, 70000, 1000, 512, 33000} {
				p := lines(r, n)
				m, _ := next(t, l.decoder, l.frame(nil, codec.Text, p), codec.Text)
				next(t, l.decoder, nil, 0)
				if !m.Compressed {
					continue
				}
				// m.Data is valid to the next call that finds something.
				out, far, err := inflate(window, append(bytes.Clone(m.Data), 0, 0, 0xff, 0xff))
				if err != nil || !bytes.Equal(out, p) {
					t.Fatalf("%d bits: %d bytes: %v", bits, n, err)
				}
				farthest = max(farthest, far)
				if l.send.Takeover() {
					window = append(window, p...)
				}
			}
			if farthest > 1<<bits || farthest < 1<<(bits-2) {
				t.Errorf("%d bits: the farthest reference is to %d before", bits, farthest)
			}
		}
	}
}

// TestTakeoverShrinks: with a context, a message that came before costs next to nothing.
func TestTakeoverShrinks(t *testing.T) {
	p := lines(rand.New(rand.NewPCG(9, 10)), 1000)
	with := connect(t, codec.Deflate{Takeover: true}, false, "permessage-deflate")
	without := connect(t, codec.Deflate{}, false, "permessage-deflate")
	with.frame(nil, codec.Text, p)
	without.frame(nil, codec.Text, p)
	again, alone := len(with.frame(nil, codec.Text, p)), len(without.frame(nil, codec.Text, p))
	if again > 40 || alone < 100 || alone > 600 {
		t.Errorf("with context %d bytes, without %d", again, alone)
	}
}

// TestNotCompressed: what is short, what gains nothing and what is no message.
func TestNotCompressed(t *testing.T) {
	l := connect(t, codec.Deflate{Threshold: 100}, true, "permessage-deflate")
	noise := make([]byte, 1000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, tt := range []struct {
		kind    codec.Kind
		p       []byte
		deflate bool
	}{
		{codec.Text, lines(r, 99), false},
		{codec.Text, bytes.Repeat([]byte("ab"), 50), true},
		{codec.Binary, noise, false},
		{codec.Ping, bytes.Repeat([]byte("ab"), 60), false},
	} {
		m, _ := next(t, l.decoder, l.frame(nil, tt.kind, tt.p), tt.kind)
		if m.Compressed != tt.deflate || !m.Compressed && !bytes.Equal(m.Data, tt.p) {
			t.Errorf("%v of %d bytes: compressed is %v", tt.kind, len(tt.p), m.Compressed)
		}
	}
}

// TestInflatedLimit: as many bytes as allowed, but not one more, and no memory for what
// would be too much.
func TestInflatedLimit(t *testing.T) {
	l := connect(t, codec.Deflate{}, true, "permessage-deflate")
	bomb, _ := next(t, l.decoder, l.frame(nil, codec.Binary, make([]byte, 1<<20)), codec.Binary)
	if len(bomb.Data) > 6000 {
		t.Fatalf("a MiB of nothing has %d bytes", len(bomb.Data))
	}
	for _, tt := range []struct {
		limit int
		want  error
	}{{1<<20 - 1, codec.ErrInflatedTooBig}, {1 << 20, nil}, {1, codec.ErrInflatedTooBig}, {math.MaxInt, nil}} {
		k := newCodec(t, codec.Config{Limits: codec.Limits{Inflated: tt.limit}, Deflate: &codec.Deflate{}})
		p, _, _ := k.Negotiate([]byte("permessage-deflate"))
		z := k.NewCompression(p)
		out, err := z.Inflate(make([]byte, 0, 100), bomb)
		if !errors.Is(err, tt.want) || err == nil && len(out) != 1<<20 || err != nil && cap(out) > 2*tt.limit+1024 {
			t.Errorf("limit %d: %d bytes, capacity %d, %v", tt.limit, len(out), cap(out), err)
		}
		z.Release()
	}
}
