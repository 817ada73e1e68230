package servers

import (
	"encoding/binary"

	"github.com/panjf2000/gnet/v2"

	"github.com/go-weir/weir/benchmarks/load"
)

func gnetServer() Server {
	return Server{
		Name: "gnet", Module: "github.com/panjf2000/gnet/v2",
		Setup: "NumEventLoop as many as processors, Next and Write in OnTraffic, AsyncWrite to push",
		Roles: map[Role]func(Config) error{
			Echo:  func(c Config) error { return serveGnet(c, &gnetEcho{}) },
			Frame: func(c Config) error { return serveGnet(c, &gnetFrame{}) },
			Push:  func(c Config) error { return serveGnet(c, newGnetPush(c.Size)) },
		},
	}
}

func serveGnet(c Config, h gnet.EventHandler) error {
	return gnet.Run(h, "tcp4://"+c.Address, gnet.WithNumEventLoop(c.Loops))
}

type gnetEcho struct{ gnet.BuiltinEventEngine }

func (*gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	data, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(data); err != nil {
		return gnet.Close
	}
	return gnet.None
}

// gnetFrame serves one connection.
type gnetFrame struct {
	gnet.BuiltinEventEngine
	counter
}

func (h *gnetFrame) OnTraffic(c gnet.Conn) gnet.Action {
	for {
		header, err := c.Peek(load.FrameHeader)
		if err != nil {
			return gnet.None // the rest is to come
		}
		size := load.FrameHeader + int(binary.BigEndian.Uint32(header))
		frame, err := c.Peek(size)
		if err != nil {
			return gnet.None // the rest is to come
		}
		if answer := h.take(frame[load.FrameHeader:]); answer != nil {
			if _, err := c.Write(answer); err != nil {
				return gnet.Close
			}
		}
		if _, err := c.Discard(size); err != nil {
			return gnet.Close
		}
	}
}

type gnetPush struct {
	gnet.BuiltinEventEngine
	all *broadcast[gnet.Conn]
}

func newGnetPush(size int) *gnetPush {
	message := pushMessage(size)
	return &gnetPush{all: newBroadcast(func(c gnet.Conn) {
		_ = c.AsyncWrite(message, nil) // an error means that the connection has ended
	})}
}

func (h *gnetPush) OnTraffic(c gnet.Conn) gnet.Action {
	data, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if c.Context() == nil {
		c.SetContext(true)
		h.all.join(c)
		if _, err := c.Write(data); err != nil {
			return gnet.Close
		}
		return gnet.None
	}
	h.all.ask(len(data))
	return gnet.None
}
