package servers

import (
	"github.com/Allenxuxu/gev"
	"github.com/Allenxuxu/ringbuffer"

	"github.com/go-weir/weir/benchmarks/load"
)

func gevServer() Server {
	return Server{
		Name: "gev", Module: "github.com/Allenxuxu/gev",
		Setup: "NumLoops as many as processors (it accepts on one more), Send to push",
		Roles: map[Role]func(Config) error{
			Echo:  func(c Config) error { return serveGev(c, gevEcho{}) },
			Frame: func(c Config) error { return serveGev(c, &gevCounter{}, gev.CustomProtocol(gevFrames{})) },
			Push:  func(c Config) error { return serveGev(c, newGevPush(c.Size)) },
		},
	}
}

func serveGev(c Config, h gev.Handler, opts ...gev.Option) error {
	s, err := gev.NewServer(h, append(opts, gev.Network("tcp4"), gev.Address(c.Address), gev.NumLoops(c.Loops))...)
	if err != nil {
		return err
	}
	s.Start()
	return nil
}

type gevEcho struct{}

func (gevEcho) OnConnect(*gev.Connection)                                        {}
func (gevEcho) OnClose(*gev.Connection)                                          {}
func (gevEcho) OnMessage(_ *gev.Connection, _ interface{}, b []byte) interface{} { return b }

// gevFrames is the framing of the Frame role.
type gevFrames struct{}

func (gevFrames) UnPacket(c *gev.Connection, buffer *ringbuffer.RingBuffer) (interface{}, []byte) {
	if buffer.VirtualLength() < load.FrameHeader {
		return nil, nil
	}
	size := int(buffer.PeekUint32())
	if buffer.Length() < load.FrameHeader+size {
		return nil, nil
	}
	buffer.Retrieve(load.FrameHeader)
	if size == 0 {
		return asksForCount{}, nil
	}
	first, end := buffer.Peek(size)
	if len(end) > 0 {
		scratch := append(append((*c.UserBuffer())[:0], first...), end...)
		*c.UserBuffer() = scratch
		first = scratch
	}
	buffer.Retrieve(size)
	return nil, first
}

func (gevFrames) Packet(_ *gev.Connection, data interface{}) []byte { return data.([]byte) }

// gevCounter serves one connection.
type gevCounter struct{ counter }

func (*gevCounter) OnConnect(*gev.Connection) {}
func (*gevCounter) OnClose(*gev.Connection)   {}

func (h *gevCounter) OnMessage(_ *gev.Connection, _ interface{}, data []byte) interface{} {
	if answer := h.take(data); answer != nil {
		return answer
	}
	return nil
}

type gevPush struct{ all *broadcast[*gev.Connection] }

func newGevPush(size int) *gevPush {
	var message interface{} = pushMessage(size) // one interface value for all
	return &gevPush{newBroadcast(func(c *gev.Connection) {
		_ = c.Send(message) // an error means that the connection has ended
	})}
}

func (*gevPush) OnConnect(*gev.Connection) {}
func (*gevPush) OnClose(*gev.Connection)   {}

func (h *gevPush) OnMessage(c *gev.Connection, _ interface{}, data []byte) interface{} {
	if c.Context() == nil {
		c.SetContext(true)
		h.all.join(c)
		return data
	}
	h.all.ask(len(data))
	return nil
}
