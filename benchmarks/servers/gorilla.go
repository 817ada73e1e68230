package servers

import (
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/go-weir/weir/benchmarks/load"
)

func gorillaServer() Server {
	return Server{
		Name: "gorilla", Module: "github.com/gorilla/websocket",
		Setup: "net/http with an Upgrader that has a WriteBufferPool, buffers as large as a batch (4 to 64 KiB), ReadMessage " +
			"and WriteMessage; broadcast: a PreparedMessage",
		Roles: map[Role]func(Config) error{WebSocket: gorillaEcho, Broadcast: gorillaBroadcast},
	}
}

// serveGorilla runs serve on the goroutine that net/http has for each connection.
func serveGorilla(c Config, serve func(*websocket.Conn)) error {
	size := bufferFor(c)
	if size == defaultBuffer {
		size = 0 // that of net/http is taken over
	}
	upgrader := websocket.Upgrader{ReadBufferSize: size, WriteBufferSize: bufferFor(c), WriteBufferPool: new(sync.Pool)}
	return http.ListenAndServe(c.Address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // the client has been told
		}
		defer func() { _ = conn.Close() }() // whatever it says, that was it
		serve(conn)
	}))
}

func gorillaEcho(c Config) error {
	return serveGorilla(c, func(conn *websocket.Conn) {
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if err := conn.WriteMessage(kind, data); err != nil {
				return
			}
		}
	})
}

// gorillaBroadcast writes to all connections from the goroutine that was asked to: the least work that there is, as long as
// all peers read.
func gorillaBroadcast(c Config) error {
	var all room[*websocket.Conn]
	payload := pushMessage(c.Size)
	return serveGorilla(c, func(conn *websocket.Conn) {
		all.join(conn, func() {
			_ = conn.WriteMessage(websocket.BinaryMessage, []byte(load.Welcome)) // an error comes again when it is read
		})
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
			m, err := websocket.NewPreparedMessage(websocket.BinaryMessage, payload)
			if err != nil {
				return
			}
			all.each(func(conn *websocket.Conn) {
				_ = conn.WritePreparedMessage(m) // an error means that the connection has ended
			})
		}
	})
}
