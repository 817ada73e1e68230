//go:build !race

// The race detector lets pools forget some of what is put into them.

package codec_test

import (
	"bytes"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestNoAllocation: neither to decode nor to encode a small message, and none to gather
// one from pieces or to compress and inflate it, as long as the pools have something.
func TestNoAllocation(t *testing.T) {
	d := newDecoder(t, codec.Config{}, false)
	text := bytes.Repeat([]byte("text"), 30)
	streams := map[string][]byte{
		"text":       codec.AppendMasked(nil, codec.Text, 0, [4]byte{}, text),
		"binary":     codec.AppendMasked(nil, codec.Binary, 0, [4]byte{}, text),
		"not ASCII":  codec.AppendMasked(nil, codec.Text, 0, [4]byte{}, []byte("é€😀")),
		"ping":       codec.AppendMasked(nil, codec.Ping, 0, [4]byte{}, text),
		"1 KiB":      codec.AppendMasked(nil, codec.Binary, 0, [4]byte{}, make([]byte, 1024)),
		"16 at once": bytes.Repeat(codec.AppendMasked(nil, codec.Text, 0, [4]byte{}, text), 16),
		"fragmented": append(
			codec.AppendMasked(nil, codec.Text, codec.More, [4]byte{}, text),
			codec.AppendMasked(nil, codec.Continuation, 0, [4]byte{}, text)...),
	}
	for name, stream := range streams {
		if n := testing.AllocsPerRun(1000, func() { decodeAll(t, d, stream) }); n != 0 {
			t.Errorf("to decode, %s: %v allocations", name, n)
		}
		cut := len(stream) - len(stream)/3
		if n := testing.AllocsPerRun(1000, func() {
			decodeAll(t, d, stream[:cut])
			decodeAll(t, d, stream[cut:])
		}); n != 0 {
			t.Errorf("to decode in two pieces, %s: %v allocations", name, n)
		}
	}

	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		dst = codec.AppendFrame(dst[:0], codec.Text, 0, text)
		dst = codec.AppendMasked(dst, codec.Text, 0, testKey, text)
		dst = codec.AppendClose(codec.AppendHeader(dst, codec.Close, 0, 5), codec.GoingAway, "bye")
	}); n != 0 {
		t.Errorf("to encode: %v allocations", n)
	}

	l := connect(t, codec.Deflate{Threshold: 1}, true, "permessage-deflate")
	out := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		dst = l.frame(dst[:0], codec.Text, text)
		m, _ := next(t, l.decoder, dst, codec.Text)
		out, _ = l.receive.Inflate(out[:0], m)
	}); n != 0 || !bytes.Equal(out, text) {
		t.Errorf("to compress and inflate: %v allocations, %q", n, out)
	}
}

// decodeAll takes all of p. The key is zero, so p stays what it is.
func decodeAll(t *testing.T, d *codec.Decoder, p []byte) {
	for {
		m, n, err := d.Next(p)
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == 0 {
			return
		}
		p = p[n:]
	}
}
