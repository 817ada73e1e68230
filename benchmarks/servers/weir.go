package servers

import (
	"encoding/binary"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/ringbuffer"
)

func weirServer() Server {
	return Server{
		Name: "weir", Module: "github.com/go-weir/weir",
		Setup: "defaults, NumLoops as many as processors; http: a Handler of plugins/http1, which runs on the loop; " +
			"websocket: Reply in OnMessage; broadcast: Hub.Publish in OnMessage",
		Roles: map[Role]func(Config) error{
			Echo:  func(c Config) error { return serveWeir(c, weirEcho{}) },
			Frame: func(c Config) error { return serveWeir(c, &weirCounter{}, weir.CustomProtocol(weirFrames{})) },
			Push:  func(c Config) error { return serveWeir(c, newWeirPush(c.Size)) },
			HTTP:  weirHTTP,

			WebSocket: weirWebSocket,
			Broadcast: weirBroadcast,
		},
	}
}

func serveWeir(c Config, h weir.Handler, opts ...weir.Option) error {
	s, err := weir.NewServer(h, append(opts, weir.Address(c.Address), weir.NumLoops(c.Loops))...)
	if err != nil {
		return err
	}
	return s.Start()
}

type weirEcho struct{}

func (weirEcho) OnConnect(*weir.Connection) {}
func (weirEcho) OnClose(*weir.Connection)   {}

func (weirEcho) OnMessage(c *weir.Connection, _ any, data []byte) any {
	_, _ = c.Write(data) // an error means that the connection is about to end
	return nil
}

// weirFrames is the framing of the Frame role.
type weirFrames struct{}

// asksForCount goes with a frame that has no payload.
type asksForCount struct{}

func (weirFrames) Split(_ *weir.Connection, data []byte) (n int, ctx any, payload []byte) {
	if len(data) < load.FrameHeader {
		return 0, nil, nil
	}
	end := load.FrameHeader + int(binary.BigEndian.Uint32(data))
	switch {
	case len(data) < end:
		return 0, nil, nil // the rest is to come
	case end == load.FrameHeader:
		return end, asksForCount{}, nil
	}
	return end, nil, data[load.FrameHeader:end]
}

func (f weirFrames) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	return weir.UnPacketBySplit(f, c, buffer)
}

func (weirFrames) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// weirCounter serves one connection.
type weirCounter struct{ counter }

func (*weirCounter) OnConnect(*weir.Connection) {}
func (*weirCounter) OnClose(*weir.Connection)   {}

func (h *weirCounter) OnMessage(_ *weir.Connection, _ any, data []byte) any {
	if answer := h.take(data); answer != nil {
		return answer
	}
	return nil
}

// weirPush broadcasts with Send, which any goroutine may call.
type weirPush struct{ all *broadcast[*weir.Connection] }

func newWeirPush(size int) *weirPush {
	var message any = pushMessage(size) // one interface value for all
	return &weirPush{newBroadcast(func(c *weir.Connection) {
		_ = c.Send(message) // an error means that the connection has ended
	})}
}

func (*weirPush) OnConnect(*weir.Connection) {}
func (*weirPush) OnClose(*weir.Connection)   {}

func (h *weirPush) OnMessage(c *weir.Connection, _ any, data []byte) any {
	if c.Context() == nil {
		c.SetContext(true)
		h.all.join(c)
		return data
	}
	h.all.ask(len(data))
	return nil
}
