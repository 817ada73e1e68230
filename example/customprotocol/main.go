// Customprotocol is a server with a protocol of its own, telegrams: it answers
// what it is asked. Its client is in the folder of that name.
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
	"github.com/go-weir/weir/example/customprotocol/telegram"
)

type oracle struct{}

func (oracle) OnConnect(*weir.Connection) {}

func (oracle) OnMessage(_ *weir.Connection, ctx any, text []byte) any {
	if ctx != telegram.Ask {
		return nil
	}
	switch string(text) {
	case "time":
		return &telegram.Telegram{Kind: telegram.Answer, Text: time.Now().Format(time.TimeOnly)}
	case "meaning of life":
		return &telegram.Telegram{Kind: telegram.Answer, Text: "42"}
	}
	return &telegram.Telegram{Kind: telegram.Answer, Text: "I don't know"}
}

func (oracle) OnClose(c *weir.Connection) { log.Printf("closed: %s: %v", c.PeerAddr(), c.Err()) }

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := weir.NewServer(oracle{}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops),
		weir.CustomProtocol(telegram.Protocol{}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("telegram server on", s.Addrs()[0])

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
