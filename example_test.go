package weir_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
)

// upper answers in capital letters.
type upper struct{}

func (upper) OnConnect(c *weir.Connection) {}
func (upper) OnClose(c *weir.Connection)   {}
func (upper) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return bytes.ToUpper(data)
}

// A server, and a client that talks to it.
func Example() {
	s, err := weir.NewServer(upper{}, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "hello"); err != nil {
		log.Fatal(err)
	}
	reply := make([]byte, 64)
	n, err := client.Read(reply)
	fmt.Printf("%s, %v\n", reply[:n], err)

	if err := s.Stop(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("Start returned", <-ended)
	// Output:
	// HELLO, <nil>
	// Start returned <nil>
}
