package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestInflateShort: a message that becomes long is given up, and inflated later as if
// nothing had been, in a context that goes on.
func TestInflateShort(t *testing.T) {
	l := connect(t, codec.Deflate{Threshold: 1, Takeover: true}, true, "permessage-deflate")
	text := []byte("a context of words that come again, ")
	for i, n := range []int{1, 100, 3, 2000, 4} {
		want := bytes.Repeat(text, n)
		m, _, err := l.decoder.Next(l.frame(nil, codec.Text, want))
		if err != nil || !m.Compressed {
			t.Fatalf("%d: %+v, %v", i, m, err)
		}
		data, short, err := l.receive.InflateShort(nil, m, 1000)
		if short != (len(want) <= 1000) || err != nil {
			t.Fatalf("%d: %d bytes, short: %v, %v", i, len(want), short, err)
		}
		if !short {
			if data, err = l.receive.Inflate(nil, m); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
		}
		if !bytes.Equal(data, want) {
			t.Fatalf("%d: %.50q", i, data)
		}
	}
	if _, short, err := l.receive.InflateShort(nil, codec.Message{Kind: codec.Text, Compressed: true, Data: []byte{7}}, 1000); !short || !errors.Is(err, codec.ErrInflate) {
		t.Errorf("what is corrupt: short: %v, %v", short, err)
	}
}

// TestInflateShortLimit: the limit of a message is an error, whatever short is.
func TestInflateShortLimit(t *testing.T) {
	c := newCodec(t, codec.Config{Limits: codec.Limits{Inflated: 100}, Deflate: new(codec.Deflate)})
	p, _, _ := c.Negotiate([]byte("permessage-deflate; client_no_context_takeover"))
	z := c.NewCompression(p)
	defer z.Release()
	m := codec.Message{Kind: codec.Binary, Compressed: true, Data: []byte("\x00\x65\x00\x9a\xff" + string(make([]byte, 101)) + "\x00")}
	for _, most := range []int{100, 1000} {
		if _, short, err := z.InflateShort(nil, m, most); !short || !errors.Is(err, codec.ErrInflatedTooBig) {
			t.Errorf("%d: short: %v, %v", most, short, err)
		}
	}
	if _, short, err := z.InflateShort(nil, m, 99); short || err != nil {
		t.Errorf("short: %v, %v", short, err)
	}
}

// TestPin: what is pinned is bounded, with what Decoders hold.
func TestPin(t *testing.T) {
	c := newCodec(t, codec.Config{Limits: codec.Limits{Pinned: 100}})
	if !c.Pin(60) || c.Pin(41) || !c.Pin(40) || c.Pinned() != 100 {
		t.Errorf("%d bytes are pinned", c.Pinned())
	}
	if c.Unpin(100); c.Pinned() != 0 {
		t.Errorf("%d bytes are left", c.Pinned())
	}
}
