package codec_test

import (
	"os"
	"testing"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

var testKey = [4]byte{0x12, 0xa7, 0x5c, 0xe9}

// newCodec is New for settings that have no error.
func newCodec(tb testing.TB, c codec.Config) *codec.Codec {
	tb.Helper()
	made, err := codec.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

func newDecoder(tb testing.TB, c codec.Config, deflate bool) *codec.Decoder {
	d := new(codec.Decoder)
	d.Init(newCodec(tb, c), deflate)
	return d
}
