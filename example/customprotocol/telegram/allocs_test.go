//go:build !race

package telegram_test

import (
	"testing"

	"github.com/go-weir/weir/example/customprotocol/telegram"
	"github.com/go-weir/weir/protocoltest"
)

func TestNoAllocation(t *testing.T) {
	x := protocoltest.New(t, spec())
	if n := x.DecodeAllocs(t, []byte("?\x00\x05hello!\x00\x00")); n != 0 {
		t.Errorf("UnPacket: %v allocations for each telegram", n)
	}
	if n := x.EncodeAllocs(t, &telegram.Telegram{Kind: telegram.Answer, Text: "hello"}); n != 0 {
		t.Errorf("AppendPacket: %v allocations", n)
	}
}
