package websocket

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestPreparedWaitsForNobody: while one goroutine compresses a message, loops can have
// it that need it otherwise, or have it already.
func TestPreparedWaitsForNobody(t *testing.T) {
	k, err := codec.New(codec.Config{Deflate: new(codec.Deflate)})
	if err != nil {
		t.Fatal(err)
	}
	w := &Conn{deflate: k.NewCompression(codec.Params{ServerNoTakeover: true, ServerBits: 15, ClientBits: 15})}
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 4<<20)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	for range 5 { // a busy machine may have it wait for its turn
		m := Prepare(codec.Binary, data)
		took := make(chan time.Duration, 1)
		go func() {
			began := time.Now()
			m.shared(w)
			took <- time.Since(began)
		}()
		longest := time.Duration(0)
		for {
			began := time.Now()
			frame := m.known(w.deflate.Bits())
			longest = max(longest, time.Since(began))
			if frame != nil {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
		if longest < <-took/2 {
			return
		}
	}
	t.Error("what the message is compressed to can't be looked at while it is compressed")
}
