package websocket_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestStreams: what a server answers to what a client sends, wherever that is cut, and
// how the connection ends.
func TestStreams(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.MessageLimit(1000), websocket.FrameLimit(4))
	const text, binary = codec.Text, codec.Binary
	bye := wireClose(1000, "bye")
	for _, tt := range []struct {
		name, in, out string
		code          websocket.Code
	}{
		{"text", wire(text, 0, "hello") + bye, "text:hello close:1000", 1000},
		{"binary", wire(binary, 0, "\x00\xff") + bye, "binary:\x00\xff close:1000", 1000},
		{"empty", wire(text, 0, "") + wire(binary, 0, "") + bye, "text: binary: close:1000", 1000},
		{"pipelined", strings.Repeat(wire(text, 0, "x"), 5) + bye, "text:x text:x text:x text:x text:x close:1000", 1000},
		{"16-bit length", wire(text, 0, strings.Repeat("l", 200)) + bye, "text:" + strings.Repeat("l", 200) + " close:1000", 1000},
		{"fragments", wire(text, codec.More, "a") + wire(0, codec.More, "b") + wire(0, 0, "c") + bye, "text:abc close:1000", 1000},
		{"ping", wire(codec.Ping, 0, "p") + bye, "pong:p close:1000", 1000},
		{"ping within fragments", wire(text, codec.More, "a") + wire(codec.Ping, 0, "p") + wire(0, 0, "b") + bye, "pong:p text:ab close:1000", 1000},
		{"pong nobody asked for", wire(codec.Pong, 0, "p") + bye, "close:1000", 1000},
		{"close without a code", wireClose(codec.NoStatus, ""), "close:1005", 1005},
		{"close with a program's code", wireClose(4999, "x"), "close:4999", 4999},
		{"behind close", bye + wire(text, 0, "late"), "close:1000", 1000},
		{"message before close", wire(text, 0, "last") + wireClose(1001, ""), "text:last close:1001", 1001},

		{"reserved bit", wire(text, 0, "ok") + "\xc1\x80", "text:ok close:1002", 1002},
		{"opcode", wire(text, 0, "ok") + "\x83\x80", "text:ok close:1002", 1002},
		{"no mask", wire(text, 0, "ok") + "\x81\x01x", "text:ok close:1002", 1002},
		{"long ping", "\x89\xfe", "close:1002", 1002},
		{"ping in fragments", "\x09\x80", "close:1002", 1002},
		{"continuation of nothing", wire(0, 0, "x"), "close:1002", 1002},
		{"message within a message", wire(text, codec.More, "a") + wire(text, 0, "b"), "close:1002", 1002},
		{"close with half a code", wire(codec.Close, 0, "\x03"), "close:1002", 1002},
		{"close with 1005", wire(codec.Close, 0, "\x03\xed"), "close:1002", 1002},
		{"close with 5000", wire(codec.Close, 0, "\x13\x88"), "close:1002", 1002},
		{"UTF-8", wire(text, 0, "ok") + wire(text, 0, "\xce\xba\xe1\xbd\xed\xa0\x80"), "text:ok close:1007", 1007},
		{"UTF-8 in a reason", wireClose(1000, "\xff"), "close:1007", 1007},
		{"negative length", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", "close:1002", 1002},
		{"too big", wire(text, 0, strings.Repeat("x", 1001)), "close:1009", 1009},
		{"too big in fragments", wire(text, codec.More, strings.Repeat("x", 600)) + wire(0, 0, strings.Repeat("x", 401)), "close:1009", 1009},
		{"announced too big", "\x82\xff\x00\x00\x00\x7f\xff\xff\xff\xff", "close:1009", 1009},
		{"too many frames", wire(text, codec.More, "") + strings.Repeat(wire(0, codec.More, ""), 4), "close:1008", 1008},
	} {
		t.Run(tt.name, func(t *testing.T) {
			step := max(len(tt.in)/24, 1)
			for cut := 0; cut < len(tt.in); cut += step {
				c := upgraded(t, s)
				conn := receive(t, s.opened)
				if cut > 0 {
					send(t, c, tt.in[:cut])
					_ = conn.Execute(func() {}) // for the time that it takes: it comes in two pieces then, as a rule
				}
				send(t, c, tt.in[cut:])
				if got := c.frames(t); got != tt.out {
					t.Fatalf("cut at %d: frames %q, want %q", cut, got, tt.out)
				}
				if e := receive(t, s.ended); e.code != tt.code {
					t.Fatalf("cut at %d: OnClose(%v, %q)", cut, e.code, e.reason)
				}
			}
		})
	}
	eventually(t, "the limits are counted", func() bool {
		st := s.protocol.Stats()
		return st.Limits.Message > 3 && st.Limits.Frames > 1 && st.Closed[1002] > 10 && st.Open == 0
	})
}

// TestPanic: a callback that panics ends its connection, and no other.
func TestPanic(t *testing.T) {
	s := start(t, &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		if string(data) == "panic" {
			panic("asked for")
		}
		echo(c, kind, data)
	}})
	other := dial(t, s, nil)
	c := dial(t, s, nil)
	fail(t, c.Write(codec.Text, []byte("panic")))
	var panicked *weir.PanicError
	if e := receive(t, s.ended); !errors.As(e.err, &panicked) {
		t.Errorf("%+v", e)
	}
	fail(t, other.Write(codec.Text, []byte("x")))
	expect(t, other, codec.Text, "x")
}

// TestWrite: messages of all sizes from other goroutines, each goroutine's in order.
func TestWrite(t *testing.T) {
	s := start(t, &handler{})
	c, conn := pair(t, s, nil)
	const goroutines, each = 4, 200
	var writing sync.WaitGroup
	size := func(i int) int { return []int{0, 1, 125, 126, 4000, 9000, 70_000}[i%7] }
	for g := range goroutines {
		writing.Go(func() {
			for i := range each {
				p := fmt.Appendf(nil, "%d %d %s", g, i, strings.Repeat("x", size(i)))
				if err := conn.Write(codec.Binary, p); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
	next := make([]int, goroutines)
	for range goroutines * each {
		_, data, err := c.Read()
		fail(t, err)
		var g, i int
		if _, err := fmt.Sscan(string(data[:bytes.LastIndexByte(data, ' ')]), &g, &i); err != nil || next[g] != i || !bytes.HasSuffix(data, []byte(" "+strings.Repeat("x", size(i)))) {
			t.Fatalf("%.20q, %d is next: %v", data, next[g], err)
		}
		next[g]++
	}
	writing.Wait()
	eventually(t, "nothing buffered, and all counted", func() bool {
		return conn.Buffered() == 0 && s.protocol.Stats().MessagesOut == goroutines*each
	})
	fail(t, conn.Ping([]byte("are you there")))
	m, err := c.ReadMessage()
	if err != nil || m.Kind != codec.Ping || string(m.Data) != "are you there" {
		t.Errorf("%v %q, %v", m.Kind, m.Data, err)
	}
}

// TestRefused: past the limit, writes say so; OnWritable says when it goes on.
func TestRefused(t *testing.T) {
	writable := make(chan struct{}, 1)
	s := startOn(t, &handler{writable: func(*websocket.Conn) {
		select {
		case writable <- struct{}{}:
		default: // once is enough
		}
	}}, websocket.New(nil),
		weir.WriteBufferMarks(1<<10, 64<<10), weir.WriteBufferLimit(1<<20))
	c, conn := pair(t, s, nil)
	p := make([]byte, 100<<10)
	n := 0
	for ; ; n++ {
		if err := conn.WriteBinary(p); err != nil {
			if !errors.Is(err, weir.ErrWriteBufferFull) {
				t.Fatal(err)
			}
			break
		}
		onLoop(t, conn, func() int { return 0 })
	}
	if b := conn.Buffered(); b < 900<<10 || b > 1<<20 {
		t.Errorf("%d bytes buffered", b)
	}
	if err := onLoop(t, conn, func() error { return conn.Reply(codec.Binary, p) }); !errors.Is(err, weir.ErrWriteBufferFull) {
		t.Errorf("Reply: %v", err)
	}
	for range n {
		expect(t, c, codec.Binary, string(p))
	}
	receive(t, writable)
	fail(t, conn.WriteText([]byte("on")))
	expect(t, c, codec.Text, "on")
}

// TestRetain: what is retained stays as it is.
func TestRetain(t *testing.T) {
	var kept [][]byte
	s := start(t, &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		kept = append(kept, c.Retain(data))
		if len(kept) == 3 {
			_ = c.Reply(kind, bytes.Join(kept, nil))
		}
	}})
	c := dial(t, s, nil)
	for _, p := range []string{"one ", "two ", "three"} {
		fail(t, c.Write(codec.Text, []byte(p)))
	}
	expect(t, c, codec.Text, "one two three")
}

// TestPauseRead: nothing is delivered until ResumeRead.
func TestPauseRead(t *testing.T) {
	s := start(t, &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		echo(c, kind, data)
		c.PauseRead()
	}})
	c := upgraded(t, s)
	send(t, c, wire(codec.Text, 0, "1")+wire(codec.Text, 0, "2"))
	conn := receive(t, s.opened)
	eventually(t, "one message", func() bool { return s.protocol.Stats().MessagesIn == 1 })
	conn.ResumeRead()
	eventually(t, "another one", func() bool { return s.protocol.Stats().MessagesIn == 2 })
	conn.ResumeRead()
	send(t, c, wireClose(1000, ""))
	if got := c.frames(t); got != "text:1 text:2 close:1000" {
		t.Errorf("frames %s", got)
	}
}
