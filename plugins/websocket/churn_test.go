package websocket_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestHubChurn: while connections come, subscribe and go in all ways, and goroutines
// publish, who stays gets every message once and in order, and nothing is left at the
// end.
func TestHubChurn(t *testing.T) {
	s := startOn(t, commands(), websocket.New(nil, websocket.Compression(codec.Deflate{Threshold: 1})), weir.NumLoops(2), weir.Linger(0))
	hub := s.protocol.Hub()
	stays := dial(t, s, &websocket.DialOptions{Compression: new(codec.Deflate)})
	say(t, stays, "+t", "t")
	receive(t, s.opened)

	var over atomic.Bool
	var churning sync.WaitGroup
	defer churning.Wait()
	defer over.Store(true) // also if the test fails
	for g := range 2 {
		churning.Go(func() {
			for i := 0; !over.Load(); i++ {
				c, err := websocket.Dial(t.Context(), s.url("/"), nil)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.Write(codec.Text, []byte("+t")) // whether that arrives is not asked
				_ = c.Write(codec.Text, fmt.Appendf(nil, "+%d", i))
				switch (g + i) % 3 {
				case 0:
					_ = c.Close(1000, "")
				case 1:
					_ = c.Write(codec.Text, []byte("-t"))
				}
				_ = c.CloseNow()
				select {
				case conn := <-s.opened: // this one or another
					_ = conn.WriteText([]byte("from elsewhere"))
					_ = conn.Close(4000, "")
				default: // it is late
				}
				for len(s.ended) > cap(s.ended)/2 {
					<-s.ended
				}
			}
		})
	}
	const publishers, each = 2, 2000
	for g := range publishers {
		churning.Go(func() {
			for i := range each {
				_ = hub.Publish("t", codec.Text, fmt.Appendf(nil, "%d %d", g, i)) // there is no broker
			}
		})
	}
	var next [publishers]int
	for range publishers * each {
		_, data, err := stays.Read()
		fail(t, err)
		var g, i int
		if _, err := fmt.Sscan(string(data), &g, &i); err != nil || next[g] != i {
			t.Fatalf("%q, and %v are next: %v", data, next, err)
		}
		next[g]++
	}
	over.Store(true)
	churning.Wait()
	fail(t, stays.CloseNow())
	eventually(t, "that nothing is left", func() bool {
		st := s.protocol.Stats()
		return st.Open == 0 && st.Topics == 0 && st.Memory == 0 && st.Queued == 0 && hub.Subscribers("t") == 0
	})
}
