package servers

import (
	"github.com/lxzan/gws"

	"github.com/go-weir/weir/benchmarks/load"
)

func gwsServer() Server {
	return Server{
		Name: "gws", Module: "github.com/lxzan/gws",
		Setup: "NewServer without net/http, ReadBufferSize as large as a batch (4 to 64 KiB), WriteMessage in OnMessage; " +
			"broadcast: a Broadcaster for each message",
		Roles: map[Role]func(Config) error{
			WebSocket: func(c Config) error { return serveGws(c, gwsEcho{}) },
			Broadcast: func(c Config) error { return serveGws(c, &gwsRoom{message: pushMessage(c.Size)}) },
		},
	}
}

func serveGws(c Config, h gws.Event) error {
	s := gws.NewServer(h, &gws.ServerOption{ReadBufferSize: bufferFor(c)})
	return s.Run(c.Address)
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	_ = c.WriteMessage(m.Opcode, m.Bytes()) // says gws: errors are dealt with internally
	_ = m.Close()                           // gives the buffer back
}

type gwsRoom struct {
	gws.BuiltinEventHandler
	room[*gws.Conn]
	message []byte
}

func (h *gwsRoom) OnOpen(c *gws.Conn) {
	h.join(c, func() {
		_ = c.WriteMessage(gws.OpcodeBinary, []byte(load.Welcome)) // says gws: errors are dealt with internally
	})
}

func (h *gwsRoom) OnMessage(_ *gws.Conn, m *gws.Message) {
	_ = m.Close() // gives the buffer back
	b := gws.NewBroadcaster(gws.OpcodeBinary, h.message)
	h.each(func(c *gws.Conn) {
		_ = b.Broadcast(c) // says gws: errors are dealt with internally
	})
	_ = b.Close() // gives the buffer back when the last has it
}
