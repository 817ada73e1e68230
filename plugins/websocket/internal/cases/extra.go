package cases

import (
	"bytes"
	"fmt"
)

// extra is what is wrong with frames and not in the suite.
func extra() []Case {
	hello := []byte("Hello")
	all := []Case{
		{ID: "x1.1", Name: "text without a mask", In: append(header(fin|Text, 0, 5), hello...), Fails: 1002},
		{ID: "x1.2", Name: "two bytes without a mask", In: []byte{fin | Binary, 0x05}, Fails: 1002},
		{ID: "x1.3", Name: "empty text without a mask", In: []byte{fin | Text, 0}, Fails: 1002},
		{ID: "x1.4", Name: "ping without a mask", In: []byte{fin | Ping, 0}, Fails: 1002},
		{ID: "x1.5", Name: "close without a mask", In: []byte{fin | Close, 2, 3, 232}, Fails: 1002},
		afterMessage("x1.6", "message, then one without a mask", append(header(fin|Text, 0, 5), hello...), 1002),
		{ID: "x1.7", Name: "length of 126 in a control frame, two bytes", In: []byte{fin | Ping, 0xfe}, Fails: 1002},
		{ID: "x1.8", Name: "length of 127 in a control frame, two bytes", In: []byte{fin | Close, 0xff}, Fails: 1002},
		{ID: "x1.9", Name: "fragmented ping, two bytes", In: []byte{Ping, 0x80}, Fails: 1002},
		{ID: "x1.10", Name: "continuation of nothing, two bytes", In: []byte{fin, 0x80}, Fails: 1002},
		{ID: "x1.11", Name: "opcode 3, two bytes", In: []byte{fin | 3, 0x80}, Fails: 1002},
		{ID: "x1.12", Name: "the empty key", In: append([]byte{fin | Text, 0x85, 0, 0, 0, 0}, hello...), Events: []Event{{Text, hello}}},
		{ID: "x1.13", Name: "HTTP instead of frames", In: []byte("GET / HTTP/1.1\r\n\r\n"), Fails: 1002},
		{
			ID: "x1.14", Name: "many messages at once", In: bytes.Repeat(frame(fin|Text, hello), 16),
			Events: times(Event{Text, hello}, 16),
		},
	}
	for i, l := range []struct {
		length []byte
		name   string
		fails  uint16
	}{
		{[]byte{0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, "the top bit alone", 1002},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "all bits", 1002},
		{[]byte{0xff, 0x80, 0, 0, 0, 0, 0, 0, 5}, "the top bit and five", 1002},
		{[]byte{0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "2^63-1", 1009},
		{[]byte{0xff, 0, 0, 0, 1, 0, 0, 0, 0}, "4 GiB", 1009},
		{[]byte{0xff, 0, 0, 0, 0, 1, 0, 0, 1}, "16 MiB and one", 1009},
		{[]byte{0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, "65535 in 8 bytes", 1002},
		{[]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 5}, "5 in 8 bytes", 1002},
		{[]byte{0xfe, 0, 125}, "125 in 2 bytes", 1002},
		{[]byte{0xfe, 0, 0}, "0 in 2 bytes", 1002},
	} {
		for j, first := range []byte{fin | Binary, Text} {
			in := masked(append([]byte{first}, l.length...), hello)
			all = append(all, Case{ID: fmt.Sprintf("x9.%d.%d", i+1, j+1), Name: "length of " + l.name, In: in, Fails: l.fails})
		}
	}
	return append(all,
		Case{
			ID: "x9.11", Name: "16 MiB in two fragments, and one more byte", Large: true, Fails: 1009,
			In: join(frame(Binary, filler(16<<20, false)), frame(fin, []byte{1})),
		},
		Case{
			ID: "x9.12", Name: "131,073 frames", Large: true, Fails: 1008,
			In: join(frame(Binary, nil), bytes.Repeat(frame(0, nil), 1<<17)),
		},
		Case{
			ID: "x9.13", Name: "131,072 frames", Large: true, Events: []Event{{Binary, []byte{1}}},
			In: join(frame(Binary, nil), bytes.Repeat(frame(0, nil), 1<<17-2), frame(fin, []byte{1})),
		})
}

func times(e Event, n int) []Event {
	all := make([]Event, n)
	for i := range all {
		all[i] = e
	}
	return all
}
