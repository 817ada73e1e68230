// Redis is a small Redis: strings that may expire, and channels to subscribe to.
// redis-cli, redis-benchmark and client libraries work with it.
//
//	go run ./example/redis -addr :6380
//	redis-cli -p 6380 set greeting hello
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

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	password := flag.String("requirepass", "", "password that clients must give (empty: none)")
	busy := flag.Duration("busypoll", 20*time.Microsecond, "time for which a loop with nothing to do asks again before it blocks")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := listen(*addr, *loops, *password, weir.BusyPoll(*busy), weir.MetricsServer("", *metrics))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("redis server on", s.Addrs()[0])

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
