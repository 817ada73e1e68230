package cases

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// closeWith is the payload of a close frame.
func closeWith(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

func closing() []Case {
	hello, bye := Event{Text, []byte("Hello World!")}, Event{Close, closeWith(1000, "")}
	said, close1000 := frame(fin|Text, hello.Data), frame(fin|Close, bye.Data)
	all := []Case{
		{ID: "7.1.1", Name: "message, close", In: join(said, close1000), Events: []Event{hello, bye}},
		{ID: "7.1.2", Name: "two closes", In: join(close1000, close1000), Events: []Event{bye}},
		{ID: "7.1.3", Name: "ping after close", In: join(close1000, frame(fin|Ping, nil)), Events: []Event{bye}},
		{ID: "7.1.4", Name: "message after close", In: join(close1000, said), Events: []Event{bye}},
		{ID: "7.1.5", Name: "fragment, close, the rest", In: join(frame(Text, hello.Data), close1000, frame(fin, nil)), Events: []Event{bye}},
		{
			ID: "7.1.6", Name: "256 KiB, a message, close, ping", Large: true,
			In:     join(frame(fin|Text, filler(256<<10, true)), said, close1000, frame(fin|Ping, nil)),
			Events: []Event{{Text, filler(256<<10, true)}, hello, bye},
		},
		message("7.3.1", "close without payload", Close, nil),
		{ID: "7.3.2", Name: "close of one byte", In: frame(fin|Close, []byte("a")), Fails: 1002},
		message("7.3.3", "close with a code", Close, closeWith(1000, "")),
		message("7.3.4", "close with a reason", Close, closeWith(1000, "Hello World!")),
		message("7.3.5", "close with the longest reason", Close, closeWith(1000, string(bytes.Repeat([]byte{'*'}, 123)))),
		{ID: "7.3.6", Name: "close with a reason that is too long", In: frame(fin|Close, closeWith(1000, string(bytes.Repeat([]byte{'*'}, 124)))), Fails: 1002},
		{ID: "7.5.1", Name: "close with a reason that is no text", In: frame(fin|Close, closeWith(1000, kosme+"\xed\xa0\x80edited")), Fails: 1007},
		{ID: "x7.1", Name: "reason that ends within a character", In: frame(fin|Close, closeWith(1000, "\xce")), Fails: 1007},
		{ID: "x7.2", Name: "garbage after close", In: join(close1000, bytes.Repeat([]byte{0xff}, 64)), Events: []Event{bye}},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014} {
		all = append(all, message(fmt.Sprintf("7.7.%d", i+1), fmt.Sprintf("close with %d", code), Close, closeWith(code, "")))
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		all = append(all, Case{
			ID: fmt.Sprintf("7.9.%d", i+1), Name: fmt.Sprintf("close with %d", code),
			In: frame(fin|Close, closeWith(code, "")), Fails: 1002,
		})
	}
	return all
}
