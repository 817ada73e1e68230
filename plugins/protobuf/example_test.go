package protobuf_test

import (
	"fmt"
	"io"
	"log"
	"net"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/protobuf"
)

// doubler answers each number with twice as much, and what isn't one with what
// is wrong with it.
type doubler struct{}

func (doubler) OnConnect(*weir.Connection) {}
func (doubler) OnClose(*weir.Connection)   {}
func (doubler) OnMessage(_ *weir.Connection, ctx any, _ []byte) any {
	switch m := ctx.(type) {
	case *wrapperspb.Int64Value:
		return wrapperspb.Int64(2 * m.Value)
	case *protobuf.DecodeError:
		return wrapperspb.String(m.Error())
	}
	return nil
}

func ExampleTyped() {
	p, err := protobuf.NewTyped(protobuf.Config{
		Named:       map[string]proto.Message{"number": (*wrapperspb.Int64Value)(nil)},
		Undecodable: protobuf.DeliverUndecodable,
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(doubler{}, weir.Address("127.0.0.1:0"), weir.CustomProtocol(p))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	request, err := p.Append(nil, wrapperspb.Int64(21))
	if err != nil {
		log.Fatal(err)
	}
	request = append(request, protobuf.PackMessage("colour", []byte("blue"))...)
	if _, err := client.Write(request); err != nil {
		log.Fatal(err)
	}
	_ = client.(*net.TCPConn).CloseWrite() // it is open
	replies, err := io.ReadAll(client)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", replies)
	client.Close()
	_ = s.Stop() // which has no error to return
	// Output:
	// "\x00\x00\x00\n\x00\x06number\b*\x00\x00\x00G\x00\x1bgoogle.protobuf.StringValue\n(protobuf: message \"colour\": unknown type"
}
