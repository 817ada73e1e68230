package lengthfield_test

import (
	"bytes"
	"testing"

	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/protocoltest"
)

// FuzzStream feeds any bytes to each of the layouts.
func FuzzStream(f *testing.F) {
	var testers []*protocoltest.Tester
	for i, tt := range layouts {
		tt.config.MaxFrame = 1000
		testers = append(testers, protocoltest.New(f, protocoltest.Spec{Protocol: protocol(f, tt.config)}))
		f.Add(uint8(i), []byte(tt.wire+tt.empty+tt.wire))
	}
	spec := buffStreams(f)
	for _, stream := range spec.Streams {
		f.Add(uint8(len(testers)), stream.Bytes)
	}
	for _, garbage := range spec.Garbage {
		f.Add(uint8(len(testers)), garbage.Bytes)
	}
	testers = append(testers, protocoltest.New(f, spec))
	f.Fuzz(func(t *testing.T, which uint8, stream []byte) {
		if err := testers[int(which)%len(testers)].Check(stream); err != nil {
			t.Error(err)
		}
	})
}

// FuzzFrame makes a layout of numbers, and a frame in it. What New and
// AppendFrame let pass has to come back.
func FuzzFrame(f *testing.F) {
	f.Add(2, 0, 0, 2, true, []byte("payload"))
	f.Add(4, 3, -7, lengthfield.StripHeader, false, []byte{})
	f.Add(lengthfield.Varint, 0, 0, lengthfield.StripHeader, false, make([]byte, 200))
	f.Fuzz(func(t *testing.T, width, offset, adjustment, strip int, little bool, payload []byte) {
		p, err := lengthfield.New(lengthfield.Config{
			Width: width, LittleEndian: little, Offset: offset, Adjustment: adjustment, Strip: strip, MaxFrame: 1000,
		})
		if err != nil {
			return
		}
		wire, err := p.AppendFrame(nil, payload)
		if err != nil {
			return
		}
		var want []byte
		if strip >= 0 && strip < offset+width { // the length is part of what is delivered
			want = append(want, wire[strip:]...)
		} else {
			want = payload
		}
		if !bytes.HasSuffix(wire, want) {
			t.Fatalf("the frame is %q, without %q", wire, want)
		}
		for cut := range wire {
			if got, ok := decode(t, p, wire[:cut]); ok {
				t.Fatalf("%q of %q is taken for a frame with %q", wire[:cut], wire, got)
			}
		}
		if got, ok := decode(t, p, wire); !ok || !bytes.Equal(got, want) {
			t.Fatalf("%q is decoded as %q, %t; want %q", wire, got, ok, want)
		}
	})
}
