package lengthfield_test

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/lengthfield"
)

// greeter answers each frame with one.
type greeter struct{}

func (greeter) OnConnect(*weir.Connection) {}
func (greeter) OnClose(*weir.Connection)   {}
func (greeter) OnMessage(_ *weir.Connection, _ any, data []byte) any {
	return fmt.Sprintf("hello, %s", data)
}

// A server and a client for frames with a magic number and a length of two bytes.
func Example() {
	frames, err := lengthfield.New(lengthfield.Config{
		Offset: 1, Width: 2, Strip: lengthfield.StripHeader, Prefix: []byte{0xCA}, MaxFrame: 4096,
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(greeter{}, weir.Address("127.0.0.1:0"), weir.CustomProtocol(frames))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	request, err := frames.AppendFrame(nil, []byte("Ada"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Write(request); err != nil {
		log.Fatal(err)
	}
	reply := make([]byte, 3+len("hello, Ada"))
	if _, err := io.ReadFull(client, reply); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", reply)
	client.Close()
	_ = s.Stop() // which has no error to return
	// Output: "\xca\x00\nhello, Ada"
}
