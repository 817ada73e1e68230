package ringbuffer_test

import (
	"math"
	"sync"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestAcquireSizes(t *testing.T) {
	for _, c := range []struct{ n, size int }{
		{math.MinInt, 512},
		{-1, 512},
		{0, 512},
		{1, 512},
		{512, 512},
		{513, 1024},
		{1024, 1024},
		{65_537, 131_072},
		{1<<20 - 1, 1 << 20},
		{1 << 20, 1 << 20},
		{1<<20 + 1, 1<<20 + 1},
		{3 << 20, 3 << 20},
	} {
		for range 2 { // fresh, and out of the pool
			b := ringbuffer.Acquire(c.n)
			if len(b) != c.size || cap(b) != c.size {
				t.Errorf("Acquire(%d): len %d, cap %d, want %d", c.n, len(b), cap(b), c.size)
			}
			ringbuffer.Recycle(b)
		}
	}
}

// What is not exactly of a class is not kept, not even for a smaller class.
func TestRecycleIgnoresOddSizes(t *testing.T) {
	for _, odd := range [][]byte{
		make([]byte, 511),
		make([]byte, 513),
		make([]byte, 1000),
		make([]byte, 1<<20+1),
		ringbuffer.Acquire(4096)[:600:600],
		ringbuffer.Acquire(4096)[1:],
	} {
		ringbuffer.Recycle(odd)
		for size := 512; size <= 1<<20; size *= 2 {
			if b := ringbuffer.Acquire(size); &b[0] == &odd[0] {
				t.Errorf("%d bytes of capacity came back as %d", cap(odd), size)
			}
		}
	}
}

// Whatever was given to Recycle, Acquire returns whole classes, and no byte to two callers.
func TestRecycleForeignSlices(t *testing.T) {
	ringbuffer.Recycle(nil)
	for _, size := range []int{0, 1, 511, 513, 1000, 1<<20 + 1, 2 << 20} {
		ringbuffer.Recycle(make([]byte, size))
	}
	ringbuffer.Recycle(ringbuffer.Acquire(4096)[1:])    // lost its first byte
	ringbuffer.Recycle(ringbuffer.Acquire(4096)[:0])    // shorter, but whole
	ringbuffer.Recycle(ringbuffer.Acquire(4096)[:9:10]) // clipped
	seen := map[*byte]bool{}
	for size := 512; size <= 1<<20; size *= 2 {
		for range 4 {
			b := ringbuffer.Acquire(size)
			if len(b) != size || cap(b) != size {
				t.Fatalf("Acquire(%d): len %d, cap %d", size, len(b), cap(b))
			}
			for i := 0; i < size; i += 512 {
				if seen[&b[i]] {
					t.Fatalf("%d bytes were handed out twice", size)
				}
				seen[&b[i]] = true
			}
		}
	}
}

// The pool is for any goroutine: no two of them may hold the same bytes.
func TestPoolIsShared(t *testing.T) {
	var wg sync.WaitGroup
	for g := range byte(4) {
		wg.Go(func() {
			for i := range 2000 {
				b := ringbuffer.Acquire(512 << (i % 4))
				for k := range b {
					b[k] = g
				}
				for _, c := range b {
					if c != g {
						t.Errorf("goroutine %d found a byte of goroutine %d", g, c)
						return
					}
				}
				ringbuffer.Recycle(b)
			}
		})
	}
	wg.Wait()
}
