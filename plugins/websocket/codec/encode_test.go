package codec_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestEncodeExamples are those of RFC 6455, section 5.7.
func TestEncodeExamples(t *testing.T) {
	hello, key := []byte("Hello"), [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for _, tt := range []struct {
		name, want string
		got        []byte
	}{
		{"text", "810548656c6c6f", codec.AppendFrame(nil, codec.Text, 0, hello)},
		{"masked", "818537fa213d7f9f4d5158", codec.AppendMasked(nil, codec.Text, 0, key, hello)},
		{"first fragment", "010348656c", codec.AppendFrame(nil, codec.Text, codec.More, hello[:3])},
		{"last fragment", "80026c6f", codec.AppendFrame(nil, codec.Continuation, 0, hello[3:])},
		{"ping", "890548656c6c6f", codec.AppendFrame(nil, codec.Ping, 0, hello)},
		{"pong", "8a8537fa213d7f9f4d5158", codec.AppendMasked(nil, codec.Pong, 0, key, hello)},
		{"256 bytes", "827e0100", codec.AppendHeader(nil, codec.Binary, 0, 256)},
		{"64 KiB", "827f0000000000010000", codec.AppendHeader(nil, codec.Binary, 0, 65536)},
		{"compressed (RFC 7692, section 6)", "c107f248cdc9c90700", codec.AppendFrame(nil, codec.Text, codec.Deflated, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"))},
		{"compressed, more to come", "4103f248cd", codec.AppendFrame(nil, codec.Text, codec.Deflated|codec.More, []byte("\xf2\x48\xcd"))},
	} {
		if got := hex.EncodeToString(tt.got); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestEncodeDecode: what is encoded is decoded by the other side, behind what was there
// before, and the payload is left alone.
func TestEncodeDecode(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 255, 256, 65535, 65536, 65537, 1 << 20} {
		payload := bytes.Repeat([]byte{0xa7}, n)
		server := newDecoder(t, codec.Config{}, false)
		client := newDecoder(t, codec.Config{Client: true}, false)
		for _, tt := range []struct {
			d     *codec.Decoder
			frame []byte
		}{
			{server, codec.AppendMasked([]byte("before"), codec.Binary, 0, testKey, payload)},
			{client, codec.AppendFrame([]byte("before"), codec.Binary, 0, payload)},
		} {
			frame, ok := bytes.CutPrefix(tt.frame, []byte("before"))
			m, used, err := tt.d.Next(frame)
			if !ok || err != nil || used != len(frame) || m.Kind != codec.Binary || !bytes.Equal(m.Data, payload) {
				t.Errorf("%d bytes: %v, %d, %v", n, m.Kind, used, err)
			}
		}
		if len(bytes.Trim(payload, "\xa7")) != 0 {
			t.Errorf("%d bytes: the payload is changed", n)
		}
	}
}

func TestAppendClose(t *testing.T) {
	for _, tt := range []struct {
		code   codec.Code
		reason string
		want   string
	}{
		{codec.NormalClosure, "", "\x03\xe8"},
		{codec.GoingAway, "bye", "\x03\xe9bye"},
		{0, "", ""},
		{codec.NoStatus, "never said", ""},
		{4999, strings.Repeat("*", 123), "\x13\x87" + strings.Repeat("*", 123)},
		{4999, strings.Repeat("*", 124), "\x13\x87" + strings.Repeat("*", 123)},
		{4999, strings.Repeat("é", 62), "\x13\x87" + strings.Repeat("é", 61)},
		{4999, "a" + strings.Repeat("😀", 31), "\x13\x87a" + strings.Repeat("😀", 30)},
	} {
		got := codec.AppendClose(nil, tt.code, tt.reason)
		if string(got) != tt.want || len(got) > codec.MaxControl || len(got) > 2 && !utf8.Valid(got[2:]) {
			t.Errorf("%d %q: %q", tt.code, tt.reason, got)
		}
	}
}

// TestCodes compares the table with the registry of the IANA.
func TestCodes(t *testing.T) {
	valid := map[codec.Code]bool{1000: true, 1001: true, 1002: true, 1003: true}
	for c := codec.Code(1007); c <= 1014; c++ {
		valid[c] = true
	}
	for c := codec.Code(3000); c < 5000; c++ {
		valid[c] = true
	}
	for c := range 1 << 16 {
		if c := codec.Code(c); c.Valid() != valid[c] {
			t.Errorf("%d: valid is %v", c, c.Valid())
		}
	}
}
