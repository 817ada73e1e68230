package peertest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-weir/weir/plugins/websocket"
)

// each runs a test for every library in Go, against a server of its own.
func each(t *testing.T, f func(t *testing.T, s *server, l library)) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) { f(t, serve(t), l) })
	}
}

// filler is n bytes of text that compresses, but not to nothing.
func filler(n int) []byte {
	var p []byte
	for i := 0; len(p) < n; i++ {
		p = fmt.Appendf(p, `{"n":%d,"word":"w%d"},`, i, i*i%1009)
	}
	return p[:n]
}

func TestEcho(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 1000, 4096, 65535, 65536, 300_000, 1 << 20}
	each(t, func(t *testing.T, _ *server, l library) {
		for _, mode := range l.compress {
			t.Run("compress="+mode, func(t *testing.T) {
				s := serve(t)
				c := connect(t, l, s.url("/echo"), settings{compress: mode})
				for round := range 3 { // from the second on there is something in the context
					for _, n := range sizes {
						kind := text + round%2
						send(t, c, kind, filler(n))
						expect(t, c, kind, filler(n))
					}
				}
				send(t, c, bin, bytes.Repeat([]byte{0xff, 0x00, 0xc3}, 1000))
				expect(t, c, bin, bytes.Repeat([]byte{0xff, 0x00, 0xc3}, 1000))
				s.counts(t, func(st websocket.Stats) bool { return (st.Compressed > 0) == (mode != "") })
			})
		}
	})
}

// TestPipelined has many messages under way at once, both ways.
func TestPipelined(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for _, mode := range l.compress {
			c := connect(t, l, s.url("/echo"), settings{compress: mode})
			wrote := make(chan error, 1)
			go func() {
				for i := range 1000 {
					if err := c.write(text, filler(i*7)); err != nil {
						wrote <- err
						return
					}
				}
				wrote <- nil
			}()
			for i := range 1000 {
				expect(t, c, text, filler(i*7))
			}
			if err := receive(t, wrote); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestFragments(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for _, mode := range l.compress {
			c := connect(t, l, s.url("/echo"), settings{compress: mode})
			for _, n := range []int{2, 100, 20_000, 1 << 20} {
				p := filler(n)
				send(t, c, text, p[:n/2], p[n/2:n/2+n/4], p[n/2+n/4:], nil)
				expect(t, c, text, p)
			}
			cut := []byte("caf\xc3\xa9 \xe2\x82\xac")
			send(t, c, text, cut[:4], cut[4:7], cut[7:8], cut[8:])
			expect(t, c, text, cut)
		}
	})
}

func TestPing(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		c := connect(t, l, s.url("/ask"), settings{})
		for _, p := range []string{"", "hello", strings.Repeat("x", 125)} {
			if err := c.ping(p); err != nil {
				t.Fatal(err)
			}
			if got := receive(t, c.box().pongs); got != p {
				t.Errorf("pong %q for %q", got, p)
			}
			send(t, c, text, []byte("ping "+p))
			if got := receive(t, c.box().pings); got != p {
				t.Errorf("ping %q, not %q", got, p)
			}
		}
		s.counts(t, func(st websocket.Stats) bool { return st.PingsIn == 3 && st.PongsIn == 3 })
	})
}

func TestSubprotocol(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for _, o := range []struct {
			offer []string
			want  string
		}{{nil, ""}, {[]string{"good"}, "good"}, {[]string{"bad", "good", "best"}, "best"}} {
			if got := connect(t, l, s.url("/echo"), settings{subprotocols: o.offer}).subprotocol(); got != o.want {
				t.Errorf("%q is agreed on of %q, want %q", got, o.offer, o.want)
			}
		}
	})
}

func TestOrigin(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		if _, err := l.dial(s.url("/echo"), settings{origin: "https://elsewhere.example"}); statusOf(err) != 403 {
			t.Errorf("another origin: %v %d, want 403", err, statusOf(err))
		}
		c := connect(t, l, s.url("/echo"), settings{origin: strings.Replace(s.url(""), "ws:", "http:", 1)})
		send(t, c, text, []byte("at home"))
		expect(t, c, text, []byte("at home"))
	})
}

// closures are codes and reasons that both sides send.
var closures = []closure{{1000, ""}, {1001, "off"}, {1011, "ünïcode €"}, {3000, "bye"}, {4999, strings.Repeat("r", 123)}}

func TestCloseByClient(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for i, end := range closures {
			id := fmt.Sprint("c", i)
			c := connect(t, l, s.url("/echo?id="+id), settings{})
			send(t, c, text, []byte("last words"))
			expect(t, c, text, []byte("last words"))
			if err := c.close(end.code, end.reason); err != nil {
				t.Errorf("%d: %v", end.code, err)
			}
			if got, want := s.ended(t.Context(), id), strings.TrimSpace(fmt.Sprint(end.code, " ", end.reason)); got != want {
				t.Errorf("the server hears %q, not %q", got, want)
			}
			if got := receive(t, c.box().ended); !l.leaves && got.code != end.code {
				t.Errorf("%d is answered with %d", end.code, got.code)
			}
		}
	})
}

func TestCloseByServer(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for i, end := range closures {
			id := fmt.Sprint("s", i)
			c := connect(t, l, s.url("/ask?id="+id), settings{})
			send(t, c, text, fmt.Appendf(nil, "close %d %s", end.code, end.reason))
			if got := receive(t, c.box().ended); got != end {
				t.Errorf("the client hears %v, not %v", got, end)
			}
			s.ended(t.Context(), id)
		}
		if n := s.protocol.Stats().CloseTimeouts; n != 0 {
			t.Errorf("%d close frames were not answered", n)
		}
	})
}

// TestTooBig: the connection is closed with 1009, which comes through although the
// client is still sending.
func TestTooBig(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		for i, mode := range l.compress {
			id := fmt.Sprint("b", i)
			c := connect(t, l, s.url("/echo?id="+id), settings{compress: mode})
			send(t, c, bin, filler(messageLimit))
			expect(t, c, bin, filler(messageLimit))
			_ = c.write(bin, bytes.Repeat(filler(messageLimit), 2)) // which may meet the end
			if got := receive(t, c.box().ended); got.code != 1009 {
				t.Errorf("compress=%s: ends with %v, want 1009", mode, got)
			}
			if got := s.ended(t.Context(), id); !strings.HasPrefix(got, "1009") {
				t.Errorf("compress=%s: the server says %q, want 1009", mode, got)
			}
		}
	})
}

// TestConcurrentWrites has goroutines of both sides write at the same time.
func TestConcurrentWrites(t *testing.T) {
	const writers, many = 8, 100
	each(t, func(t *testing.T, s *server, l library) {
		for _, mode := range l.compress {
			c := connect(t, l, s.url("/echo"), settings{compress: mode})
			var wg sync.WaitGroup
			for who := range writers {
				wg.Go(func() {
					for i := range many {
						if err := c.write(text, append(fmt.Appendf(nil, "%d %d ", who, i), filler(i*20)...)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			inOrder(t, c, writers, many)
			wg.Wait()
			c = connect(t, l, s.url("/ask"), settings{compress: mode})
			send(t, c, text, fmt.Appendf(nil, "burst %d %d 1000", writers, many))
			inOrder(t, c, writers, many)
		}
	})
}

// inOrder receives the messages of several writers, each of whose are in order.
func inOrder(t *testing.T, c client, writers, each int) {
	t.Helper()
	next := make([]int, writers)
	for range writers * each {
		var who, i int
		m := receive(t, c.box().messages)
		if _, err := fmt.Sscanf(string(m.data), "%d %d ", &who, &i); err != nil {
			t.Fatalf("%.40q: %v", m.data, err)
		}
		if i != next[who] {
			t.Fatalf("message %d of writer %d comes instead of %d", i, who, next[who])
		}
		next[who]++
	}
}

func TestAbruptEnd(t *testing.T) {
	each(t, func(t *testing.T, s *server, l library) {
		c := connect(t, l, s.url("/echo?id=a1"), settings{})
		send(t, c, text, []byte("hello"))
		expect(t, c, text, []byte("hello"))
		if err := c.drop(); err != nil {
			t.Error(err)
		}
		if got := s.ended(t.Context(), "a1"); got != "1006" {
			t.Errorf("the server hears %q, want 1006", got)
		}
		c = connect(t, l, s.url("/ask?id=a2"), settings{})
		send(t, c, text, []byte("drop"))
		if got := receive(t, c.box().ended); got.code != 1006 {
			t.Errorf("the client hears %v, want 1006", got)
		}
		if got := s.ended(t.Context(), "a2"); got != "1006" {
			t.Errorf("the server hears %q, want 1006", got)
		}
	})
}
