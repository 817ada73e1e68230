package servers

import (
	"github.com/go-weir/weir"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/plugins/websocket"
)

func weirWebSocket(c Config) error {
	return serveWeir(c, websocket.Wrap(weirMessages{}), weir.CustomProtocol(websocket.New(nil)))
}

// weirMessages sends messages back.
type weirMessages struct{ websocket.Base }

func (weirMessages) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
	_ = c.Reply(kind, data) // an error means that the connection is about to end
}

func weirBroadcast(c Config) error {
	h := &weirTopic{message: pushMessage(c.Size)}
	return serveWeir(c, websocket.Wrap(h), weir.CustomProtocol(websocket.New(nil)))
}

// weirTopic is the Broadcast role.
type weirTopic struct {
	websocket.Base
	message []byte
}

const topic = "all"

func (*weirTopic) OnOpen(c *websocket.Conn) {
	if c.Subscribe(topic) == nil { // else the load misses its welcome
		_ = c.Reply(websocket.Binary, []byte(load.Welcome)) // an error means that the connection is about to end
	}
}

func (h *weirTopic) OnMessage(c *websocket.Conn, kind websocket.Kind, _ []byte) {
	_ = c.Hub().Publish(topic, kind, h.message) // there is no broker that could fail, and no more at a time than the pipeline
}
