package telegram_test

import (
	"strings"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/example/customprotocol/telegram"
	"github.com/go-weir/weir/protocoltest"
)

func spec() protocoltest.Spec {
	longest := strings.Repeat("x", telegram.MaxText)
	message := func(kind telegram.Kind, text string) protocoltest.Message {
		return protocoltest.Message{Ctx: kind, Payload: []byte(text)}
	}
	return protocoltest.Spec{
		Protocol: telegram.Protocol{},
		Streams: []protocoltest.Stream{{
			Name:     "two, and the beginning of a third",
			Bytes:    []byte("?\x00\x05hello!\x00\x00?\x00\x0Aincompl"),
			Messages: []protocoltest.Message{message(telegram.Ask, "hello"), message(telegram.Answer, "")},
		}},
		Garbage: []protocoltest.Garbage{
			{Name: "unknown kind", Bytes: []byte("?\x00\x00X\x00\x00"), Err: telegram.ErrKind},
			{Name: "too long", Bytes: []byte("?\x04\x01"), Err: weir.ErrMessageTooLarge},
		},
		RoundTrips: []protocoltest.RoundTrip{
			{Name: "short", Data: &telegram.Telegram{Kind: telegram.Ask, Text: "hi"}, Message: message(telegram.Ask, "hi")},
			{Name: "longest", Data: &telegram.Telegram{Kind: telegram.Answer, Text: longest}, Message: message(telegram.Answer, longest)},
		},
	}
}

func TestProtocol(t *testing.T) { protocoltest.Run(t, spec()) }

func FuzzProtocol(f *testing.F) { protocoltest.Fuzz(f, spec()) }
