// Chat is a chat for browsers: rooms, names, who is there, and what was said before.
// The page, its socket and /healthz share one port; the metrics are at another, -metrics:
//
//	go run ./example/chat
//
// With -swarm it talks to itself, and says at the end how well that went:
//
//	go run ./example/chat -swarm 5000 -for 30s
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var c config
	var w swarm
	flag.StringVar(&c.addr, "addr", ":1833", "address to listen on")
	flag.IntVar(&c.loops, "loops", 0, "number of event loops (0: one per CPU)")
	flag.StringVar(&c.metrics, "metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.IntVar(&w.bots, "swarm", 0, "number of bots to run (0: none, serve only)")
	flag.StringVar(&w.url, "url", "", "chat for the bots, such as ws://localhost:1833/ws (empty: one of their own, on a free port)")
	flag.IntVar(&w.rooms, "rooms", 0, "number of rooms for the bots (0: one for each 50)")
	flag.DurationVar(&w.every, "every", 5*time.Second, "time between two messages of a bot")
	flag.DurationVar(&w.length, "for", 30*time.Second, "how long the bots talk")
	flag.Parse()
	c.limits = defaultLimits()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if w.bots > 0 {
		err = runSwarm(ctx, c, &w)
	} else {
		err = serve(ctx, c)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// serve runs a chat until the context ends.
func serve(ctx context.Context, c config) error {
	s, err := newServer(c)
	if err != nil {
		return err
	}
	fmt.Println("chat on", s.url())
	context.AfterFunc(ctx, s.shutdown)
	return s.Start()
}

// runSwarm runs bots, against a chat in this process if they have no other.
func runSwarm(ctx context.Context, c config, w *swarm) (err error) {
	own := w.url == ""
	if err := w.prepare(); err != nil {
		return err
	}
	if own {
		c.addr = "127.0.0.1:0"
		s, err := newServer(c)
		if err != nil {
			return err
		}
		w.url = s.url()
		ended := make(chan error, 1)
		go func() { ended <- s.Start() }()
		defer func() {
			s.shutdown()
			err = cmp.Or(err, <-ended)
		}()
	}
	fmt.Println("chat on", w.url)
	f, err := w.run(ctx, newProgress(os.Stderr))
	if err != nil {
		return err
	}
	f.print(os.Stdout)
	if f.errors > 0 {
		return fmt.Errorf("%d errors; the first: %w", f.errors, f.first)
	}
	return nil
}
