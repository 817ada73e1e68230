package ringbuffer_test

import (
	"math/rand/v2"
	"testing"
)

// Random scripts, the same ones in each run.
func TestModel(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range rounds {
		script := make([]byte, 200)
		for i := range script {
			script[i] = byte(rnd.Uint32())
		}
		(&machine{t: t, script: script}).run()
	}
}

func FuzzRingBuffer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 255, 7, 200, 0, 255, 10, 250, 11, 0, 8, 0})       // write, take, write, view the wrap, take all
	f.Add([]byte{5, 100, 13, 200, 14, 1, 13, 50, 0, 9, 14, 0, 6, 99}) // lend, read virtually, revert, write, flush
	f.Add([]byte{3, 254, 12, 0, 5, 9, 9, 20, 4, 1, 9, 21, 4, 0})      // commit, index, write to, shrink, release
	f.Fuzz(func(t *testing.T, script []byte) {
		(&machine{t: t, script: script}).run()
	})
}
