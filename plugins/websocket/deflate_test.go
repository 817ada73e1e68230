package websocket_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestCompression: with a context on both sides, one, or none, messages of all sizes
// come back as they went, the long ones by a goroutine and still in their order.
func TestCompression(t *testing.T) {
	for _, d := range []codec.Deflate{
		{Threshold: 1},
		{Threshold: 1, Takeover: true},
		{Threshold: 1, NoPeerTakeover: true},
		{},
	} {
		t.Run(fmt.Sprintf("%+v", d), func(t *testing.T) {
			s := start(t, &handler{message: echo}, websocket.Compression(d), websocket.InflateAside(200, 2))
			c, conn := pair(t, s, &websocket.DialOptions{Compression: &codec.Deflate{Threshold: 1, Takeover: true}})
			if !c.Compressed() || !conn.Compressed() {
				t.Fatal("not agreed on")
			}
			var want []string
			for i := range 60 {
				text := fmt.Sprint(i, " ", strings.Repeat("so many words ", 1<<(i%16)), i)
				if i%3 == 0 {
					text = fmt.Sprint(i)
				}
				want = append(want, text)
			}
			go func() {
				for _, text := range want {
					_ = c.Write(codec.Text, []byte(text)) // the reader waits in vain
				}
			}()
			for _, text := range want {
				expect(t, c, codec.Text, text)
			}
			eventually(t, "the counts", func() bool {
				st := s.protocol.Stats()
				return st.Compressed > st.Aside && st.Aside > 0 && st.MessagesIn == 60 && st.MessagesOut == 60
			})
			if st := s.protocol.Stats(); st.BytesOut*4 > st.BytesIn {
				t.Errorf("%d bytes of messages, %d of frames: not compressed", st.BytesIn, st.BytesOut)
			}
			fail(t, c.Close(1000, ""))
			expectClose(t, c, 1000)
			receive(t, s.ended)
		})
	}
}

// TestBomb: a message of few bytes that become many is inflated aside, past the limit
// not at all, and what comes behind it keeps its place.
func TestBomb(t *testing.T) {
	h := &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
		_ = c.Reply(kind, fmt.Append(nil, len(data))) // an error means that it is ending
	}}
	s := start(t, h, websocket.Compression(codec.Deflate{}), websocket.InflatedLimit(4<<20), websocket.InflateAside(16<<10, 1))
	dialed := &websocket.DialOptions{Compression: &codec.Deflate{Threshold: 1, Takeover: true}}
	c := dial(t, s, dialed)
	for _, n := range []int{200 << 10, 4 << 20, 3, 256<<10 + 1, 7} {
		fail(t, c.Write(codec.Binary, make([]byte, n)))
	}
	for _, n := range []int{200 << 10, 4 << 20, 3, 256<<10 + 1, 7} {
		expect(t, c, codec.Binary, fmt.Sprint(n))
	}
	eventually(t, "two of them were inflated aside", func() bool { return s.protocol.Stats().Aside == 2 })
	fail(t, c.Write(codec.Binary, make([]byte, 4<<20+1)))
	expectClose(t, c, codec.MessageTooBig)
	eventually(t, "the count", func() bool { st := s.protocol.Stats(); return st.Limits.Inflated == 1 && st.Pinned == 0 })
}

// TestPinnedAside: messages that wait for a goroutine are not free.
func TestPinnedAside(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Compression(codec.Deflate{}), websocket.InflateAside(1, 1), websocket.PinnedLimit(10_000))
	offer := &websocket.DialOptions{Compression: &codec.Deflate{Threshold: 1}}
	c := dial(t, s, offer)
	fail(t, c.Write(codec.Binary, bytes.Repeat([]byte("ten bytes!"), 900)))
	expect(t, c, codec.Binary, strings.Repeat("ten bytes!", 900))
	fail(t, c.Write(codec.Binary, bytes.Repeat([]byte("ten bytes!"), 1100))) // too much when inflated
	expectClose(t, c, codec.TryAgainLater)

	empty := strings.Repeat("\x00\x00\x00\xff\xff", 3000) + "\x00" // blocks without anything in them
	r := upgraded(t, s, "Sec-WebSocket-Extensions: permessage-deflate")
	send(t, r, wire(codec.Binary, codec.Deflated, empty)) // too much before
	if got := r.frames(t); got != "close:1013" {
		t.Errorf("frames %s", got)
	}
	eventually(t, "the count", func() bool { st := s.protocol.Stats(); return st.Limits.Pinned == 2 && st.Pinned == 0 })
}

// TestCompressionMemory: who comes when there is no memory for another context does
// without one, and is counted.
func TestCompressionMemory(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Compression(codec.Deflate{Memory: 40 << 10}))
	offer := &websocket.DialOptions{Compression: new(codec.Deflate)}
	first, second := dial(t, s, &websocket.DialOptions{Compression: &codec.Deflate{Takeover: true}}), dial(t, s, offer)
	third := dial(t, s, &websocket.DialOptions{Compression: &codec.Deflate{Takeover: true, Threshold: 1}})
	if !first.Compressed() || !second.Compressed() || !third.Compressed() {
		t.Errorf("%v %v %v", first.Compressed(), second.Compressed(), third.Compressed())
	}
	if st := s.protocol.Stats(); st.Limits.Memory != 1 || st.Memory != 32<<10 {
		t.Errorf("%d times less was agreed on, %d bytes", st.Limits.Memory, st.Memory)
	}
	for range 2 { // the second without what the first would be in a context
		text := strings.Repeat("text ", 100)
		fail(t, third.Write(codec.Text, []byte(text)))
		expect(t, third, codec.Text, text)
	}
	for _, c := range []*websocket.Client{first, second, third} {
		fail(t, c.CloseNow())
	}
	eventually(t, "nothing is left of it", func() bool { return s.protocol.Stats().Memory == 0 })
}

// TestCompressionDeclined: who doesn't offer it, or is offered none, does without.
func TestCompressionDeclined(t *testing.T) {
	offers := &websocket.DialOptions{Compression: new(codec.Deflate)}
	for _, tt := range []struct {
		opts   []websocket.Option
		client *websocket.DialOptions
	}{{nil, offers}, {[]websocket.Option{websocket.Compression(codec.Deflate{})}, nil}} {
		s := start(t, &handler{message: echo}, tt.opts...)
		c, conn := pair(t, s, tt.client)
		if c.Compressed() || conn.Compressed() {
			t.Error("agreed on")
		}
		fail(t, c.Write(codec.Text, []byte("plain")))
		expect(t, c, codec.Text, "plain")
	}
}

// TestWritesCompressed: what other goroutines write is compressed as well, but not what
// must not be.
func TestWritesCompressed(t *testing.T) {
	for _, takeover := range []bool{false, true} {
		s := start(t, &handler{}, websocket.Compression(codec.Deflate{Threshold: 1, Takeover: takeover}))
		c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		long := bytes.Repeat([]byte("twelve bytes"), 2000)
		m := websocket.Prepare(codec.Text, long)
		out := func() uint64 { return onLoop(t, conn, s.Stats).BytesOut }
		for name, write := range map[string]func() error{
			"WriteText":     func() error { return conn.WriteText(long) },
			"WritePrepared": func() error { return conn.WritePrepared(m) },
			"ReplyPrepared": func() error { return onLoop(t, conn, func() error { return conn.ReplyPrepared(m) }) },
			"Reply":         func() error { return onLoop(t, conn, func() error { return conn.Reply(codec.Text, long) }) },
			"WritePlain":    func() error { return conn.WritePlain(codec.Text, long) },
		} {
			before := out()
			fail(t, write())
			expect(t, c, codec.Text, string(long))
			n := out() - before
			if plain := n > uint64(len(long)); plain != (name == "WritePlain") || n == 0 {
				t.Errorf("%s (takeover %v): %d bytes for %d", name, takeover, n, len(long))
			}
		}
	}
}

// TestInflateFailures: on the loop and aside, what is wrong with a compressed message
// ends the connection with the right code, behind what came before.
func TestInflateFailures(t *testing.T) {
	client, err := codec.New(codec.Config{Client: true, Deflate: &codec.Deflate{Threshold: 1}})
	fail(t, err)
	params, err := client.Confirm([]byte("permessage-deflate; server_no_context_takeover; client_no_context_takeover"))
	fail(t, err)
	z := client.NewCompression(params)
	defer z.Release()
	compressed := func(k codec.Kind, p string) string {
		return string(z.AppendMasked(nil, k, [4]byte{1, 2, 3, 4}, []byte(p)))
	}
	for _, aside := range []int{1, 1 << 20} {
		s := start(t, &handler{message: func(c *websocket.Conn, kind websocket.Kind, data []byte) {
			_ = c.Reply(kind, fmt.Append(nil, len(data)))
		}}, websocket.Compression(codec.Deflate{Threshold: 1 << 20}), websocket.InflateAside(aside, 1), websocket.InflatedLimit(100_000))
		for _, tt := range []struct{ name, in, out string }{
			{"bomb", compressed(codec.Text, "first") + compressed(codec.Binary, strings.Repeat("0", 100_001)), "text:5 close:1009"},
			{"corrupt", wire(codec.Text, codec.Deflated, "\xff\xff\xff") + wire(codec.Text, 0, "later"), "close:1007"},
			{"not UTF-8", wire(codec.Text, 0, "abc") + compressed(codec.Text, strings.Repeat("abc\xff", 100)), "text:3 close:1007"},
			{"in order", compressed(codec.Text, strings.Repeat("x", 99_999)) + wire(codec.Text, 0, "x") + compressed(codec.Text, "xx") + wireClose(1000, ""), "text:99999 text:1 text:2 close:1000"},
		} {
			t.Run(fmt.Sprint(tt.name, " ", aside), func(t *testing.T) {
				for cut := 0; cut < len(tt.in); cut += max(len(tt.in)/20, 1) {
					c := upgraded(t, s, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover")
					conn := receive(t, s.opened)
					send(t, c, tt.in[:cut])
					_ = conn.Execute(func() {}) // for the time that it takes
					send(t, c, tt.in[cut:])
					if got := c.frames(t); got != tt.out {
						t.Fatalf("cut at %d: %q, want %q", cut, got, tt.out)
					}
					receive(t, s.ended)
				}
			})
		}
		eventually(t, "the limit is counted", func() bool { return s.protocol.Stats().Limits.Inflated >= 20 })
	}
}

// TestEndWhileInflating: a connection that ends while a goroutine inflates its message,
// and one whose server does.
func TestEndWhileInflating(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Compression(codec.Deflate{}), websocket.InflateAside(1, 1))
	huge := bytes.Repeat([]byte("a lot of text, and "), 400_000)
	for range 3 {
		c, conn := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		fail(t, c.Write(codec.Binary, huge))
		eventually(t, "it has begun", func() bool { return s.protocol.Stats().Aside > 0 })
		_ = conn.CloseNow() // it may have ended
		receive(t, s.ended)
	}
	c := dial(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
	fail(t, c.Write(codec.Binary, huge)) // and the server stops
}
