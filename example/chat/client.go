package main

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// client is what the chat knows of a connection, as its UserData.
type client struct {
	// loop only
	conn   *websocket.Conn
	credit credit

	// written by the loop with the chat's mu held, read with either
	room *room // nil: none
	name string
}

// OnOpen implements websocket.Handler.
func (h *chat) OnOpen(w *websocket.Conn) {
	h.mu.Lock()
	h.online++
	h.mu.Unlock()
	w.SetUserData(&client{conn: w})
}

// OnClose implements websocket.Handler.
func (h *chat) OnClose(w *websocket.Conn, _ websocket.Code, _ string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.online--
	h.leave(w.UserData().(*client))
}

// OnMessage implements websocket.Handler.
func (h *chat) OnMessage(w *websocket.Conn, kind websocket.Kind, data []byte) {
	c := w.UserData().(*client)
	if kind != websocket.Text {
		_ = w.Close(codec.UnsupportedData, "this chat is text") // it is open
		return
	}
	now := time.Now()
	if left := c.credit.spend(priceMessage, now); left < 0 {
		c.refuse(errFlood, left)
		return
	}
	var refused *problem
	switch err := h.handle(c, data, now); {
	case errors.Is(err, errBusy): // which is not the client's fault
		c.tell(encode(errBusy))
	case errors.As(err, &refused):
		c.refuse(refused, c.credit.spend(priceFault-priceMessage, now))
	}
}

// handle does what the client asks for. The error is a *problem.
func (h *chat) handle(c *client, data []byte, now time.Time) error {
	var r request
	if json.Unmarshal(data, &r) != nil {
		return errForm
	}
	switch r.T {
	case askJoin:
		return h.join(c, r.Room, r.Name, now)
	case askSay:
		return h.say(c, r.Text, now)
	case askWatch:
		return h.watch(c)
	}
	return errForm
}

// refuse tells the client why, or sends it away.
func (c *client) refuse(p *problem, left float64) {
	if left < creditLeast {
		_ = c.conn.Close(websocket.PolicyViolation, "too many messages") // an error means that it is closing
		return
	}
	c.tell(encode(p))
}

// tell sends the client a message of its own. Loop only.
func (c *client) tell(message []byte) {
	_ = c.conn.Reply(websocket.Text, message) // an error means that it is ending
}
