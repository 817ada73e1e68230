// Echo sends back what it receives.
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
)

type echo struct{}

func (echo) OnConnect(*weir.Connection) {}

func (echo) OnMessage(c *weir.Connection, _ any, data []byte) any {
	_, _ = c.Write(data) // an error means that the connection is about to end
	return nil
}

func (echo) OnClose(*weir.Connection) {}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	idle := flag.Duration("idle", 0, "close connections that are idle for this long (0: never)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := weir.NewServer(echo{}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops), weir.IdleTime(*idle))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo server on", s.Addrs()[0])

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
