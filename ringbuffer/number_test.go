package ringbuffer_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/go-weir/weir/ringbuffer"
)

func TestPeekNumbers(t *testing.T) {
	content := []byte{0x81, 0x92, 0xA3, 0xB4, 0xC5, 0xD6, 0xE7, 0xF8, 0x09}
	for size := 0; size <= len(content); size++ {
		for _, l := range layouts {
			for at := range max(size, 1) {
				r := l.make(t, content[:size])
				if l.name == "wrapped in the middle" {
					r = wrapped(t, content[:size], at)
				}
				checkNumbers(t, r, content[:size])
				mustContain(t, r, content[:size])
			}
		}
	}
}

// checkNumbers compares what the ring sees with what encoding/binary sees in content.
func checkNumbers(t testing.TB, r *ringbuffer.RingBuffer, content []byte) {
	t.Helper()
	var u8 uint8
	var u16, u16le uint16
	var u32, u32le uint32
	var u64, u64le uint64
	if len(content) >= 1 {
		u8 = content[0]
	}
	if len(content) >= 2 {
		u16, u16le = binary.BigEndian.Uint16(content), binary.LittleEndian.Uint16(content)
	}
	if len(content) >= 4 {
		u32, u32le = binary.BigEndian.Uint32(content), binary.LittleEndian.Uint32(content)
	}
	if len(content) >= 8 {
		u64, u64le = binary.BigEndian.Uint64(content), binary.LittleEndian.Uint64(content)
	}
	if got := r.PeekUint8(); got != u8 {
		t.Fatalf("PeekUint8 = %#x, want %#x", got, u8)
	}
	if be, le := r.PeekUint16(), r.PeekUint16LE(); be != u16 || le != u16le {
		t.Fatalf("PeekUint16 = %#x, LE %#x, want %#x, %#x", be, le, u16, u16le)
	}
	if be, le := r.PeekUint32(), r.PeekUint32LE(); be != u32 || le != u32le {
		t.Fatalf("PeekUint32 = %#x, LE %#x, want %#x, %#x", be, le, u32, u32le)
	}
	if be, le := r.PeekUint64(), r.PeekUint64LE(); be != u64 || le != u64le {
		t.Fatalf("PeekUint64 = %#x, LE %#x, want %#x, %#x", be, le, u64, u64le)
	}
	wantU, wantN := binary.Uvarint(content)
	if v, n := r.PeekUvarint(); v != wantU || n != wantN {
		t.Fatalf("PeekUvarint = %d, %d, want %d, %d", v, n, wantU, wantN)
	}
	want, wantN := binary.Varint(content)
	if v, n := r.PeekVarint(); v != want || n != wantN {
		t.Fatalf("PeekVarint = %d, %d, want %d, %d", v, n, want, wantN)
	}
}

func TestPeekVarint(t *testing.T) {
	contents := [][]byte{
		bytes.Repeat([]byte{0x80}, 9),
		bytes.Repeat([]byte{0x80}, 10),
		bytes.Repeat([]byte{0x80}, 11),
		bytes.Repeat([]byte{0xFF}, 20),
		append(bytes.Repeat([]byte{0xFF}, 9), 0x01),
		append(bytes.Repeat([]byte{0xFF}, 9), 0x02),
		append(bytes.Repeat([]byte{0xFF}, 9), 0x01, 0x80),
	}
	for _, v := range []uint64{0, 1, 127, 128, 300, 1 << 35, math.MaxUint64} {
		contents = append(contents, binary.AppendUvarint(nil, v), append(binary.AppendUvarint(nil, v), "behind it"...))
	}
	for _, v := range []int64{math.MinInt64, -65, -64, -1, 63, 64, math.MaxInt64} {
		contents = append(contents, binary.AppendVarint(nil, v))
	}
	for _, content := range contents {
		checkNumbers(t, ringbuffer.NewWithData(content), content)
		for at := range content {
			checkNumbers(t, wrapped(t, content, at), content)
		}
	}
}
