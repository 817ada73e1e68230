package cases

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"
)

// Offers that make a client free to do what the cases below do.
const (
	plainOffer = "permessage-deflate"
	aloneOffer = "permessage-deflate; client_no_context_takeover"
)

// A compressor is the sending half of a client.
type compressor struct {
	out      bytes.Buffer
	w        *flate.Writer
	takeover bool
}

func newCompressor(level int, takeover bool) *compressor {
	c := &compressor{takeover: takeover}
	c.w, _ = flate.NewWriter(&c.out, level) // the levels are constants
	return c
}

// deflate returns a message compressed, without the tail.
func (c *compressor) deflate(p []byte) []byte {
	c.out.Reset()
	if !c.takeover {
		c.w.Reset(&c.out)
	}
	_, _ = c.w.Write(p) // a Buffer has no errors
	_ = c.w.Flush()
	return bytes.Clone(c.out.Bytes()[:c.out.Len()-4])
}

// payloads are messages of n bytes: alike, but not the same.
func payloads(n, count int, text bool) (all [][]byte) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range count {
		p := fmt.Appendf(nil, "%d: ", i)
		for len(p) < n {
			if text {
				p = fmt.Appendf(p, `{"n":%d,"word":"ünïcode %d"}`, r.IntN(1000), len(p))
			} else {
				p = append(p, byte(r.IntN(256)), 0, 0xff, byte(len(p)))
			}
		}
		if text {
			p = bytes.ToValidUTF8(p[:n], nil)
		}
		all = append(all, p[:min(n, len(p))])
	}
	return all
}

// compression is what Autobahn does in its sections 12, with messages of many sizes,
// and 13, with what can be negotiated.
func compression() (all []Case) {
	settings := []struct {
		name, offer string
		takeover    bool
		level       int
	}{
		{"by themselves", aloneOffer, false, 1},
		{"with context", plainOffer, true, 6},
		{"not compressed at all", plainOffer, true, 0},
		{"with context, window of 2^15", "permessage-deflate; client_max_window_bits=15", true, 9},
		{"by themselves, all parameters", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=15", false, 4},
		{"with context, small window of the server", "permessage-deflate; server_max_window_bits=8", true, 2},
		{"by themselves, second offer", "permessage-deflate; unheard_of, permessage-deflate; client_no_context_takeover", false, 1},
	}
	for i, s := range settings {
		for j, n := range []int{0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072} {
			for _, kind := range []byte{Text, Binary} {
				c := Case{
					ID: fmt.Sprintf("13.%d.%d/%d", i+1, j+1, kind), Offer: s.offer, Large: n > 64,
					Name: fmt.Sprintf("messages of %d bytes %s", n, s.name),
				}
				z := newCompressor(s.level, s.takeover)
				for k, p := range payloads(n, 6, kind == Text) {
					if k == 3 { // one that is not compressed does not disturb the context
						c.In = append(c.In, frame(fin|kind, p)...)
					} else {
						c.In = append(c.In, fragmentsDeflated(kind, z.deflate(p), 1+n/(k+1))...)
					}
					c.Events = append(c.Events, Event{kind, p})
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// fragmentsDeflated has RSV1 in the first of the frames.
func fragmentsDeflated(kind byte, payload []byte, size int) []byte {
	all := fragments(kind, payload, size)
	all[0] |= rsv1
	return all
}

// hello is what RFC 7692 compresses in its section 7.2.3.
var hello = Event{Text, []byte("Hello")}

// extraDeflate is what may be odd about compressed messages, and what must not be.
func extraDeflate() []Case {
	static := []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}
	all := []Case{
		{ID: "x12.1", Name: "RFC 7692, 7.2.3.1", In: frame(fin|rsv1|Text, static), Events: []Event{hello}},
		{
			ID: "x12.2", Name: "RFC 7692, 7.2.3.1, in two fragments", Events: []Event{hello},
			In: join(frame(rsv1|Text, static[:3]), frame(fin, static[3:])),
		},
		{
			ID: "x12.3", Name: "RFC 7692, 7.2.3.2, the window", Events: []Event{hello, hello},
			In: join(frame(fin|rsv1|Text, static), frame(fin|rsv1|Text, []byte{0xf2, 0x00, 0x11, 0x00, 0x00})),
		},
		{
			ID: "x12.4", Name: "RFC 7692, 7.2.3.3, a stored block", Events: []Event{hello},
			In: frame(fin|rsv1|Text, []byte{0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00}),
		},
		{
			ID: "x12.5", Name: "RFC 7692, 7.2.3.4, a last block", Events: []Event{hello},
			In: frame(fin|rsv1|Text, []byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}),
		},
		{
			ID: "x12.6", Name: "RFC 7692, 7.2.3.5, two blocks", Events: []Event{hello},
			In: frame(fin|rsv1|Text, []byte{0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00}),
		},
		{ID: "x12.7", Name: "RFC 7692, 7.2.3.6, nothing", In: frame(fin|rsv1|Text, []byte{0}), Events: []Event{{Text, nil}}},
		{
			ID: "x12.8", Name: "a last block, and the window after it", Events: []Event{hello, hello},
			In: join(frame(fin|rsv1|Text, []byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), frame(fin|rsv1|Text, []byte{0xf2, 0x00, 0x11, 0x00, 0x00})),
		},
		{ID: "x12.9", Name: "ping within a compressed message", In: join(frame(rsv1|Text, static[:3]), frame(fin|Ping, nil), frame(fin, static[3:])), Events: []Event{{Ping, nil}, hello}},
		{ID: "x12.10", Name: "RSV1 in a continuation", In: join(frame(rsv1|Text, static[:3]), frame(fin|rsv1, static[3:])), Fails: 1002},
		{ID: "x12.11", Name: "RSV1 in a ping", In: frame(fin|rsv1|Ping, nil), Fails: 1002},
		{ID: "x12.12", Name: "RSV1 in a close", In: frame(fin|rsv1|Close, closeWith(1000, "")), Fails: 1002},
		{ID: "x12.13", Name: "RSV1 and RSV2", In: frame(fin|rsv1|0x20|Text, static), Fails: 1002},
		{ID: "x12.14", Name: "a block of a type that is reserved", In: frame(fin|rsv1|Binary, []byte{0x06, 0x00}), Fails: 1007},
		{ID: "x12.15", Name: "data that is cut", In: frame(fin|rsv1|Text, static[:4]), Fails: 1007},
		{ID: "x12.16", Name: "a distance before the beginning", In: frame(fin|rsv1|Text, []byte{0xf2, 0x00, 0x11, 0x00, 0x00}), Fails: 1007},
		{ID: "x12.17", Name: "no data", In: frame(fin|rsv1|Text, nil), Fails: 1007},
		{ID: "x12.18", Name: "a surrogate, compressed", In: frame(fin|rsv1|Text, newCompressor(6, false).deflate([]byte("a\xed\xa0\x80b"))), Fails: 1007},
		{ID: "x12.19", Name: "text that is cut, compressed", In: frame(fin|rsv1|Text, newCompressor(6, false).deflate([]byte("caf\xc3"))), Fails: 1007},
		{
			ID: "x12.20", Name: "17 MiB of nothing, compressed", Fails: 1009, Large: true, Events: []Event{hello},
			In: join(frame(fin|Text, hello.Data), frame(fin|rsv1|Binary, newCompressor(9, false).deflate(make([]byte, 17<<20)))),
		},
		{
			ID: "x12.21", Name: "a million last blocks", Fails: 1009, Large: true,
			In: frame(fin|rsv1|Binary, bytes.Repeat([]byte{0x03, 0x00}, 1<<20)),
		},
	}
	for i := range all {
		all[i].Offer = plainOffer
	}
	return append(all,
		Case{ID: "x12.22", Name: "RSV1 that was not agreed on", In: frame(fin|rsv1|Text, static), Fails: 1002},
		Case{
			ID: "x12.23", Name: "the window, where there is none", Offer: aloneOffer, Events: []Event{hello}, Fails: 1007,
			In: join(frame(fin|rsv1|Text, static), frame(fin|rsv1|Text, []byte{0xf2, 0x00, 0x11, 0x00, 0x00})),
		})
}
