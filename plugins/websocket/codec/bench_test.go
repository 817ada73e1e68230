package codec_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// BenchmarkDecode is of frames that lie whole in what was received.
func BenchmarkDecode(b *testing.B) {
	cyrillic := []byte(strings.Repeat("привет, мир! ", 8))[:124]
	for _, bc := range []struct {
		name    string
		kind    codec.Kind
		payload []byte
	}{
		{"binary125", codec.Binary, bytes.Repeat([]byte{0xee}, 125)},
		{"text125", codec.Text, bytes.Repeat([]byte{'e'}, 125)},
		{"cyrillic124", codec.Text, cyrillic},
		{"binary1024", codec.Binary, bytes.Repeat([]byte{0xee}, 1024)},
		{"text1024", codec.Text, bytes.Repeat([]byte{'e'}, 1024)},
		{"binary16KiB", codec.Binary, bytes.Repeat([]byte{0xee}, 16<<10)},
		{"text16KiB", codec.Text, bytes.Repeat([]byte{'e'}, 16<<10)},
		{"cyrillic16KiB", codec.Text, bytes.Repeat(cyrillic[:123], 16<<10/123)},
	} {
		b.Run(bc.name, func(b *testing.B) { decodeLoop(b, bc.kind, bc.payload) })
	}
}

// decodeLoop decodes one frame again and again. Its key is zero, so that unmasking
// leaves it as it is, and costs what it costs with any other key.
func decodeLoop(b *testing.B, k codec.Kind, payload []byte) {
	frame := codec.AppendMasked(nil, k, 0, [4]byte{}, payload)
	d := newDecoder(b, codec.Config{}, false)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		m, n, err := d.Next(frame)
		if m.Kind != k || n != len(frame) || err != nil {
			b.Fatal(m, n, err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bc := range []struct {
		name string
		n    int
	}{{"125", 125}, {"1024", 1024}, {"16KiB", 16 << 10}} {
		payload := bytes.Repeat([]byte{'e'}, bc.n)
		dst := make([]byte, 0, bc.n+codec.MaxHeader)
		b.Run("server"+bc.name, func(b *testing.B) {
			b.SetBytes(int64(bc.n))
			b.ReportAllocs()
			for b.Loop() {
				dst = codec.AppendFrame(dst[:0], codec.Text, 0, payload)
			}
		})
		b.Run("client"+bc.name, func(b *testing.B) {
			b.SetBytes(int64(bc.n))
			b.ReportAllocs()
			for b.Loop() {
				dst = codec.AppendMasked(dst[:0], codec.Text, 0, testKey, payload)
			}
		})
	}
}

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{15, 125, 200, 256, 384, 512, 1024, 4096, 16 << 10} {
		p := make([]byte, n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				codec.Mask(p, testKey, 0)
			}
		})
	}
}
