package ringbuffer

import (
	"math/bits"
	"sync"
	"unsafe"
)

// The size classes: powers of two from minClass to maxClass.
const (
	minShift = 9
	maxShift = 20
	minClass = 1 << minShift // 512 B
	maxClass = 1 << maxShift // 1 MiB
)

// pools holds unused storage, pools[i] that of 1<<(minShift+i) bytes.
//
// What a pool holds is the pointer to the first byte. A pointer fits into an interface as it is; a []byte would be moved
// to the heap, which is one allocation for each Put. Nothing else needs to be remembered, since the class says the length.
var pools [maxShift - minShift + 1]sync.Pool

// Acquire returns at least n bytes: of the smallest size class that holds them, a power of two from 512 B to 1 MiB, all of
// it as length and capacity; above 1 MiB exactly n bytes, which are left to the garbage collector afterwards. With n <= 0
// it is the smallest class. What the bytes contain is undefined. They are the caller's, until Recycle. Any goroutine.
func Acquire(n int) []byte {
	if n > maxClass {
		return make([]byte, n)
	}
	class := 0
	if n > minClass {
		class = bits.Len(uint(n-1)) - minShift
	}
	if p, ok := pools[class].Get().(*byte); ok {
		return unsafe.Slice(p, minClass<<class)
	}
	return make([]byte, minClass<<class)
}

// Recycle takes back what Acquire returned, whatever its length is now, as long as it still begins at the first byte.
// Nobody may use those bytes afterwards. A slice whose capacity is not exactly a size class is ignored. Any goroutine.
func Recycle(b []byte) {
	n := cap(b)
	if n < minClass || n > maxClass || n&(n-1) != 0 {
		return
	}
	pools[bits.Len(uint(n))-1-minShift].Put(unsafe.SliceData(b))
}
