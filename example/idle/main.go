// Idle is an echo server that closes connections on which nothing happens.
// Those that have sent anything at all may be idle for ten times as long.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-weir/weir"
)

type handler struct{ patience time.Duration }

func (handler) OnConnect(c *weir.Connection) { log.Println("connected:", c.PeerAddr()) }

func (h handler) OnMessage(c *weir.Connection, _ any, data []byte) any {
	if c.Context() == nil {
		c.SetContext("known")
		c.SetIdleTime(h.patience) // for this connection, instead of the server's
	}
	_, _ = c.Write(data) // an error means that the connection is about to end
	return nil
}

func (handler) OnClose(c *weir.Connection) {
	if errors.Is(c.Err(), weir.ErrIdleTimeout) {
		log.Printf("idle: %s, known: %t", c.PeerAddr(), c.Context() != nil)
		return
	}
	log.Printf("closed: %s: %v", c.PeerAddr(), c.Err())
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	idle := flag.Duration("idle", 10*time.Second, "close connections that are idle for this long from the start")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := weir.NewServer(handler{10 * *idle}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops), weir.IdleTime(*idle))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo server for the busy on", s.Addrs()[0])

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
