package lengthfield_test

import (
	"testing"

	"github.com/go-weir/weir/plugins/lengthfield"
	"github.com/go-weir/weir/ringbuffer"
)

// decode calls UnPacket without a connection, which only garbage needs.
func decode(t testing.TB, p *lengthfield.Protocol, wire []byte) (payload []byte, ok bool) {
	t.Helper()
	ring := ringbuffer.NewWithData(wire)
	ctx, payload := p.UnPacket(nil, ring)
	ok = ctx != nil || len(payload) > 0
	if ok && !ring.IsEmpty() {
		t.Fatalf("%d bytes of %q are left", ring.Length(), wire)
	}
	return payload, ok
}
