package websocket

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

// TestSubprotocolsWork: 64 times as many subprotocols take about 64 times as long to list,
// not 4,096 times, and a head that repeats one does not take longer.
func TestSubprotocolsWork(t *testing.T) {
	took := func(n int, last string) time.Duration {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%x,", i)
		}
		h := http1.Head{Limits: http1.Limits{Head: 1 << 20}}
		h.Reset()
		used, err := h.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: " + b.String() + last + "\r\n\r\n"))
		if err != nil || used == 0 {
			t.Fatal(used, err)
		}
		least := time.Duration(math.MaxInt64)
		for range 20 { // the least is what it takes when nothing interferes
			began := time.Now()
			names, distinct := subprotocols(&h)
			least = min(least, time.Since(began))
			if len(names) < n || distinct != (last == "") {
				t.Fatalf("%d names, distinct %v", len(names), distinct)
			}
		}
		return least
	}
	few, many, repeated := took(500, ""), took(32_000, ""), took(32_000, "0")
	if many > 800*few || repeated > 800*few {
		t.Errorf("500 take %v, 32,000 %v, and with one twice %v", few, many, repeated)
	}
}
