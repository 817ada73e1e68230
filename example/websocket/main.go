// Websocket sends back the messages that it receives, and answers plain HTTP on the
// same port.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

type echo struct{ websocket.Base }

func (echo) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
	_ = c.Reply(kind, data) // an error means that the connection is about to end
}

func page(w *http1.Response, _ *http1.Request) {
	w.ContentType("text/plain; charset=utf-8")
	w.WriteString("this is a WebSocket echo server\n")
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	compress := flag.Bool("compress", true, "accept permessage-deflate from clients that offer it")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	opts := []websocket.Option{websocket.Fallback(page)}
	if *compress {
		opts = append(opts, websocket.Compression(codec.Deflate{}))
	}
	s, err := weir.NewServer(websocket.Wrap(echo{}), weir.CustomProtocol(websocket.New(nil, opts...)),
		weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("WebSocket echo server on", s.Addrs()[0])

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(drain) // Start returns, whether or not it was in time
	})
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
}
