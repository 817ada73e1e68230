package codec_test

import (
	"errors"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

func TestNegotiate(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{}})
	plain := codec.Params{ServerBits: 15, ClientBits: 15}
	with := func(change func(p *codec.Params)) codec.Params {
		p := plain
		change(&p)
		return p
	}
	for _, tt := range []struct {
		offer, answer string
		want          codec.Params
	}{
		{"permessage-deflate", "permessage-deflate", plain},
		{"permessage-deflate; client_max_window_bits", "permessage-deflate", plain},
		{
			"permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10",
			with(func(p *codec.Params) { p.ClientBits = 10 }),
		},
		{
			"permessage-deflate;server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8",
			with(func(p *codec.Params) { p.ServerBits = 8 }),
		},
		{
			`permessage-deflate ; server_max_window_bits = "15"`, "permessage-deflate; server_max_window_bits=15", plain,
		},
		{
			"permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover",
			with(func(p *codec.Params) { p.ServerNoTakeover = true }),
		},
		{
			"permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover",
			with(func(p *codec.Params) { p.ClientNoTakeover = true }),
		},
		{
			"permessage-deflate; client_max_window_bits=9; client_no_context_takeover; server_max_window_bits=12; server_no_context_takeover",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=9",
			codec.Params{ServerNoTakeover: true, ClientNoTakeover: true, ServerBits: 12, ClientBits: 9},
		},

		// Several offers: the first that is acceptable.
		{
			"permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9, permessage-deflate",
			"permessage-deflate; server_max_window_bits=9", with(func(p *codec.Params) { p.ServerBits = 9 }),
		},
		{"x-webkit-deflate-frame, permessage-deflate", "permessage-deflate", plain},
		{`other; a="x,permessage-deflate; y", permessage-deflate`, "permessage-deflate", plain},
		{`other; a="\",permessage-deflate"`, "", codec.Params{}},
		{"permessage-deflate; ;, , permessage-deflate", "permessage-deflate", plain},

		// Those that are not.
		{"", "", codec.Params{}},
		{"permessage-bzip2", "", codec.Params{}},
		{"permessage-deflate2", "", codec.Params{}},
		{"permessage-deflate; unknown", "", codec.Params{}},
		{"permessage-deflate; unknown=1", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=7", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=16", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=08", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=1:", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=-9", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=+9", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=9999999999999999999999", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=0", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=\"\"", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", "", codec.Params{}},
		{"permessage-deflate; server_no_context_takeover=1", "", codec.Params{}},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", codec.Params{}},
		{"permessage-deflate; client_no_context_takeover=true", "", codec.Params{}},
		{"permessage-deflate server_no_context_takeover", "", codec.Params{}},
		{`permessage-deflate; server_max_window_bits="9`, "", codec.Params{}},
		{"\x00\xff,,,;;;==", "", codec.Params{}},
	} {
		p, answer := k.Negotiate([]byte(tt.offer))
		if p != tt.want || answer != tt.answer {
			t.Errorf("%q:\n\t%q %+v, want\n\t%q %+v", tt.offer, answer, p, tt.answer, tt.want)
		}
		k.Forget(p)
	}
	if n := k.Memory(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	p, answer := k.Negotiate([]byte("other"), []byte("permessage-deflate; server_max_window_bits=9"))
	if answer != "permessage-deflate; server_max_window_bits=9" || p.ServerBits != 9 {
		t.Errorf("two fields: %q %+v", answer, p)
	}
	if p, answer := newCodec(t, codec.Config{}).Negotiate([]byte("permessage-deflate")); p.Agreed() || answer != "" {
		t.Errorf("without compression: %q", answer)
	}
}

// TestNegotiateMemory: no more contexts than there is memory for, and none for those who
// offer one, as long as there is some for those who don't.
func TestNegotiateMemory(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{Memory: 100 << 10}})
	offer := []byte("permessage-deflate")
	var all []*codec.Compression
	for {
		p, _ := k.Negotiate(offer)
		if !p.Agreed() {
			break
		}
		all = append(all, k.NewCompression(p))
	}
	if len(all) != 3 {
		t.Errorf("%d contexts of 32 KiB in 100 KiB", len(all))
	}
	p, answer := k.Negotiate([]byte("permessage-deflate, permessage-deflate; client_no_context_takeover"))
	if answer != "permessage-deflate; client_no_context_takeover" {
		t.Errorf("the offer that fits is not taken: %q", answer)
	}
	k.Forget(p)
	for _, z := range all {
		z.Release()
	}
	if n := k.Memory(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	if p, _ := k.Negotiate(offer); !p.Agreed() {
		t.Error("nothing is agreed on after all were released")
	}
}

func TestNoPeerTakeover(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{NoPeerTakeover: true}})
	p, answer := k.Negotiate([]byte("permessage-deflate"))
	if !p.ClientNoTakeover || answer != "permessage-deflate; client_no_context_takeover" {
		t.Errorf("%q %+v", answer, p)
	}
}

func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name    string
		deflate *codec.Deflate
		offer   string
		answer  string
		want    codec.Params
		err     error
	}{
		{"none", &codec.Deflate{}, "permessage-deflate; client_no_context_takeover; client_max_window_bits", "", codec.Params{}, nil},
		{
			"plain", &codec.Deflate{Takeover: true}, "permessage-deflate; client_max_window_bits", "permessage-deflate",
			codec.Params{ServerBits: 15, ClientBits: 15},
			nil,
		},
		{
			"all", &codec.Deflate{NoPeerTakeover: true},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10",
			codec.Params{ServerNoTakeover: true, ClientNoTakeover: true, ServerBits: 9, ClientBits: 10},
			nil,
		},
		{"not what was asked for", &codec.Deflate{NoPeerTakeover: true}, "", "permessage-deflate", codec.Params{}, codec.ErrExtension},
		{"not offered", nil, "", "permessage-deflate", codec.Params{}, codec.ErrExtension},
		{"another", &codec.Deflate{}, "", "permessage-bzip2", codec.Params{}, codec.ErrExtension},
		{"twice", &codec.Deflate{}, "", "permessage-deflate, permessage-deflate", codec.Params{}, codec.ErrExtension},
		{"no value", &codec.Deflate{}, "", "permessage-deflate; client_max_window_bits", codec.Params{}, codec.ErrExtension},
		{"bad value", &codec.Deflate{}, "", "permessage-deflate; server_max_window_bits=7", codec.Params{}, codec.ErrExtension},
		{"unknown parameter", &codec.Deflate{}, "", "permessage-deflate; fast", codec.Params{}, codec.ErrExtension},
	} {
		k := newCodec(t, codec.Config{Client: true, Deflate: tt.deflate})
		if tt.offer != "" && k.Offer() != tt.offer {
			t.Errorf("%s: offers %q", tt.name, k.Offer())
		}
		p, err := k.Confirm([]byte(tt.answer))
		if p != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", tt.name, p, err)
		}
		k.Forget(p)
		if n := k.Memory(); n != 0 {
			t.Errorf("%s: %d bytes are still counted", tt.name, n)
		}
	}
	if offer := newCodec(t, codec.Config{Client: true}).Offer(); offer != "" {
		t.Errorf("offers %q without compression", offer)
	}
}
