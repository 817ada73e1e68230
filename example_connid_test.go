package weir_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
)

// badge tells each peer the name of its connection.
type badge struct{ gone chan struct{} }

func (badge) OnConnect(c *weir.Connection) {
	_, _ = fmt.Fprintln(c, c.ID()) // as text; an error means that c is ending
}
func (b badge) OnClose(c *weir.Connection) { b.gone <- struct{}{} }
func (badge) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return nil
}

// An ID goes out as text, to a database or to another process, comes back, and
// finds the connection, or nothing if that has ended.
func ExampleConnID() {
	b := badge{make(chan struct{}, 1)}
	s, err := weir.NewServer(b, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	reader := bufio.NewReader(client)
	text, err := reader.ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}

	var id weir.ConnID
	if err := id.UnmarshalText([]byte(text[:len(text)-1])); err != nil {
		log.Fatal(err)
	}
	c := s.Connection(id)
	fmt.Println("the same connection:", c.PeerAddr() == client.LocalAddr().String())
	if err := c.Send("found you"); err != nil {
		log.Fatal(err)
	}
	_ = c.Close() // it was open
	message, _ := io.ReadAll(reader)
	fmt.Printf("%s\n", message)

	<-b.gone
	fmt.Println("after its end:", s.Connection(id) == nil)
	_ = s.Stop() // which has no error to return
	// Output:
	// the same connection: true
	// found you
	// after its end: true
}
