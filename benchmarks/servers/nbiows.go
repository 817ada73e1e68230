package servers

import (
	"net/http"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"

	"github.com/go-weir/weir/benchmarks/load"
)

// serveNbioWebSocket upgrades whatever is asked for.
func serveNbioWebSocket(c Config, set func(*websocket.Upgrader)) error {
	logging.SetLevel(logging.LevelError)
	u := websocket.NewUpgrader()
	set(u)
	e := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp4", Addrs: []string{c.Address}, NPoller: c.Loops, EpollMod: nbio.EPOLLLT, ReadBufferSize: 64 << 10,
		ServerExecutor: func(f func()) { f() }, ReleaseWebsocketPayload: true,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = u.Upgrade(w, r, nil) // the client has been told
		}),
	})
	u.Engine = e
	if err := e.Start(); err != nil {
		return err
	}
	select {}
}

func nbioWebSocket(c Config) error {
	return serveNbioWebSocket(c, func(u *websocket.Upgrader) {
		u.OnMessage(func(conn *websocket.Conn, kind websocket.MessageType, data []byte) {
			_ = conn.WriteMessage(kind, data) // an error means that the connection has ended
		})
	})
}

func nbioBroadcast(c Config) error {
	var all room[*websocket.Conn]
	payload := pushMessage(c.Size)
	return serveNbioWebSocket(c, func(u *websocket.Upgrader) {
		u.OnOpen(func(conn *websocket.Conn) {
			all.join(conn, func() {
				_ = conn.WriteMessage(websocket.BinaryMessage, []byte(load.Welcome)) // an error means that the connection has ended
			})
		})
		u.OnMessage(func(*websocket.Conn, websocket.MessageType, []byte) {
			all.each(func(conn *websocket.Conn) {
				_ = conn.WriteMessage(websocket.BinaryMessage, payload) // an error means that the connection has ended
			})
		})
	})
}
