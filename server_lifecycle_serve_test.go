package weir_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/go-weir/weir"
)

func TestEcho(t *testing.T) {
	for _, loops := range []int{1, 3} {
		for _, reuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("loops=%d,reuseport=%v", loops, reuse), func(t *testing.T) {
				s := start(t, &handler{message: echo}, weir.NumLoops(loops), weir.ListenerPerLoop(reuse))
				for range 8 {
					c := dial(t, s)
					send(t, c, "hello")
					expect(t, c, "hello")
				}
			})
		}
	}
}

// TestLife: OnConnect first, OnClose last, both once, and the cause of each
// kind of end.
func TestLife(t *testing.T) {
	failure := errors.New("broken stream")
	for _, tt := range []struct {
		name string
		end  func(c *weir.Connection, peer net.Conn)
		want error
	}{
		{"peer", func(_ *weir.Connection, peer net.Conn) { _ = peer.Close() }, io.EOF},
		{"Close", func(c *weir.Connection, _ net.Conn) { _ = c.Close() }, weir.ErrConnectionClosed},
		{"Close is net.ErrClosed", func(c *weir.Connection, _ net.Conn) { _ = c.Close() }, net.ErrClosed},
		{"CloseWithError", func(c *weir.Connection, _ net.Conn) { c.CloseWithError(failure) }, failure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var order []string
			ended := make(chan *weir.Connection, 1)
			started := make(chan *weir.Connection, 1)
			s := start(t, &handler{
				connect: func(c *weir.Connection) { order = append(order, "connect"); started <- c },
				message: func(*weir.Connection, any, []byte) any { order = append(order, "message"); return "reply" },
				close:   func(c *weir.Connection) { order = append(order, "close"); ended <- c },
			})
			peer := dial(t, s)
			c := receive(t, started)
			send(t, peer, "x")
			expect(t, peer, "reply")
			if c.Err() != nil || !c.Connected() {
				t.Errorf("open connection: Err %v, Connected %v", c.Err(), c.Connected())
			}
			tt.end(c, peer)
			if got := receive(t, ended); got != c {
				t.Fatalf("OnClose for %v, want %v", got, c)
			}
			if !errors.Is(c.Err(), tt.want) {
				t.Errorf("Err is %v, want %v", c.Err(), tt.want)
			}
			if fmt.Sprint(order) != "[connect message close]" {
				t.Errorf("callbacks %v", order)
			}
			if err := c.Send("x"); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("Send after the end: %v", err)
			}
			if err := c.Close(); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("Close after the end: %v", err)
			}
		})
	}
}
