package websocket_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
	"github.com/go-weir/weir/plugins/websocket/internal/cases"
)

// TestCases: every case of the list, through a server, in one piece and cut at
// positions all over it.
func TestCases(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Compression(codec.Deflate{Takeover: true}), websocket.InflateAside(100, 2),
		websocket.CloseTimeout(time.Minute))
	list := cases.All()
	if len(list) < 100 {
		t.Fatalf("%d cases", len(list))
	}
	client, err := codec.New(codec.Config{Client: true, Deflate: new(codec.Deflate)})
	fail(t, err)
	for _, tt := range list {
		t.Run(tt.ID, func(t *testing.T) {
			step := max(len(tt.In)/16, 1)
			if tt.Large || testing.Short() {
				step = max(len(tt.In), 1)
			}
			for cut := 0; cut == 0 || cut < len(tt.In); cut += step {
				if got := replay(t, s, client, tt, cut); got != "" {
					t.Fatalf("%s, cut at %d: %s", tt.Name, cut, got)
				}
			}
		})
	}
}

// replay sends a case in two pieces, and says what is wrong with the answer.
func replay(t *testing.T, s *server, client *codec.Codec, tt cases.Case, cut int) (wrong string) {
	t.Helper()
	var fields []string
	if tt.Offer != "" {
		fields = append(fields, "Sec-WebSocket-Extensions: "+tt.Offer)
	}
	c := connect(t, s)
	send(t, c, good(fields...)+"\r\n")
	reply := c.reply(t)
	conn := receive(t, s.opened)
	var d codec.Decoder
	var z *codec.Compression
	if tt.Offer != "" {
		params := accepted(t, reply.Header.Get("Sec-WebSocket-Extensions"), client)
		z = client.NewCompression(params)
		defer z.Release()
	}
	d.Init(client, z != nil)
	defer d.Release()

	in := tt.In
	want := tt.Replies()
	if n := len(want); n == 0 || want[n-1].Kind != cases.Close { // so that there is an end
		in = append(in[:len(in):len(in)], wireClose(1000, "")...)
		want = append(want, cases.Event{Kind: cases.Close, Data: []byte{3, 232}})
	}
	sent := make(chan struct{})
	go func() { // not to wait for each other
		defer close(sent)
		_, _ = c.Write(in[:cut]) // the server may have closed it
		_ = conn.Execute(func() {})
		_, _ = c.Write(in[cut:])
	}()
	defer func() { <-sent }()
	buf := make([]byte, 64<<10)
	var rest []byte
	for i := 0; i < len(want); {
		m, n, err := d.Next(rest)
		rest = rest[n:]
		if err == nil && m.Compressed {
			m.Data, err = z.Inflate(nil, m)
		}
		if err != nil {
			return fmt.Sprintf("answer %d is broken: %v", i, err)
		}
		if m.Kind == 0 {
			n, err := c.Read(buf)
			if err != nil {
				return fmt.Sprintf("answer %d does not come: %v", i, err)
			}
			rest = buf[:n]
			continue
		}
		data := string(m.Data)
		if m.Kind == codec.Close {
			data = ""
			if m.Code != codec.NoStatus {
				data = string(binary.BigEndian.AppendUint16(nil, uint16(m.Code)))
			}
		}
		if byte(m.Kind) != want[i].Kind || data != string(want[i].Data) {
			return fmt.Sprintf("answer %d is %v %.40q of %d bytes, not %v %.40q of %d", i, m.Kind, data, len(data),
				codec.Kind(want[i].Kind), want[i].Data, len(want[i].Data))
		}
		i++
	}
	_ = c.Close() // the server need not wait until it is sure
	e := receive(t, s.ended)
	if last := want[len(want)-1].Data; len(last) == 2 && e.code != websocket.Code(binary.BigEndian.Uint16(last)) {
		return fmt.Sprintf("OnClose(%v, %q)", e.code, e.reason)
	}
	return ""
}

// accepted reads the answer to an offer that was not the codec's own.
func accepted(t *testing.T, answer string, client *codec.Codec) codec.Params {
	t.Helper()
	p := codec.Params{ServerBits: 15, ClientBits: 15}
	for i, param := range strings.Split(answer, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		bits := uint8(15)
		if value != "" {
			_, err := fmt.Sscan(strings.Trim(value, `"`), &bits)
			fail(t, err)
		}
		switch {
		case i == 0 && name == "permessage-deflate":
		case name == "server_no_context_takeover":
			p.ServerNoTakeover = true
		case name == "client_no_context_takeover":
			p.ClientNoTakeover = true
		case name == "server_max_window_bits":
			p.ServerBits = bits
		case name == "client_max_window_bits":
			p.ClientBits = bits
		default:
			t.Fatalf("the offer is answered %q", answer)
		}
	}
	return p
}
