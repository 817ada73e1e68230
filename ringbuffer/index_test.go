package ringbuffer_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestIndex(t *testing.T) {
	const text = "HEAD / HTTP/1.1\r\nHost: a\r\r\n\r\nrest\r"
	seps := []string{
		"", "H", "\r", "\n", "\r\n", "\r\n\r\n", "\r\r\n", "rest", "rest\r", "rest\r\n", "absent", "\x00", text, text + "x",
	}
	rings := map[string]*ringbuffer.RingBuffer{"borrowed": ringbuffer.NewWithData([]byte(text))}
	for at := range len(text) { // the wrap everywhere
		rings[text[:at]+"|"+text[at:]] = wrapped(t, []byte(text), at)
	}
	for name, r := range rings {
		for _, sep := range seps {
			if got, want := r.Index([]byte(sep)), bytes.Index([]byte(text), []byte(sep)); got != want {
				t.Errorf("%q: Index(%q) = %d, want %d", name, sep, got, want)
			}
			for from := -1; from <= len(text)+1; from++ {
				if got, want := r.IndexFrom([]byte(sep), from), indexFrom([]byte(text), []byte(sep), from); got != want {
					t.Errorf("%q: IndexFrom(%q, %d) = %d, want %d", name, sep, from, got, want)
				}
			}
		}
		for from, want := range map[int]int{math.MinInt: 1, math.MaxInt: -1} {
			if got := r.IndexFrom([]byte("EAD"), from); got != want {
				t.Errorf("%q: IndexFrom(%d) = %d, want %d", name, from, got, want)
			}
		}
	}
}

// indexFrom is what IndexFrom must find in p.
func indexFrom(p, sep []byte, from int) int {
	from = max(from, 0)
	if from > len(p) {
		return -1
	}
	if i := bytes.Index(p[from:], sep); i >= 0 {
		return from + i
	}
	return -1
}

// Over two letters nearly every separator nearly occurs.
func TestIndexTwoLetters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = 'a' + byte(rnd.IntN(2))
		}
		return p
	}
	for range 20_000 {
		text, sep := letters(1+rnd.IntN(24)), letters(rnd.IntN(9))
		r := wrapped(t, text, rnd.IntN(len(text)))
		from := rnd.IntN(len(text) + 2)
		if got, want := r.IndexFrom(sep, from), indexFrom(text, sep, from); got != want {
			first, end := r.PeekAll()
			t.Fatalf("%q|%q: IndexFrom(%q, %d) = %d, want %d", first, end, sep, from, got, want)
		}
		r.Release()
	}
}

// A protocol that goes on at the old Length()-len(sep)+1 finds a separator in whatever pieces it comes.
func TestIndexFromResumes(t *testing.T) {
	const text = "first line\r\nsecond\r\n"
	sep := []byte("\r\n")
	for cut := range len(text) {
		r := wrapped(t, []byte(text[:cut]), cut/2)
		if i := r.Index(sep); i >= 0 {
			continue
		}
		from := r.Length() - len(sep) + 1
		mustWrite(t, r, []byte(text[cut:]))
		if i := r.IndexFrom(sep, from); i != 10 {
			t.Errorf("cut at %d: IndexFrom(%d) = %d", cut, from, i)
		}
	}
}
