package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
	"github.com/go-weir/weir/plugins/websocket/internal/cases"
)

// peer is what a server has of one connection, without the connection.
type peer struct {
	decoder     codec.Decoder
	compression *codec.Compression
	events      []cases.Event
	failed      *codec.Error
}

func newPeer(tb testing.TB, c *codec.Codec, offer string) *peer {
	p := new(peer)
	params, answer, _ := c.Negotiate([]byte(offer))
	if params.Agreed() != (offer != "") {
		tb.Fatalf("offer %q is answered %q", offer, answer)
	}
	p.decoder.Init(c, params.Agreed())
	p.compression = c.NewCompression(params)
	return p
}

// feed takes bytes as they are received; it may write to them.
func (p *peer) feed(in []byte) {
	for p.failed == nil {
		m, n, err := p.decoder.Next(in)
		if err == nil && m.Kind == 0 {
			if n != len(in) {
				panic(fmt.Sprintf("%d of %d bytes used, and no message", n, len(in)))
			}
			return
		}
		in = in[n:]
		if err == nil && m.Compressed {
			m.Data, err = p.compression.Inflate(nil, m)
		}
		if err != nil {
			if !errors.As(err, &p.failed) {
				panic(err)
			}
			return
		}
		data := bytes.Clone(m.Data)
		if m.Kind == codec.Close && m.Code != codec.NoStatus {
			data = append(binary.BigEndian.AppendUint16(nil, uint16(m.Code)), m.Data...)
		}
		p.events = append(p.events, cases.Event{Kind: byte(m.Kind), Data: data})
	}
}

func (p *peer) close() {
	p.decoder.Release()
	if p.compression != nil {
		p.compression.Release()
	}
}

// outcome says what is wrong with what came out, or nothing.
func (p *peer) outcome(c cases.Case) string {
	for i := range max(len(p.events), len(c.Events)) {
		switch {
		case i >= len(p.events):
			return fmt.Sprintf("message %d of %d does not come (%v)", i, len(c.Events), p.failed)
		case i >= len(c.Events):
			return fmt.Sprintf("%v %.40q should not come", codec.Kind(p.events[i].Kind), p.events[i].Data)
		case p.events[i].Kind != c.Events[i].Kind || !bytes.Equal(p.events[i].Data, c.Events[i].Data):
			return fmt.Sprintf("message %d is %v %.40q of %d bytes, not %v %.40q of %d", i,
				codec.Kind(p.events[i].Kind), p.events[i].Data, len(p.events[i].Data),
				codec.Kind(c.Events[i].Kind), c.Events[i].Data, len(c.Events[i].Data))
		}
	}
	code := codec.Code(0)
	if p.failed != nil {
		code = p.failed.Code
	}
	if code != codec.Code(c.Fails) {
		return fmt.Sprintf("fails with %d, not %d", code, c.Fails)
	}
	return ""
}

// replay feeds the stream of a case in pieces that end at the cuts, and compares.
func replay(t *testing.T, k *codec.Codec, c cases.Case, cuts ...int) {
	t.Helper()
	p := newPeer(t, k, c.Offer)
	defer p.close()
	at := 0
	for _, cut := range append(cuts, len(c.In)) {
		p.feed(bytes.Clone(c.In[at:cut])) // each in memory of its own, so that nothing is kept of it
		at = cut
	}
	if wrong := p.outcome(c); wrong != "" {
		t.Fatalf("cut at %v: %s", cuts[:min(len(cuts), 5)], wrong)
	}
}

// TestCases replays each case whole, cut in two everywhere, and byte by byte; of the
// large ones, cut in pieces of some sizes.
func TestCases(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{}})
	seen := map[string]bool{}
	for _, c := range cases.All() {
		if seen[c.ID] {
			t.Errorf("two cases are called %s", c.ID)
		}
		seen[c.ID] = true
		t.Run(c.ID, func(t *testing.T) {
			replay(t, k, c)
			if c.Large {
				for _, size := range []int{997, 64 << 10} {
					replay(t, k, c, every(size, len(c.In))...)
				}
				return
			}
			for cut := 1; cut < len(c.In); cut++ {
				replay(t, k, c, cut)
			}
			replay(t, k, c, every(1, len(c.In))...)
		})
	}
	if n := k.Pinned(); n != 0 {
		t.Errorf("%d bytes are still pinned", n)
	}
	if n := k.Memory(); n != 0 {
		t.Errorf("%d bytes of memory are still counted", n)
	}
}

// every returns the cuts that make pieces of size bytes.
func every(size, n int) (cuts []int) {
	for at := size; at < n; at += size {
		cuts = append(cuts, at)
	}
	return cuts
}
