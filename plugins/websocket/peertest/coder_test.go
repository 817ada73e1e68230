package peertest

import (
	"context"
	"errors"
	"net/http"

	"github.com/coder/websocket"
)

var coderLibrary = library{name: "coder", dial: dialCoder, compress: []string{"", "alone", "context"}}

// coderClient is a connection of coder/websocket.
type coderClient struct {
	*websocket.Conn
	in *inbox
}

func dialCoder(url string, o settings) (client, error) {
	c := &coderClient{in: newInbox()}
	opts := &websocket.DialOptions{
		Subprotocols: o.subprotocols,
		HTTPHeader:   http.Header{},
		OnPingReceived: func(_ context.Context, p []byte) bool {
			c.in.pings <- string(p)
			return true
		},
		OnPongReceived: func(_ context.Context, p []byte) { c.in.pongs <- string(p) },
	}
	switch o.compress {
	case "alone":
		opts.CompressionMode = websocket.CompressionNoContextTakeover
	case "context":
		opts.CompressionMode = websocket.CompressionContextTakeover
	}
	if o.origin != "" {
		opts.HTTPHeader.Set("Origin", o.origin)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, reply, err := websocket.Dial(ctx, url, opts)
	if err != nil {
		if reply != nil {
			return nil, refused{reply.StatusCode}
		}
		return nil, err
	}
	conn.SetReadLimit(-1)
	c.Conn = conn
	go c.read()
	return c, nil
}

func (c *coderClient) read() {
	for {
		kind, data, err := c.Read(context.Background())
		if err != nil {
			end := closure{code: 1006}
			var closed websocket.CloseError
			if errors.As(err, &closed) {
				end = closure{int(closed.Code), closed.Reason}
			}
			c.in.ended <- end
			return
		}
		c.in.messages <- message{int(kind), data}
	}
}

func (c *coderClient) write(kind int, parts ...[]byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if len(parts) == 1 {
		return c.Write(ctx, websocket.MessageType(kind), parts[0])
	}
	w, err := c.Writer(ctx, websocket.MessageType(kind))
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return w.Close()
}

// ping waits for the pong, which has to have the payload that the library chose; what
// it should be is not the caller's to say.
func (c *coderClient) ping(payload string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Ping(ctx); err != nil {
		return err
	}
	<-c.in.pongs
	c.in.pongs <- payload
	return nil
}

func (c *coderClient) close(code int, reason string) error {
	return c.Close(websocket.StatusCode(code), reason)
}

func (c *coderClient) drop() error         { return c.CloseNow() }
func (c *coderClient) subprotocol() string { return c.Subprotocol() }
func (c *coderClient) box() *inbox         { return c.in }
