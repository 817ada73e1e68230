package peertest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

var gorillaLibrary = library{name: "gorilla", dial: dialGorilla, compress: []string{"", "alone"}}

// gorillaClient is a connection of gorilla/websocket, which knows compression without
// context alone.
type gorillaClient struct {
	*websocket.Conn
	in *inbox
	mu sync.Mutex // there may be one writer only
}

func dialGorilla(url string, o settings) (client, error) {
	d := websocket.Dialer{Subprotocols: o.subprotocols, EnableCompression: o.compress == "alone", HandshakeTimeout: patience}
	h := http.Header{}
	if o.origin != "" {
		h.Set("Origin", o.origin)
	}
	conn, reply, err := d.Dial(url, h)
	if err != nil {
		if reply != nil {
			return nil, refused{reply.StatusCode}
		}
		return nil, err
	}
	c := &gorillaClient{Conn: conn, in: newInbox()}
	answer := conn.PingHandler()
	conn.SetPingHandler(func(p string) error {
		c.in.pings <- p
		return answer(p)
	})
	conn.SetPongHandler(func(p string) error {
		c.in.pongs <- p
		return nil
	})
	go c.read()
	return c, nil
}

func (c *gorillaClient) read() {
	for {
		kind, data, err := c.ReadMessage()
		if err != nil {
			end := closure{code: websocket.CloseAbnormalClosure}
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				end = closure{closed.Code, closed.Text}
			}
			_ = c.drop() // as the library leaves it to the program
			c.in.ended <- end
			return
		}
		c.in.messages <- message{kind, data}
	}
}

func (c *gorillaClient) write(kind int, parts ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(parts) == 1 {
		return c.WriteMessage(kind, parts[0])
	}
	w, err := c.NextWriter(kind) // which makes a frame of each 4 KiB
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

func (c *gorillaClient) ping(payload string) error {
	return c.WriteControl(websocket.PingMessage, []byte(payload), time.Now().Add(patience))
}

func (c *gorillaClient) close(code int, reason string) error {
	return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience))
}

func (c *gorillaClient) drop() error         { return c.UnderlyingConn().Close() }
func (c *gorillaClient) subprotocol() string { return c.Subprotocol() }
func (c *gorillaClient) box() *inbox         { return c.in }
