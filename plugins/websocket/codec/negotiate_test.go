package codec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
		{`other; a="x", ,permessage-deflate,`, "permessage-deflate", plain},
		{`other; a="\x\y"; b = c;d , permessage-deflate`, "permessage-deflate", plain},
		{`permessage-deflate; server_max_window_bits="\1\0"`, "permessage-deflate; server_max_window_bits=10", with(func(p *codec.Params) { p.ServerBits = 10 })},
		{" \t,", "", codec.Params{}},

		// Those that are not.
		{"", "", codec.Params{}},
		{"permessage-bzip2", "", codec.Params{}},
		{"permessage-deflate2", "", codec.Params{}},
		{"permessage-deflate; unknown", "", codec.Params{}},
		{"permessage-deflate; unknown=1", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=7", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=16", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=08", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=-9", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=+9", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=9999999999999999999999", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=0", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=100", "", codec.Params{}},
		{"permessage-deflate; client_max_window_bits=1a", "", codec.Params{}},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=10", "", codec.Params{}},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "", codec.Params{}},
		{"permessage-deflate; server_no_context_takeover=1", "", codec.Params{}},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", codec.Params{}},
		{"permessage-deflate; client_no_context_takeover=true", "", codec.Params{}},
	} {
		p, answer, err := k.Negotiate([]byte(tt.offer))
		if p != tt.want || answer != tt.answer || err != nil {
			t.Errorf("%q:\n\t%q %+v, %v, want\n\t%q %+v", tt.offer, answer, p, err, tt.answer, tt.want)
		}
		k.Forget(p)
	}
	if n := k.Memory(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	p, answer, err := k.Negotiate([]byte("other"), []byte("permessage-deflate; server_max_window_bits=9"))
	if err != nil || answer != "permessage-deflate; server_max_window_bits=9" || p.ServerBits != 9 {
		t.Errorf("two fields: %q %+v", answer, p)
	}
	if p, answer, err := newCodec(t, codec.Config{}).Negotiate([]byte("permessage-deflate")); p.Agreed() || answer != "" || err != nil {
		t.Errorf("without compression: %q, %v", answer, err)
	}
}

// TestNegotiateSyntax: what is no list of extensions fails the handshake, whatever else
// is in it, whether compression is there or not (RFC 6455, section 9.1).
func TestNegotiateSyntax(t *testing.T) {
	for _, offer := range []string{
		"permessage-deflate;",
		"permessage-deflate; ;, permessage-deflate",
		"permessage-deflate, a b",
		"a b, permessage-deflate",
		"permessage-deflate server_no_context_takeover",
		"permessage-deflate; server_max_window_bits=",
		"permessage-deflate; server_max_window_bits=1:",
		`permessage-deflate; client_max_window_bits=""`,
		`permessage-deflate; server_max_window_bits="9`,
		`permessage-deflate; server_max_window_bits="9\`,
		`permessage-deflate; server_max_window_bits="9"0`,
		`other; a="x,y", permessage-deflate`,
		`other; a="\""`,
		"=x",
		";permessage-deflate",
		"permessage-deflate;=9",
		"permessage-deflate\x00",
		"permessage\xff",
		"\x00\xff,,,;;;==",
	} {
		for _, d := range []*codec.Deflate{nil, {}} {
			k := newCodec(t, codec.Config{Deflate: d})
			p, answer, err := k.Negotiate([]byte("permessage-deflate"), []byte(offer))
			if !errors.Is(err, codec.ErrExtensionSyntax) || p.Agreed() || answer != "" || k.Memory() != 0 {
				t.Errorf("%q: %q %+v, %v, %d bytes counted", offer, answer, p, err, k.Memory())
			}
		}
		k := newCodec(t, codec.Config{Client: true, Deflate: &codec.Deflate{}})
		if p, err := k.Confirm([]byte(offer)); !errors.Is(err, codec.ErrExtension) || p.Agreed() || k.Memory() != 0 {
			t.Errorf("the answer %q: %+v, %v", offer, p, err)
		}
	}
}

// TestNegotiateWork: fields with as much as no head has room for are read in no time. A
// second is a hundred times what it takes, and a fraction of what it would take to compare
// parameters pairwise.
func TestNegotiateWork(t *testing.T) {
	const n, limit = 32_000, time.Second
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{}})
	var params strings.Builder
	params.WriteString("permessage-deflate")
	for i := range n {
		fmt.Fprintf(&params, ";%x", i)
	}
	for name, field := range map[string]string{
		"parameters": params.String(),
		"elements":   strings.Repeat("permessage-deflate;x,", n),
		"empty":      strings.Repeat(",", n),
		"quoted":     `a;b="` + strings.Repeat("x", n) + `"`,
	} {
		least := limit
		for i := 0; i < 2 && least >= limit; i++ { // once more if anything has interfered
			began := time.Now()
			if _, answer, err := k.Negotiate([]byte(field)); answer != "" || err != nil {
				t.Fatalf("%s: %q, %v", name, answer, err)
			}
			least = min(least, time.Since(began))
		}
		if least >= limit {
			t.Errorf("%s: it takes over %v", name, limit)
		}
	}
}

// TestNegotiateMemory: no more contexts than there is memory for, but compression for
// all.
func TestNegotiateMemory(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{Memory: 100 << 10}})
	offer := []byte("permessage-deflate")
	var all []*codec.Compression
	for i := range 1000 {
		want := "permessage-deflate"
		if i >= 3 { // there is no room for another 32 KiB
			want = "permessage-deflate; client_no_context_takeover"
		}
		p, answer, _ := k.Negotiate(offer)
		if answer != want || p.ClientNoTakeover != (i >= 3) {
			t.Fatalf("client %d: %q %+v", i, answer, p)
		}
		all = append(all, k.NewCompression(p))
	}
	if n := k.Memory(); n != 3*32<<10 || k.Declined() != 997 {
		t.Errorf("%d bytes are counted, %d times less was agreed on", n, k.Declined())
	}
	for _, z := range all {
		z.Release()
	}
	if n := k.Memory(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	if _, answer, _ := k.Negotiate(offer); answer != "permessage-deflate" {
		t.Errorf("%q after all were released", answer)
	}
}

// TestNegotiateContexts: which contexts there is memory for.
func TestNegotiateContexts(t *testing.T) {
	const client, server, fast = 32 << 10, 900 << 10, 1284 << 10 // fast is for level 1
	for _, tt := range []struct {
		level  int
		memory int
		answer string
		count  int
	}{
		{0, client + server, "permessage-deflate", client + server},
		{0, client + server - 1, "permessage-deflate; client_no_context_takeover", server},
		{1, client + fast, "permessage-deflate", client + fast},
		{1, fast - 1, "permessage-deflate; server_no_context_takeover", client},
		{0, server - 1, "permessage-deflate; server_no_context_takeover", client},
		{0, client - 1, "permessage-deflate; server_no_context_takeover; client_no_context_takeover", 0},
	} {
		k := newCodec(t, codec.Config{Deflate: &codec.Deflate{Level: tt.level, Takeover: true, Memory: tt.memory}})
		p, answer, err := k.Negotiate([]byte("permessage-deflate"))
		if answer != tt.answer || k.Memory() != tt.count || err != nil {
			t.Errorf("%d bytes of memory: %q, %d counted, %v", tt.memory, answer, k.Memory(), err)
		}
		k.Forget(p)
		if k.Memory() != 0 {
			t.Errorf("%d bytes of memory: %d are still counted", tt.memory, k.Memory())
		}
	}
}

func TestNoPeerTakeover(t *testing.T) {
	k := newCodec(t, codec.Config{Deflate: &codec.Deflate{NoPeerTakeover: true}})
	p, answer, _ := k.Negotiate([]byte("permessage-deflate"))
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
