package codec_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestMask compares with RFC 6455, section 5.3, at every offset and alignment, and looks
// that no other byte is touched.
func TestMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 600 {
		for offset := range 5 {
			from := r.IntN(16)
			whole := make([]byte, from+n+16)
			for i := range whole {
				whole[i] = byte(r.Uint32())
			}
			want := bytes.Clone(whole)
			for i := range n {
				want[from+i] ^= testKey[(offset+i)%4]
			}
			codec.Mask(whole[from:from+n], testKey, offset)
			if !bytes.Equal(whole, want) {
				t.Fatalf("%d bytes from offset %d", n, offset)
			}
		}
	}
}
