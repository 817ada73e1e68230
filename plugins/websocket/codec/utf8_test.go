package codec_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// firstBad returns how many bytes of p it takes to see that no text begins like this,
// by what unicode/utf8 says; -1: one can.
func firstBad(p []byte) int {
	for i := 0; i < len(p); {
		if !utf8.FullRune(p[i:]) {
			// It is full once it can't become a character.
			return -1
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			end := i + 1
			for !utf8.FullRune(p[i:end]) {
				end++
			}
			return end
		}
		i += size
	}
	return -1
}

// checkText sends p as one text, whole and byte by byte, and compares with unicode/utf8.
func checkText(t *testing.T, p []byte) {
	t.Helper()
	frame := codec.AppendFrame(nil, codec.Text, 0, p)
	head := len(frame) - len(p)
	d := newDecoder(t, codec.Config{Client: true}, false)
	m, _, err := d.Next(frame)
	if ok := err == nil && m.Kind == codec.Text; ok != utf8.Valid(p) {
		t.Fatalf("% x: %v, %v", p, m, err)
	}
	d = newDecoder(t, codec.Config{Client: true}, false)
	bad := firstBad(p)
	for i, b := range frame {
		m, _, err := d.Next([]byte{b})
		switch at := i + 1 - head; {
		case at > 0 && at == bad || bad < 0 && at == len(p) && !utf8.Valid(p):
			if !errors.Is(err, codec.ErrUTF8) {
				t.Fatalf("% x is not refused after %d bytes: %v", p, at, err)
			}
			return
		case err != nil:
			t.Fatalf("% x is refused after %d bytes, not %d: %v", p, at, bad, err)
		case (m.Kind != 0) != (at == len(p)):
			t.Fatalf("% x is %v after %d bytes", p, m, at)
		}
	}
}

// TestUTF8 tries every text of up to three bytes that could matter, and some longer
// ones, at different places in a text that is ASCII otherwise.
func TestUTF8(t *testing.T) {
	edges := []byte{0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff}
	var p [4]byte
	for _, p[0] = range edges[7:] {
		for _, p[1] = range edges {
			checkText(t, p[:2])
			for _, p[2] = range edges {
				checkText(t, p[:3])
				p[3] = 0x80 + p[2]%0x40
				checkText(t, p[:])
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		text := []byte(strings.Repeat("abcdefgh", r.IntN(10)) + strings.Repeat("é€😀a", r.IntN(4)) + strings.Repeat("z", r.IntN(40)))
		if len(text) > 0 && r.IntN(2) == 0 {
			text[r.IntN(len(text))] = edges[r.IntN(len(edges))]
		}
		checkText(t, text)
	}
}

func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "abc", "κόσμε", "\xed\xa0\x80", "\xf4\x90\x80\x80", "12345678é12345678\xff", "\xe0\x9f"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) { checkText(t, p) })
}
