package cases

import "fmt"

func fragmentation() []Case {
	one, two := []byte("fragment1"), []byte("fragment2")
	both := []Event{{Text, join(one, two)}}
	ping := Event{Ping, []byte("pong payload")}
	pinged := frame(fin|Ping, ping.Data)
	all := []Case{
		{ID: "5.1", Name: "ping in two fragments", In: join(frame(Ping, one), frame(fin, two)), Fails: 1002},
		{ID: "5.2", Name: "pong in two fragments", In: join(frame(Pong, one), frame(fin, two)), Fails: 1002},
		{ID: "5.3", Name: "text in two fragments", In: join(frame(Text, one), frame(fin, two)), Events: both},
		{
			ID: "5.6", Name: "text in two fragments, a ping between", In: join(frame(Text, one), pinged, frame(fin, two)),
			Events: append([]Event{ping}, both...),
		},
		{ID: "5.9", Name: "continuation of nothing, final", In: frame(fin, one), Fails: 1002},
		afterMessage("5.10", "continuation of nothing after a message", frame(fin, one), 1002),
		{ID: "5.12", Name: "continuation of nothing, not final", In: frame(0, one), Fails: 1002},
		afterMessage("5.13", "continuation of nothing, not final, after a message", frame(0, one), 1002),
		{
			ID: "5.15", Name: "a message, then a continuation of nothing", Events: both, Fails: 1002,
			In: join(frame(Text, one), frame(fin, two), frame(0, one), frame(fin|Text, two)),
		},
		{ID: "5.18", Name: "second fragment with an opcode", In: join(frame(Text, one), frame(fin|Text, two)), Fails: 1002},
		{
			ID: "x5.1", Name: "second fragment with another opcode, after a ping", Events: []Event{ping}, Fails: 1002,
			In: join(frame(Text, one), pinged, frame(fin|Binary, two)),
		},
		{
			ID: "x5.2", Name: "empty fragments",
			In: join(frame(Binary, nil), frame(0, nil), frame(0, one), frame(0, nil), frame(fin, nil)), Events: []Event{{Binary, one}},
		},
		{ID: "x5.3", Name: "nothing, in fragments", In: join(frame(Text, nil), frame(fin, nil)), Events: []Event{{Text, nil}}},
		{
			ID: "x5.4", Name: "a close within a message", In: join(frame(Text, one), frame(fin|Close, []byte{3, 232}), frame(fin, two)),
			Events: []Event{{Close, []byte{3, 232}}},
		},
		{ID: "x5.5", Name: "close in two fragments", In: join(frame(Close, []byte{3, 232}), frame(fin, nil)), Fails: 1002},
		{
			ID: "10.1.1", Name: "64 KiB in fragments of 1300 bytes", Large: true,
			In: fragments(Text, filler(65536, true), 1300), Events: []Event{{Text, filler(65536, true)}},
		},
	}
	for i, name := range []string{"5.19", "5.20"} {
		c := Case{ID: name, Name: "five fragments with pings between"}
		var whole []byte
		for n := range 5 {
			p := fmt.Appendf(nil, "fragment%d", n+1)
			whole = append(whole, p...)
			c.In = append(c.In, frame([]byte{Text, 0, 0, 0, fin}[n], p)...)
			if n == 1 || n == 3 || i == 1 && n < 4 {
				c.In = append(c.In, pinged...)
				c.Events = append(c.Events, ping)
			}
		}
		c.Events = append(c.Events, Event{Text, whole})
		all = append(all, c)
	}
	return all
}
