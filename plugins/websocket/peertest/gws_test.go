package peertest

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"github.com/lxzan/gws"
)

var gwsLibrary = library{name: "gws", dial: dialGws, compress: []string{"", "alone", "context", "bits"}, leaves: true}

// gwsClient is a connection of lxzan/gws.
type gwsClient struct {
	gws.BuiltinEventHandler
	*gws.Conn
	in *inbox
}

func dialGws(url string, o settings) (client, error) {
	c := &gwsClient{in: newInbox()}
	opts := &gws.ClientOption{Addr: url, RequestHeader: http.Header{}, CheckUtf8Enabled: true, HandshakeTimeout: patience}
	if len(o.subprotocols) > 0 {
		opts.RequestHeader.Set("Sec-WebSocket-Protocol", strings.Join(o.subprotocols, ", "))
	}
	if o.origin != "" {
		opts.RequestHeader.Set("Origin", o.origin)
	}
	if o.compress != "" {
		context := o.compress != "alone"
		opts.PermessageDeflate = gws.PermessageDeflate{Enabled: true, ServerContextTakeover: context, ClientContextTakeover: context}
		if o.compress == "bits" {
			opts.PermessageDeflate.ServerMaxWindowBits, opts.PermessageDeflate.ClientMaxWindowBits = 9, 10
		}
	}
	conn, reply, err := gws.NewClient(c, opts)
	if err != nil {
		if reply != nil {
			return nil, refused{reply.StatusCode}
		}
		return nil, err
	}
	c.Conn = conn
	go conn.ReadLoop()
	return c, nil
}

func (c *gwsClient) OnMessage(_ *gws.Conn, m *gws.Message) {
	c.in.messages <- message{int(m.Opcode), bytes.Clone(m.Bytes())}
	_ = m.Close() // which has no errors
}

func (c *gwsClient) OnPing(conn *gws.Conn, payload []byte) {
	c.in.pings <- string(payload)
	_ = conn.WritePong(payload) // OnClose hears of the error
}

func (c *gwsClient) OnPong(_ *gws.Conn, payload []byte) { c.in.pongs <- string(payload) }

func (c *gwsClient) OnClose(_ *gws.Conn, err error) {
	end := closure{code: 1006}
	var closed *gws.CloseError
	if errors.As(err, &closed) {
		end = closure{int(closed.Code), string(closed.Reason)}
	}
	c.in.ended <- end
}

func (c *gwsClient) write(kind int, parts ...[]byte) error {
	if len(parts) == 1 {
		return c.WriteMessage(gws.Opcode(kind), parts[0])
	}
	return c.WriteFile(gws.Opcode(kind), bytes.NewReader(bytes.Join(parts, nil))) // in frames of 128 KiB
}

func (c *gwsClient) ping(payload string) error { return c.WritePing([]byte(payload)) }
func (c *gwsClient) close(code int, reason string) error {
	return c.WriteClose(uint16(code), []byte(reason))
}
func (c *gwsClient) drop() error         { return c.NetConn().Close() }
func (c *gwsClient) subprotocol() string { return c.SubProtocol() }
func (c *gwsClient) box() *inbox         { return c.in }
