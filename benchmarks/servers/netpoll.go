package servers

import (
	"context"
	"encoding/binary"

	"github.com/cloudwego/netpoll"

	"github.com/go-weir/weir/benchmarks/load"
)

func netpollServer() Server {
	return Server{
		Name: "netpoll", Module: "github.com/cloudwego/netpoll",
		Setup: "PollerNum as many as processors, the Reader and Writer that don't copy",
		Roles: map[Role]func(Config) error{Echo: netpollEcho, Frame: netpollFrame, Push: netpollPush},
	}
}

func serveNetpoll(c Config, onRequest netpoll.OnRequest, opts ...netpoll.Option) error {
	if err := netpoll.Configure(netpoll.Config{PollerNum: c.Loops}); err != nil {
		return err
	}
	ln, err := netpoll.CreateListener("tcp4", c.Address)
	if err != nil {
		return err
	}
	loop, err := netpoll.NewEventLoop(onRequest, opts...)
	if err != nil {
		return err
	}
	return loop.Serve(ln)
}

func netpollEcho(c Config) error {
	return serveNetpoll(c, func(_ context.Context, conn netpoll.Connection) error {
		r, w := conn.Reader(), conn.Writer()
		data, err := r.Next(r.Len())
		if err != nil {
			return err
		}
		if _, err := w.WriteBinary(data); err != nil {
			return err
		}
		if err := w.Flush(); err != nil { // data is written, or copied, when Flush returns
			return err
		}
		return r.Release()
	})
}

// netpollFrame serves one connection. Next waits for bytes that are to come.
func netpollFrame(c Config) error {
	var count counter
	return serveNetpoll(c, func(_ context.Context, conn netpoll.Connection) error {
		r, w := conn.Reader(), conn.Writer()
		for r.Len() > 0 {
			header, err := r.Next(load.FrameHeader)
			if err != nil {
				return err
			}
			payload, err := r.Next(int(binary.BigEndian.Uint32(header)))
			if err != nil {
				return err
			}
			if answer := count.take(payload); answer != nil {
				if _, err := w.WriteBinary(answer); err != nil {
					return err
				}
				if err := w.Flush(); err != nil {
					return err
				}
			}
			if err := r.Release(); err != nil {
				return err
			}
		}
		return nil
	})
}

// hasJoined is the key of a *bool in a connection's context.
type hasJoined struct{}

func netpollPush(c Config) error {
	message := pushMessage(c.Size)
	all := newBroadcast(func(conn netpoll.Connection) {
		w := conn.Writer()
		if _, err := w.WriteBinary(message); err == nil {
			_ = w.Flush() // an error means that the connection has ended
		}
	})
	onRequest := func(ctx context.Context, conn netpoll.Connection) error {
		r, w := conn.Reader(), conn.Writer()
		data, err := r.Next(r.Len())
		if err != nil {
			return err
		}
		if joined := ctx.Value(hasJoined{}).(*bool); !*joined {
			*joined = true
			all.join(conn)
			if _, err := w.WriteBinary(data); err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
		} else {
			all.ask(len(data))
		}
		return r.Release()
	}
	return serveNetpoll(c, onRequest, netpoll.WithOnPrepare(func(netpoll.Connection) context.Context {
		return context.WithValue(context.Background(), hasJoined{}, new(bool))
	}))
}
