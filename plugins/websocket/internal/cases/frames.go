package cases

import (
	"bytes"
	"fmt"
)

func framing() (all []Case) {
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		t := message(fmt.Sprintf("1.1.%d", i+1), fmt.Sprintf("text of %d bytes", n), Text, filler(n, true))
		b := message(fmt.Sprintf("1.2.%d", i+1), fmt.Sprintf("binary of %d bytes", n), Binary, filler(n, false))
		t.Large, b.Large = n > 1000, n > 1000
		all = append(all, t, b)
	}
	return all
}

func pings() []Case {
	small, largest, tooLong := []byte("Hello, world!"), bytes.Repeat([]byte{0xfe}, 125), bytes.Repeat([]byte{0xfe}, 126)
	odd := []byte{0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff}
	ping := func(p []byte) []byte { return frame(fin|Ping, p) }
	pong := func(p []byte) []byte { return frame(fin|Pong, p) }
	ten := Case{ID: "2.10", Name: "ten pings"}
	for i := range 10 {
		p := fmt.Appendf(nil, "payload-%d", i)
		ten.In = append(ten.In, ping(p)...)
		ten.Events = append(ten.Events, Event{Ping, p})
	}
	return []Case{
		message("2.1", "ping without payload", Ping, nil),
		message("2.2", "ping with text", Ping, small),
		message("2.3", "ping that is no text", Ping, odd),
		message("2.4", "ping of 125 bytes", Ping, largest),
		{ID: "2.5", Name: "ping of 126 bytes", In: ping(tooLong), Fails: 1002},
		message("2.6", "ping of 125 bytes, other key phase", Ping, largest[:124]),
		message("2.7", "pong that nobody asked for", Pong, nil),
		message("2.8", "pong that nobody asked for, with payload", Pong, small),
		{
			ID: "2.9", Name: "pong, then ping", In: join(pong(small), ping(odd)),
			Events: []Event{{Pong, small}, {Ping, odd}},
		},
		ten,
		{ID: "x2.1", Name: "pong of 126 bytes", In: pong(tooLong), Fails: 1002},
		{ID: "x2.2", Name: "close of 126 bytes", In: frame(fin|Close, append([]byte{3, 232}, tooLong[2:]...)), Fails: 1002},
	}
}

// before is a message that has to arrive although what follows it is wrong.
var before = Event{Text, []byte("*")}

// afterMessage is a case in which something wrong follows a message, and a ping follows
// that, which is not to be answered.
func afterMessage(id, name string, wrong []byte, fails uint16) Case {
	return Case{
		ID: id, Name: name, Fails: fails, Events: []Event{before},
		In: join(frame(fin|Text, before.Data), wrong, frame(fin|Ping, nil)),
	}
}

func reserved() (all []Case) {
	hello := []byte("Hello, world!")
	for rsv := byte(1); rsv <= 7; rsv++ {
		kind := []byte{Text, Text, Text, Text, Binary, Ping, Close}[rsv-1]
		first := fin | rsv<<4 | kind
		all = append(all,
			afterMessage(fmt.Sprintf("3.%d", rsv), fmt.Sprintf("RSV = %d in opcode %d", rsv, kind), frame(first, hello), 1002),
			afterMessage(fmt.Sprintf("x3.%d", rsv), fmt.Sprintf("RSV = %d, two bytes of it", rsv), []byte{first, 0x80}, 1002))
	}
	return all
}

func opcodes() (all []Case) {
	for i, op := range []byte{3, 4, 5, 6, 7} {
		all = append(all, afterMessage(fmt.Sprintf("4.1.%d", i+1), fmt.Sprintf("opcode %d", op), frame(fin|op, nil), 1002))
	}
	for i, op := range []byte{11, 12, 13, 14, 15} {
		all = append(all, afterMessage(fmt.Sprintf("4.2.%d", i+1), fmt.Sprintf("opcode %d", op), frame(fin|op, []byte("x")), 1002))
	}
	return all
}
