package weir

import (
	"bytes"
	"testing"

	"github.com/go-weir/weir/internal/sock"
)

// TestOutboundNeverEmpty: a queue that is never empty doesn't grow for ever, and holds
// nothing of what was sent.
func TestOutboundNeverEmpty(t *testing.T) {
	o := new(outbound)
	message := make([]byte, minReference)
	for range 1000 {
		o.appendReference(message, "arg", func(any) {})
	}
	if cap(o.segments) < 1000 {
		t.Fatalf("room for %d segments", cap(o.segments))
	}
	c := newOutboundConnection()
	for range 950 {
		if o.advance(len(message), c) {
			t.Fatal("it is empty")
		}
	}
	if size := o.size(); size != 50*len(message) {
		t.Fatalf("%d bytes are left", size)
	}
	if len(o.segments) > 200 {
		t.Errorf("%d segments for 50 messages", len(o.segments))
	}
	held := 0
	for _, s := range o.segments[:cap(o.segments)] {
		if s.data != nil || s.done != nil || s.arg != nil {
			held++
		}
	}
	if held != 50 {
		t.Errorf("%d segments hold something, want 50", held)
	}
	o = new(outbound)
	most := 0
	o.append(message)
	for range 10_000 { // one comes, one goes
		o.appendReference(message, nil, nil)
		if o.advance(len(message), c) {
			t.Fatal("it is empty")
		}
		most = max(most, cap(o.segments))
	}
	if most > 16 {
		t.Errorf("room for %d segments, of two messages", most)
	}
}

// TestOutboundSmallPieces: many small pieces take few chunks, which grow.
func TestOutboundSmallPieces(t *testing.T) {
	o := new(outbound)
	var want []byte
	for i := range 4096 {
		p := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 50)
		o.append(p)
		want = append(want, p...)
	}
	if len(o.segments) > 20 {
		t.Errorf("%d segments for %d bytes", len(o.segments), len(want))
	}
	var got []byte
	for _, s := range o.segments {
		if len(s.chunk) > largestChunk {
			t.Errorf("a chunk of %d bytes", len(s.chunk))
		}
		got = append(got, s.data...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the queue is not what was put there")
	}
	o.drop(newOutboundConnection())
}

// TestOutboundGather: one writev(2) gets so many bytes and no more, however large the
// pieces, and so many pieces, however small.
func TestOutboundGather(t *testing.T) {
	for _, tt := range []struct {
		name                string
		size, pieces        int
		wantSize, wantSlice int
	}{
		{"large", flushBytes - 1, 4, flushBytes, 2},
		{"just fitting", flushBytes / 2, 4, flushBytes, 2},
		{"small", 10, 1000, 10 * sock.MaxVector, sock.MaxVector},
		{"all", 10, 3, 30, 3},
	} {
		o := new(outbound)
		for range tt.pieces {
			o.appendReference(make([]byte, tt.size), nil, nil)
		}
		var v sock.Vector
		o.gather(&v)
		if v.Size() != tt.wantSize || len(v.Slices()) != tt.wantSlice {
			t.Errorf("%s: %d bytes in %d slices, want %d in %d", tt.name, v.Size(), len(v.Slices()), tt.wantSize, tt.wantSlice)
		}
	}
}

// TestOutboundPool: a queue that a burst has made long is left to the collector.
func TestOutboundPool(t *testing.T) {
	for range 100 {
		o := new(outbound)
		for range 1000 {
			o.appendReference(make([]byte, 1), nil, nil)
		}
		o.drop(newOutboundConnection())
		o.release()
		if o := takeOutbound(); cap(o.segments) > 64 {
			t.Fatalf("the pool has a queue with room for %d segments", cap(o.segments))
		}
	}
}

// newOutboundConnection is a connection for which functions of SendInLoop can run.
func newOutboundConnection() *Connection { return &Connection{loop: new(loop)} }
