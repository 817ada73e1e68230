package delimiter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
	"github.com/go-weir/weir/protocoltest"
	"github.com/go-weir/weir/ringbuffer"
)

// FuzzStream feeds any bytes to each of the protocols of TestStreams.
func FuzzStream(f *testing.F) {
	var testers []*protocoltest.Tester
	for i, tt := range streams {
		tt.config.MaxLength = 100
		testers = append(testers, protocoltest.New(f, protocoltest.Spec{Protocol: protocol(f, tt.config)}))
		f.Add(uint8(i), []byte(tt.wire))
	}
	f.Fuzz(func(t *testing.T, which uint8, stream []byte) {
		if err := testers[int(which)%len(testers)].Check(stream); err != nil {
			t.Error(err)
		}
	})
}

// FuzzSplit compares with strings.Split, for any separator, and for pieces of any
// size.
func FuzzSplit(f *testing.F) {
	f.Add("\n", uint8(0), "a\nb\n\nc")
	f.Add("--", uint8(1), "a---b----")
	f.Add("aab", uint8(3), "aaabaab")
	f.Fuzz(func(t *testing.T, separator string, piece uint8, stream string) {
		if separator == "" {
			return
		}
		p, c, ring := protocol(t, delimiter.Config{Separator: separator}), new(weir.Connection), new(ringbuffer.RingBuffer)
		var got []string
		for rest := stream; len(rest) > 0; {
			n := min(1+int(piece), len(rest))
			ring.WriteString(rest[:n])
			rest = rest[n:]
			for ctx, payload := p.UnPacket(c, ring); ctx != nil || len(payload) > 0; ctx, payload = p.UnPacket(c, ring) {
				got = append(got, string(payload))
			}
		}
		got = append(got, string(ring.Bytes())) // what waits for its separator
		if want := strings.Split(stream, separator); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
