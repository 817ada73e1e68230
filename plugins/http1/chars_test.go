package http1_test

import (
	"testing"

	"github.com/go-weir/weir/plugins/http1"
)

// TestValueEnd: each byte at each place of a word and beyond it is found if it ends
// a value, and only then.
func TestValueEnd(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				p := make([]byte, n)
				for i := range p {
					p[i] = " ~\t\x80\xff"[i%5]
				}
				p[at] = byte(c)
				want := n
				if c < ' ' && c != '\t' || c == 0x7f {
					want = at
				}
				if got := http1.ValueEnd(p, 0); got != want {
					t.Fatalf("the end of %q is %d, want %d", p, got, want)
				}
				if at > 0 {
					p[at-1] = 0
					if got := http1.ValueEnd(p, at); got != want {
						t.Fatalf("the end of %q from %d on is %d, want %d", p, at, got, want)
					}
				}
			}
		}
	}
}
