package servers

import (
	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
)

func nbioServer() Server {
	return Server{
		Name: "nbio", Module: "github.com/lesismal/nbio",
		Setup: "level-triggered, reading on the poller, NPoller as many as processors, ReadBufferSize 64 KiB; websocket, " +
			"broadcast: nbhttp with the same, OnMessage on the poller (ServerExecutor), ReleaseWebsocketPayload",
		Roles: map[Role]func(Config) error{
			Echo: nbioEcho, Frame: nbioFrame, Push: nbioPush, WebSocket: nbioWebSocket, Broadcast: nbioBroadcast,
		},
	}
}

func serveNbio(c Config, onData func(*nbio.Conn, []byte)) error {
	logging.SetLevel(logging.LevelError)
	e := nbio.NewEngine(nbio.Config{
		Network: "tcp4", Addrs: []string{c.Address},
		NPoller: c.Loops, EpollMod: nbio.EPOLLLT, ReadBufferSize: 64 << 10,
	})
	e.OnData(onData)
	if err := e.Start(); err != nil {
		return err
	}
	select {}
}

func nbioEcho(c Config) error {
	return serveNbio(c, func(conn *nbio.Conn, data []byte) {
		_, _ = conn.Write(data) // an error means that the connection has ended
	})
}

// nbioFrame keeps what is left of one read until the next. It serves one connection.
func nbioFrame(c Config) error {
	var count counter
	var kept []byte
	return serveNbio(c, func(conn *nbio.Conn, data []byte) {
		if len(kept) > 0 {
			kept = append(kept, data...)
			data = kept
		}
		rest, answer := count.feed(data)
		kept = append(kept[:0], rest...)
		if answer != nil {
			_, _ = conn.Write(answer) // an error means that the connection has ended
		}
	})
}

func nbioPush(c Config) error {
	message := pushMessage(c.Size)
	all := newBroadcast(func(conn *nbio.Conn) {
		_, _ = conn.Write(message) // an error means that the connection has ended
	})
	return serveNbio(c, func(conn *nbio.Conn, data []byte) {
		if conn.Session() == nil {
			conn.SetSession(true)
			all.join(conn)
			_, _ = conn.Write(data) // an error means that the connection has ended
			return
		}
		all.ask(len(data))
	})
}
