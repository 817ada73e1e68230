package websocket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// noise is n bytes that can't be made shorter.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// TestPreparedWindows: a message that repeats itself after 1,000 bytes is half as long
// for those with a window that is larger, and for no others, in whichever order they are
// written to.
func TestPreparedWindows(t *testing.T) {
	data := bytes.Repeat(noise(1000), 2)
	s := start(t, subscribed("t"), websocket.Compression(codec.Deflate{}))
	offer := "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits="
	windows := []int{15, 9, 12, 15, 9}
	var clients []raw
	var conns []*websocket.Conn
	for _, bits := range windows {
		clients = append(clients, upgraded(t, s, fmt.Sprint(offer, bits)))
		conns = append(conns, receive(t, s.opened))
	}
	for name, write := range map[string]func() error{
		"Publish": func() error { return s.protocol.Hub().Publish("t", codec.Binary, data) },
		"WritePrepared": func() error {
			m := websocket.Prepare(codec.Binary, data)
			for i := len(conns); i > 0; i-- {
				if err := conns[i-1].WritePrepared(m); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		fail(t, write())
		for i, c := range clients {
			var header [4]byte
			if _, err := io.ReadFull(c, header[:]); err != nil {
				t.Fatal(err)
			}
			n := int(binary.BigEndian.Uint16(header[2:]))
			if _, err := io.CopyN(io.Discard, c, int64(n)); err != nil {
				t.Fatal(err)
			}
			if short := n < 1500; header[1] != 126 || short != (windows[i] > 9) {
				t.Errorf("%s: a frame of %d bytes for a window of 2^%d", name, n, windows[i])
			}
		}
	}
}

// TestDropWithContext: a subscriber that has to have messages left out is sent those
// that fit, and they make sense to it, although its compression has a context and its
// connection may have less unsent than the backlog.
func TestDropWithContext(t *testing.T) {
	const limit, n = 64 << 10, 50
	for _, slow := range []weir.SlowPolicy{weir.RefuseSlow, weir.CloseSlow} {
		s := startOn(t, subscribed("t"), websocket.New(nil, websocket.Compression(codec.Deflate{Takeover: true})),
			weir.WriteBufferMarks(1, limit/2), weir.WriteBufferLimit(limit), weir.SlowConsumer(slow), weir.SocketWriteBuffer(32<<10))
		c, _ := pair(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
		fail(t, c.NetConn().(*net.TCPConn).SetReadBuffer(16<<10))
		base := noise(5000)
		for i := range n {
			binary.BigEndian.PutUint32(base, uint32(i))
			copy(base[4+100*i%4000:], noise(100+i)) // each is like those before it, and is not
			fail(t, s.protocol.Hub().Publish("t", codec.Binary, append(noise(5000+i), base...)))
		}
		eventually(t, "all is written, or dropped", func() bool {
			st := s.protocol.Stats()
			return st.Delivered+st.Dropped == n && st.Dropped > 0
		})
		last, got := -1, 0
		for delivered := int(s.protocol.Stats().Delivered); got < delivered; got++ {
			kind, data, err := c.Read()
			fail(t, err)
			i := int(binary.BigEndian.Uint32(data[len(data)-5000:]))
			if kind != codec.Binary || i <= last || !bytes.Equal(data[:len(data)-5000], noise(5000+i)) {
				t.Fatalf("message %d behind %d", i, last)
			}
			last = i
		}
		fail(t, s.protocol.Hub().Publish("t", codec.Binary, base)) // which was in what is dropped
		expect(t, c, codec.Binary, string(base))
	}
}

// TestPublishBeforeEnd: what a connection has published to a topic that it has
// subscribed to arrives before its close frame, even if much has to be written before:
// where the loop has come back in the middle of a publication, and between two.
func TestPublishBeforeEnd(t *testing.T) {
	large := strings.Repeat("m", 64<<10)
	for _, tt := range []struct {
		others   int // that are written to before; 15 and the one are as many as one cycle's
		messages []string
	}{{40, []string{large}}, {15, []string{large, "hi"}}} {
		for name, stream := range map[string]string{
			"close frame":    wireClose(1000, ""),
			"protocol error": wire(codec.Continuation, 0, ""),
			"Close":          "",
		} {
			h := subscribed("t")
			h.message = func(c *websocket.Conn, kind websocket.Kind, _ []byte) {
				for _, message := range tt.messages {
					note(t, c.Hub().Publish("t", kind, []byte(message)))
				}
				if stream == "" {
					note(t, c.Close(1000, ""))
				}
			}
			s := start(t, h)
			for range tt.others {
				c := dial(t, s, nil)
				go func() { _, _ = io.Copy(io.Discard, c.NetConn()) }()
			}
			c := upgraded(t, s)
			send(t, c, wire(codec.Text, 0, "question")+stream)
			var want []byte
			for _, message := range tt.messages {
				want = codec.AppendFrame(want, codec.Text, 0, []byte(message))
			}
			want = append(want, 0x88)
			got := make([]byte, len(want))
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s behind %d messages: read %d bytes of %d, %v", name, len(tt.messages), n, len(want), err)
			}
		}
	}
}

// TestPublishBehindClose: nothing follows a close frame, while its answer is awaited.
func TestPublishBehindClose(t *testing.T) {
	s := start(t, subscribed("t"))
	c := upgraded(t, s)
	conn := receive(t, s.opened)
	fail(t, conn.Close(1000, ""))
	onLoop(t, conn, func() int { return 0 })
	fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte("late")))
	onLoop(t, conn, func() int { return 0 })
	send(t, c, wireClose(1000, ""))
	if got, err := io.ReadAll(c); err != nil || string(got) != "\x88\x02\x03\xe8" {
		t.Errorf("the client got %q, %v", got, err)
	}
}

// TestPreparedErrors: nothing is written to one that is closing.
func TestPreparedErrors(t *testing.T) {
	s := start(t, &handler{})
	_, conn := pair(t, s, nil)
	m := websocket.Prepare(codec.Text, []byte("m"))
	fail(t, conn.Close(1000, ""))
	for name, write := range map[string]func(*websocket.PreparedMessage) error{
		"WritePrepared": conn.WritePrepared, "ReplyPrepared": conn.ReplyPrepared,
	} {
		if err := onLoop(t, conn, func() error { return write(m) }); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
