package servers

import "github.com/tidwall/evio"

func evioServer() Server {
	return Server{
		Name: "evio", Module: "github.com/tidwall/evio",
		Setup: "NumLoops as many as processors, ReuseInputBuffer, Wake to push",
		Roles: map[Role]func(Config) error{Echo: evioEcho, Frame: evioFrame, Push: evioPush},
	}
}

func serveEvio(c Config, data func(evio.Conn, []byte) ([]byte, evio.Action)) error {
	return evio.Serve(evio.Events{
		NumLoops: c.Loops,
		Opened: func(evio.Conn) ([]byte, evio.Options, evio.Action) {
			return nil, evio.Options{ReuseInputBuffer: true}, evio.None
		},
		Data: data,
	}, "tcp4://"+c.Address)
}

func evioEcho(c Config) error {
	return serveEvio(c, func(_ evio.Conn, in []byte) ([]byte, evio.Action) { return in, evio.None })
}

// evioFrame serves one connection.
func evioFrame(c Config) error {
	var count counter
	var stream evio.InputStream
	return serveEvio(c, func(_ evio.Conn, in []byte) ([]byte, evio.Action) {
		rest, answer := count.feed(stream.Begin(in))
		stream.End(rest)
		return answer, evio.None
	})
}

// evioPush has each connection woken up, as evio has no other way to send something that was not asked for: Data is then
// called without input.
func evioPush(c Config) error {
	message := pushMessage(c.Size)
	all := newBroadcast(func(conn evio.Conn) { conn.Wake() })
	return serveEvio(c, func(conn evio.Conn, in []byte) ([]byte, evio.Action) {
		switch {
		case len(in) == 0:
			return message, evio.None
		case conn.Context() == nil:
			conn.SetContext(true)
			all.join(conn)
			return in, evio.None
		}
		all.ask(len(in))
		return nil, evio.None
	})
}
