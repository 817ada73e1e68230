// Linechat is a chat for telnet or nc: the first line is a name, and each line
// after it goes to everybody else.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
)

// room is who is there, on all loops.
type room struct {
	mu    sync.Mutex
	names map[*weir.Connection]string
}

// tell sends a line to all but one.
func (r *room) tell(except *weir.Connection, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.names {
		if c != except {
			_ = c.Send(line) // an error means that c is ending, or too slow to be told
		}
	}
}

// enter adds c under a name that nobody has, and returns who else is there.
func (r *room) enter(c *weir.Connection, name string) (others []string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	others = slices.Sorted(maps.Values(r.names))
	if name == "" || slices.Contains(others, name) {
		return nil, false
	}
	r.names[c] = name
	return others, true
}

func (r *room) OnConnect(c *weir.Connection) { _ = c.WritePacket("What is your name?") } // it is open

func (r *room) OnMessage(c *weir.Connection, _ any, line []byte) any {
	if name, entered := c.Context().(string); entered {
		r.tell(c, name+": "+string(line))
		return nil
	}
	name := strings.TrimSpace(string(line))
	others, ok := r.enter(c, name)
	if !ok {
		return "Another name, please."
	}
	c.SetContext(name)
	r.tell(c, "* "+name+" has come")
	return fmt.Sprintf("Welcome, %s. Here are: %s", name, strings.Join(others, ", "))
}

func (r *room) OnClose(c *weir.Connection) {
	if name, entered := c.Context().(string); entered {
		r.mu.Lock()
		delete(r.names, c)
		r.mu.Unlock()
		r.tell(c, "* "+name+" has left")
	}
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()
	s, err := weir.NewServer(&room{names: make(map[*weir.Connection]string)}, weir.Address(*addr), weir.MetricsServer("", *metrics),
		weir.NumLoops(*loops), weir.CustomProtocol(delimiter.Lines()), weir.WriteBufferLimit(1<<20))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("chat on", s.Addrs()[0])

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
