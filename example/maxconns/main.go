// Maxconns is an echo server for a limited number of clients. The next ones are
// told to come again; many more than that are turned away without a word, before
// they cost anything.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-weir/weir"
)

type handler struct {
	limit int64
	count atomic.Int64 // of those that are served, on all loops
}

// served is the Context of a connection that counts.
type served struct{}

func (h *handler) OnConnect(c *weir.Connection) {
	if n := h.count.Add(1); n > h.limit {
		h.count.Add(-1)
		_, _ = c.Write([]byte("full, please come again\n")) // an error means that it is ending
		c.AwaitPeer()                                       // which may be sending already
		_ = c.Close()                                       // sends what was written first
		return
	}
	c.SetContext(served{})
	log.Println("connected:", c.PeerAddr())
}

func (h *handler) OnMessage(c *weir.Connection, _ any, data []byte) any {
	_, _ = c.Write(data) // an error means that the connection is about to end
	return nil
}

func (h *handler) OnClose(c *weir.Connection) {
	if c.Context() == nil {
		return // it was told to come again
	}
	h.count.Add(-1)
	log.Printf("closed: %s: %v", c.PeerAddr(), c.Err())
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	limit := flag.Int64("max", 1000, "number of clients that are served at one time")
	spare := flag.Int64("spare", 100, "number of clients on top of them that are told to come again")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := weir.NewServer(&handler{limit: *limit}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops),
		weir.MaxConnections(int(*limit+*spare)),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("echo server for %d clients on %s\n", *limit, s.Addrs()[0])

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
	log.Println("refused without a word:", s.Stats().Refused.MaxConnections)
}
