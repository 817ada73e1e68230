// Pushserver sends the prices of a market to all who are connected, again and
// again. Whoever does not read them in time is dropped; the others don't notice.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-weir/weir"
)

// market talks to nobody in particular, and listens to nobody.
type market struct{}

func (market) OnConnect(c *weir.Connection) { log.Println("connected:", c.PeerAddr()) }

func (market) OnMessage(*weir.Connection, any, []byte) any { return nil }

func (market) OnClose(c *weir.Connection) { log.Printf("closed: %s: %v", c.PeerAddr(), c.Err()) }

// prices is the text of push n, about 4 KB.
func prices(n int) []byte {
	text := fmt.Appendf(nil, "push %d\n", n)
	for item := range 256 {
		text = fmt.Appendf(text, "item %03d %6.2f\n", item, 100+100*rand.Float64())
	}
	return text
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	every := flag.Duration("every", time.Second, "time between two pushes")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()
	if *every <= 0 {
		log.Fatal("-every must be positive")
	}

	s, err := weir.NewServer(market{},
		weir.Address(*addr), weir.MetricsServer("", *metrics),
		weir.NumLoops(*loops),
		// What a peer may be behind: this much in the system, and this much here.
		weir.SocketWriteBuffer(64<<10),
		weir.WriteBufferMarks(32<<10, 64<<10),
		weir.WriteBufferLimit(256<<10),
		weir.SlowConsumer(weir.CloseSlow),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("push server on", s.Addrs()[0])

	n := 0 // for RunEvery only, whose runs follow one another
	s.RunEvery(*every, func() {
		n++
		text := prices(n) // one for all: nobody changes what was given to Send
		for c := range s.Connections() {
			_ = c.Send(text) // an error means that c is ending: OnClose says why
		}
	})

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
