// Sendinloop answers each line with its SHA-256, which workers work out beside
// the loops. Their buffers are used again as soon as a reply was written.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
)

type job struct {
	conn *weir.Connection
	line []byte
}

type handler struct {
	jobs    chan job
	buffers sync.Pool
	made    atomic.Int64 // buffers
}

func (*handler) OnConnect(*weir.Connection) {}

func (h *handler) OnMessage(c *weir.Connection, _ any, line []byte) any {
	select {
	case h.jobs <- job{c, append([]byte(nil), line...)}: // line is valid until OnMessage returns
		return nil
	default: // a loop must not wait
		return "busy"
	}
}

func (*handler) OnClose(*weir.Connection) {}

// work answers jobs. With several workers the replies come in any order.
func (h *handler) work() {
	for j := range h.jobs {
		buf := h.buffers.Get().([]byte)[:0]
		sum := sha256.Sum256(j.line)
		buf = hex.AppendEncode(buf, sum[:])
		buf = append(append(buf, ' '), j.line...)
		// From here on buf is the library's, until recycle is called.
		if err := j.conn.Send(buf, weir.SendInLoop(h.recycle)); err != nil {
			h.recycle(buf) // which is then not called: the connection has ended, or is full
		}
	}
}

// recycle runs on the loop: it must not wait either.
func (h *handler) recycle(data any) { h.buffers.Put(data) }

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	h := &handler{jobs: make(chan job, 1024)}
	h.buffers.New = func() any { h.made.Add(1); return make([]byte, 0, 512) }
	s, err := weir.NewServer(h, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops), weir.CustomProtocol(delimiter.Lines()))
	if err != nil {
		log.Fatal(err)
	}
	for range runtime.GOMAXPROCS(0) {
		go h.work()
	}
	fmt.Println("hash server on", s.Addrs()[0])

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
	log.Printf("%d buffers for %d replies", h.made.Load(), s.Stats().MessagesOut)
}
