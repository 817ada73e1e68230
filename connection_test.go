package weir

import (
	"strconv"
	"testing"
	"unsafe"
)

// TestConnectionSize: a connection fits into the allocator's class of 208 bytes. The
// next one is 224, for every connection of every program: a field has to be worth it.
func TestConnectionSize(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("the size is that of machines with 64 bits")
	}
	if size := unsafe.Sizeof(Connection{}); size > 208 {
		t.Errorf("a Connection has %d bytes, want at most 208", size)
	}
}
