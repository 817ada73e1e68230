package weir_test

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
)

// arrivals passes each new connection on to another goroutine.
type arrivals chan *weir.Connection

func (a arrivals) OnConnect(c *weir.Connection) { a <- c }
func (arrivals) OnClose(c *weir.Connection)     {}
func (arrivals) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return nil
}

// Any goroutine may send. Send takes the data over and does not wait; the
// function given to SendInLoop says when the data is the caller's again, here to
// use one buffer for all messages.
func ExampleSendInLoop() {
	arrived := make(arrivals, 1) // OnConnect must not block
	s, err := weir.NewServer(arrived, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	c := <-arrived

	free := make(chan []byte, 1)
	free <- make([]byte, 0, 64)
	for _, message := range []string{"first", "second", "third"} {
		buffer := append((<-free)[:0], message+"\n"...)
		err := c.Send(buffer, weir.SendInLoop(func(sent any) { free <- sent.([]byte) }))
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := c.Close(); err != nil { // after all that was accepted for sending
		log.Fatal(err)
	}
	received, err := io.ReadAll(client)
	fmt.Printf("%s%v\n", received, err)
	_ = s.Stop() // which has no error to return
	// Output:
	// first
	// second
	// third
	// <nil>
}
