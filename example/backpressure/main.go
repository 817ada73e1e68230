// Backpressure sends as many bytes as a client asks for, as fast as the client
// reads them and no faster: whatever it asks for, little of it is in memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
)

const highWater = 256 << 10 // bytes of one connection that may wait to be sent

var chunk = make([]byte, 64<<10)

// download is a connection's Context.
type download struct {
	left    int   // bytes to be sent
	waiting int64 // the most that has waited
}

// pump sends until the client is behind. OnWritable goes on when it has caught up.
func (d *download) pump(c *weir.Connection) {
	for range 16 { // of a fast client's chunks; then it is the turn of others
		if d.left == 0 {
			log.Printf("sent: %s, at most %d bytes waited", c.PeerAddr(), d.waiting)
			_ = c.Close() // sends what waits first
			return
		}
		n, err := c.Write(chunk[:min(d.left, len(chunk))])
		if err != nil {
			return // it is ending
		}
		d.left -= n
		d.waiting = max(d.waiting, c.WriteBufferLength())
		if c.WriteBufferLength() > highWater {
			return
		}
	}
	_ = c.Execute(func() { d.pump(c) }) // an error means that it is ending
}

type handler struct{}

func (handler) OnConnect(*weir.Connection) {}

func (handler) OnMessage(c *weir.Connection, _ any, line []byte) any {
	n, err := strconv.Atoi(string(line))
	if err != nil || n < 0 || c.Context() != nil {
		return "one number, please"
	}
	d := &download{left: n}
	c.SetContext(d)
	d.pump(c)
	return nil
}

// OnWritable hears of a client that had been behind and no longer is.
func (handler) OnWritable(c *weir.Connection) {
	if d, ok := c.Context().(*download); ok {
		d.pump(c)
	}
}

func (handler) OnClose(c *weir.Connection) { log.Printf("closed: %s: %v", c.PeerAddr(), c.Err()) }

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	s, err := weir.NewServer(handler{}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops),
		weir.CustomProtocol(delimiter.Lines()), weir.WriteBufferMarks(highWater/4, highWater))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("server of any number of bytes on", s.Addrs()[0])

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
