package main

import (
	"maps"
	"slices"
	"sync"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
)

// hub knows who is subscribed to what. Methods are for any goroutine.
type hub struct {
	mu       sync.RWMutex
	channels map[string]map[*client]struct{}
}

func newHub() *hub { return &hub{channels: make(map[string]map[*client]struct{})} }

func (h *hub) join(cl *client, channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.channels[channel] == nil {
		h.channels[channel] = make(map[*client]struct{})
	}
	h.channels[channel][cl] = struct{}{}
}

func (h *hub) leave(cl *client, channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.channels[channel], cl)
	if len(h.channels[channel]) == 0 {
		delete(h.channels, channel)
	}
}

// publish sends m to those who listen to its channel, and returns how many they
// are.
func (h *hub) publish(m *message) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for cl := range h.channels[m.channel] {
		_ = cl.conn.Send(m) // an error means that the connection is ending
	}
	return len(h.channels[m.channel])
}

// message is what was published, on its way to a connection: Send is given it, and
// the protocol encodes it on the loop that knows the client.
type message struct {
	channel string
	payload []byte
}

// protocol is RESP with messages.
type protocol struct {
	*resp.Protocol
	backlog *backlog
}

// Packet implements weir.Protocol.
func (p *protocol) Packet(c *weir.Connection, data any) []byte {
	m, ok := data.(*message)
	if !ok {
		return p.Protocol.Packet(c, data)
	}
	cl := c.Context().(*client)
	if !p.backlog.take(cl, len(m.payload)) {
		c.CloseWithError(weir.ErrSlowConsumer) // it would not know what it has missed
		return nil
	}
	out := cl.version.AppendPush(nil, 3)
	out = resp.AppendBulk(out, "message")
	out = resp.AppendBulk(out, m.channel)
	return resp.AppendBulk(out, m.payload)
}

func cmdPublish(s *server, _ *client, args [][]byte, out []byte) []byte {
	n := s.hub.publish(&message{string(args[1]), append([]byte(nil), args[2]...)})
	return resp.AppendInt(out, int64(n))
}

func cmdSubscribe(s *server, cl *client, args [][]byte, out []byte) []byte {
	for _, arg := range args[1:] {
		channel := string(arg)
		if cl.channels == nil {
			cl.channels = make(map[string]struct{})
		}
		cl.channels[channel] = struct{}{}
		s.hub.join(cl, channel)
		out = appendSubscription(out, cl, "subscribe", channel)
	}
	return out
}

func cmdUnsubscribe(s *server, cl *client, args [][]byte, out []byte) []byte {
	if len(args) == 1 && len(cl.channels) == 0 {
		out = resp.AppendBulk(cl.version.AppendPush(out, 3), "unsubscribe")
		return resp.AppendInt(cl.version.AppendNull(out), 0)
	}
	var channels []string
	for _, arg := range args[1:] {
		channels = append(channels, string(arg))
	}
	if channels == nil {
		channels = slices.Sorted(maps.Keys(cl.channels))
	}
	s.leave(cl, channels, func(out []byte) []byte {
		for _, channel := range channels {
			delete(cl.channels, channel)
			out = appendSubscription(out, cl, "unsubscribe", channel)
		}
		return out
	})
	return out
}

// leave has cl hear no more of what is published on the channels, and then be sent what
// reply appends. Messages may be on their way to cl: they come first, and cl's next
// command is carried out after the reply. In RESP2, a message that came later would be
// taken for the reply to that command.
func (s *server) leave(cl *client, channels []string, reply func(out []byte) []byte) {
	for _, channel := range channels {
		s.hub.leave(cl, channel)
	}
	cl.conn.PauseRead()
	_ = cl.conn.Execute(func() { // an error means that the connection is ending
		_, _ = cl.conn.Write(reply(nil))
		cl.conn.ResumeRead()
	})
}

// appendSubscription confirms a change, with the number of channels that cl listens
// to now.
func appendSubscription(out []byte, cl *client, kind, channel string) []byte {
	out = cl.version.AppendPush(out, 3)
	out = resp.AppendBulk(out, kind)
	out = resp.AppendBulk(out, channel)
	return resp.AppendInt(out, int64(len(cl.channels)))
}
