package websocket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

// TestSubprotocolsWork: as many subprotocols as no head has room for are listed in no
// time. A second is a hundred times what it takes, and a tenth of what it would take to
// compare them pairwise.
func TestSubprotocolsWork(t *testing.T) {
	const n, limit = 32_000, time.Second
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%x,", i)
	}
	for _, last := range []string{"", "0"} { // the last one is the first one once more
		h := http1.Head{Limits: http1.Limits{Head: 1 << 20}}
		h.Reset()
		used, err := h.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: " + b.String() + last + "\r\n\r\n"))
		if err != nil || used == 0 {
			t.Fatal(used, err)
		}
		least := limit
		for i := 0; i < 2 && least >= limit; i++ { // once more if anything has interfered
			began := time.Now()
			names, distinct := subprotocols(&h)
			least = min(least, time.Since(began))
			if len(names) != n+len(last) || distinct != (last == "") {
				t.Fatalf("%d names, distinct %v", len(names), distinct)
			}
		}
		if least >= limit {
			t.Errorf("%d names and %q take over %v", n, last, limit)
		}
	}
}
