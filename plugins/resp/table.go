package resp

import (
	"encoding/binary"
	"math/bits"
)

// Table finds what belongs to the name of a command, whatever the case of its
// letters (of ASCII). Looking up takes a few nanoseconds and allocates nothing.
// NewTable makes one; it doesn't change, so any goroutine may use it.
type Table[T any] struct {
	slots []tableSlot[T] // a power of two of them, at most half of them taken
	shift int            // of a hash, to the index of a slot
}

type tableSlot[T any] struct {
	first uint64 // what the name begins with; see first
	name  []byte // empty: the slot is free
	value T
}

// NewTable makes a Table of the values with their names, none of which is empty.
// Two names that differ in case only are one, with either of the values.
func NewTable[T any](values map[string]T) *Table[T] {
	size := bits.Len(uint(2*len(values) + 1))
	t := &Table[T]{slots: make([]tableSlot[T], 1<<size), shift: 64 - size}
	for name, value := range values {
		if name := []byte(name); len(name) > 0 {
			*t.slot(name) = tableSlot[T]{first(name), name, value}
		}
	}
	return t
}

// Find returns what belongs to name, and whether there is anything.
func (t *Table[T]) Find(name []byte) (value T, ok bool) {
	if len(name) == 0 {
		return value, false
	}
	s := t.slot(name)
	return s.value, len(s.name) > 0
}

// slot returns the one of name, or the free one where it would be.
func (t *Table[T]) slot(name []byte) *tableSlot[T] {
	begin := first(name)
	mask := len(t.slots) - 1
	for i := int(begin * golden >> (t.shift & 63)); ; i++ {
		s := &t.slots[i&mask]
		if s.first == begin && len(s.name) == len(name) && (len(name) <= 8 || sameEnd(s.name, name)) || len(s.name) == 0 {
			return s
		}
	}
}

// golden spreads what names begin with over all 64 bits: 2^64 over the golden ratio.
const golden = 0x9e3779b97f4a7c15

// first returns the first 8 bytes of name in small letters, or all of them if there
// are not so many: some of them twice then, so that they are had in two loads.
func first(name []byte) uint64 {
	n := len(name)
	switch {
	case n >= 8:
		return lower(binary.LittleEndian.Uint64(name))
	case n >= 4:
		return lower(uint64(binary.LittleEndian.Uint32(name)) | uint64(binary.LittleEndian.Uint32(name[n-4:]))<<32)
	}
	return lower(uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16)
}

// sameEnd compares two names of one length from their ninth byte on.
func sameEnd(a, b []byte) bool {
	for i := min(8, len(b)-8); ; i = min(i+8, len(b)-8) {
		if lower(binary.LittleEndian.Uint64(a[i:])) != lower(binary.LittleEndian.Uint64(b[i:])) {
			return false
		}
		if i == len(b)-8 {
			return true
		}
	}
}

// lower makes small letters of the capital ones among eight characters.
func lower(word uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	low := word &^ high
	fromA := low + (0x80-'A')*ones  // bit 7 of each byte: it is A or more,
	afterZ := low + (0x7f-'Z')*ones // and more than Z
	return word | (fromA^afterZ)&^word&high>>2
}
