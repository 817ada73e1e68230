package codec_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
	"github.com/go-weir/weir/plugins/websocket/internal/cases"
)

// FuzzDecoder: wherever a stream is cut, the same comes out of it.
func FuzzDecoder(f *testing.F) {
	for _, c := range cases.All() {
		if len(c.In) < 500 {
			f.Add(c.In, c.Offer != "", uint64(len(c.In)))
		}
	}
	k := newCodec(f, codec.Config{Limits: codec.Limits{Message: 2000, Frames: 20, Inflated: 5000}, Deflate: &codec.Deflate{}})
	f.Fuzz(func(t *testing.T, in []byte, deflate bool, seed uint64) {
		offer := ""
		if deflate {
			offer = "permessage-deflate"
		}
		whole, cut := newPeer(t, k, offer), newPeer(t, k, offer)
		whole.feed(bytes.Clone(in))
		r := rand.New(rand.NewPCG(seed, 0))
		for at := 0; at < len(in); {
			n := min(1+r.IntN(1+r.IntN(20)), len(in)-at)
			cut.feed(bytes.Clone(in[at : at+n]))
			at += n
		}
		want := cases.Case{Events: whole.events}
		if whole.failed != nil {
			want.Fails = uint16(whole.failed.Code)
		}
		if wrong := cut.outcome(want); wrong != "" || !errors.Is(cut.failed, whole.failed) {
			t.Errorf("%s (%v, whole %v)", wrong, cut.failed, whole.failed)
		}
		whole.close()
		cut.close()
		if k.Pinned() != 0 || k.Memory() != 0 {
			t.Fatalf("%d bytes pinned, %d of memory", k.Pinned(), k.Memory())
		}
	})
}

// referenceInflate inflates with compress/flate alone: as many streams as there are, each
// with the output so far for its window.
func referenceInflate(data []byte, limit int) (out []byte, err error) {
	ended := append(bytes.Clone(data), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)
	src := bytes.NewReader(ended)
	for range 100 {
		p, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(src, out[max(0, len(out)-1<<15):]), int64(limit-len(out)+1)))
		out = append(out, p...)
		switch at := len(ended) - src.Len(); {
		case len(out) > limit:
			return nil, codec.ErrInflatedTooBig
		case err != nil || at > len(data) && at < len(ended):
			return nil, codec.ErrInflate
		case at == len(ended) || at == len(data):
			return out, nil
		}
	}
	return nil, io.ErrNoProgress
}

// FuzzInflate: of anything whatever, the same as of compress/flate.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{
		"\x00", "\xf2\x48\xcd\xc9\xc9\x07\x00", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "\xf3\x48\xcd\xc9\xc9\x07\x00",
		"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
		"\x01\x04\x00\xfb\xff", "\x03\x00\x03\x00\x03\x00", "\x01\x05\x00\xfa\xffHello\xf2\x00\x11\x00\x00", "",
	} {
		f.Add([]byte(s))
	}
	const limit = 1 << 16
	k := newCodec(f, codec.Config{Limits: codec.Limits{Inflated: limit}, Deflate: &codec.Deflate{}})
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := referenceInflate(data, limit)
		for _, offer := range []string{"permessage-deflate", "permessage-deflate; client_no_context_takeover"} {
			p := newPeer(t, k, offer)
			got, err := p.compression.Inflate(nil, codec.Message{Kind: codec.Binary, Compressed: true, Data: data})
			p.close()
			// Beginning anew too often is refused sooner than the reference does it.
			if errors.Is(err, codec.ErrInflatedTooBig) && len(want) <= limit && bytes.Count(data, nil) > 10 {
				continue
			}
			if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
				t.Fatalf("%s: %d bytes, %v; of compress/flate %d, %v", offer, len(got), err, len(want), wantErr)
			}
		}
	})
}

// FuzzDeflate: what we compress, compress/flate inflates, without its window when there
// is no context, and so do we.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte("Hello, Hello, Hello, Hello"), byte(1), byte(0), false)
	f.Add(bytes.Repeat([]byte("some text "), 1000), byte(3), byte(7), true)
	f.Add([]byte{0}, byte(11), byte(3), true)
	f.Fuzz(func(t *testing.T, p []byte, level, bits byte, takeover bool) {
		d := codec.Deflate{Level: int(level%12) - 2, Takeover: takeover, Threshold: 1}
		offers := []string{"8", "9", "10", "11", "12", "13", "14", "15"}
		l := connect(t, d, false, "permessage-deflate; server_max_window_bits="+offers[bits%8])
		var window []byte
		for range 3 {
			m, _ := next(t, l.decoder, l.frame(nil, codec.Binary, p), codec.Binary)
			data := m.Data
			if m.Compressed {
				ended := io.MultiReader(bytes.NewReader(m.Data), bytes.NewReader([]byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
				out, err := io.ReadAll(flate.NewReaderDict(ended, window))
				if err != nil || !bytes.Equal(out, p) {
					t.Fatalf("%d bytes by compress/flate, %v", len(out), err)
				}
				if data, err = l.receive.Inflate(nil, m); err != nil {
					t.Fatal(err)
				}
				if l.send.Takeover() {
					window = append(window, p...)
				}
			}
			if !bytes.Equal(data, p) {
				t.Fatalf("%d bytes come back of %d", len(data), len(p))
			}
		}
	})
}
