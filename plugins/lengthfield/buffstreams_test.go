package lengthfield_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/protocoltest"
)

// TestBuffStreams: the header is as long as that library makes it for the size,
// and the length in it is what binary.PutVarint writes.
func TestBuffStreams(t *testing.T) {
	for _, tt := range []struct{ size, header int }{
		{1, 2},
		{127, 2},
		{128, 2},
		{255, 2},
		{256, 3},
		{4096, 3},
		{4098, 3},
		{65535, 3},
		{65536, 4},
		{1 << 20, 4},
		{1<<24 - 1, 4},
		{1 << 24, 5},
	} {
		t.Run(fmt.Sprint(tt.size), func(t *testing.T) {
			p, err := lengthfield.BuffStreams(tt.size)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{0, 1, min(tt.size, 200), tt.size} {
				payload := make([]byte, n)
				wire, err := p.AppendFrame(nil, payload)
				if err != nil {
					t.Fatal(err)
				}
				header := make([]byte, tt.header)
				binary.PutVarint(header, int64(n))
				if string(wire[:len(wire)-n]) != string(header) {
					t.Fatalf("header % x for %d bytes, want % x", wire[:len(wire)-n], n, header)
				}
			}
			if _, err := p.AppendFrame(nil, make([]byte, tt.size+1)); !errors.Is(err, weir.ErrMessageTooLarge) {
				t.Errorf("AppendFrame with one byte more: %v", err)
			}
		})
	}
}

func TestBuffStreamsRefuses(t *testing.T) {
	for _, size := range []int{math.MinInt, -1, 0, math.MaxInt32} {
		if p, err := lengthfield.BuffStreams(size); p != nil || err == nil {
			t.Errorf("BuffStreams(%d) = %v, %v", size, p, err)
		}
	}
}

// defaultSize is that library's.
const defaultSize = 4096

// buffStreams is what can be on the wire for messages of at most that size.
func buffStreams(t testing.TB) protocoltest.Spec {
	p, err := lengthfield.BuffStreams(defaultSize)
	if err != nil {
		t.Fatal(err)
	}
	header := func(length int64, rest string) []byte {
		h := make([]byte, binary.MaxVarintLen64)
		binary.PutVarint(h, length)
		return append(h[:3], rest...)
	}
	return protocoltest.Spec{
		Protocol: p,
		Streams: []protocoltest.Stream{{
			Bytes:    []byte("\x0A\x00\x00hello\x00\x00\x00\xC8\x01\x00" + string(make([]byte, 100)) + "\x02\x00"),
			Messages: []protocoltest.Message{message("hello"), message(""), message(string(make([]byte, 100)))},
		}},
		Garbage: []protocoltest.Garbage{
			{Name: "negative", Bytes: header(-1, "x"), Err: lengthfield.ErrCorrupt},
			{Name: "very negative", Bytes: header(-8192, "x"), Err: lengthfield.ErrCorrupt},
			{Name: "one too many", Bytes: header(defaultSize+1, ""), Err: weir.ErrMessageTooLarge},
			{Name: "as many as fit into the header", Bytes: header(1<<20-1, ""), Err: weir.ErrMessageTooLarge},
			{Name: "not within the header", Bytes: []byte("\xFF\xFF\xFF\x01"), Err: lengthfield.ErrCorrupt},
			{Name: "not filled with zeros", Bytes: []byte("\x0A\x00\x01hello"), Err: lengthfield.ErrCorrupt},
		},
		RoundTrips: []protocoltest.RoundTrip{
			{Name: "empty", Data: "", Message: message("")},
			{Name: "largest", Data: make([]byte, defaultSize), Message: message(string(make([]byte, defaultSize)))},
		},
	}
}

func TestBuffStreamsProtocol(t *testing.T) { protocoltest.Run(t, buffStreams(t)) }
