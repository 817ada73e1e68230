// Protobuf is a calculator: it answers a list of numbers with their sum, as
// Protocol Buffers messages with their names in front.
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

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/protobuf"
)

type calculator struct{}

func (calculator) OnConnect(*weir.Connection) {}

// OnMessage gets a message of one of the registered types, or what is wrong.
func (calculator) OnMessage(_ *weir.Connection, ctx any, _ []byte) any {
	switch m := ctx.(type) {
	case *structpb.ListValue:
		sum := 0.0
		for _, v := range m.Values {
			sum += v.GetNumberValue()
		}
		return wrapperspb.Double(sum)
	case *protobuf.DecodeError:
		return wrapperspb.String(m.Error())
	}
	return nil
}

func (calculator) OnClose(c *weir.Connection) { log.Printf("closed: %s: %v", c.PeerAddr(), c.Err()) }

// messages are what client and server agree on: one under its full name, one
// under another.
var messages = protobuf.Config{
	Messages:    []proto.Message{(*structpb.ListValue)(nil)},
	Named:       map[string]proto.Message{"sum": (*wrapperspb.DoubleValue)(nil)},
	Undecodable: protobuf.DeliverUndecodable,
	MaxMessage:  64 << 10,
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	protocol, err := protobuf.NewTyped(messages)
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(calculator{}, weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops), weir.CustomProtocol(protocol))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("calculator on", s.Addrs()[0])

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
