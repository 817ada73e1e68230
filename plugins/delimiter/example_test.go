package delimiter_test

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"strings"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/delimiter"
)

// shouter answers each line with it, only louder.
type shouter struct{}

func (shouter) OnConnect(*weir.Connection) {}
func (shouter) OnClose(*weir.Connection)   {}
func (shouter) OnMessage(_ *weir.Connection, _ any, line []byte) any {
	return strings.ToUpper(string(line))
}

// Lines of text, however they are cut and whatever ends them.
func ExampleLines() {
	s, err := weir.NewServer(shouter{}, weir.Address("127.0.0.1:0"), weir.CustomProtocol(delimiter.Lines()))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	for _, piece := range []string{"one\ntw", "o\r", "\n\nthree", "\n"} {
		if _, err := client.Write([]byte(piece)); err != nil {
			log.Fatal(err)
		}
	}
	replies := bufio.NewScanner(client)
	for range 4 {
		replies.Scan()
		fmt.Printf("%q\n", replies.Text())
	}
	client.Close()
	_ = s.Stop() // which has no error to return
	// Output:
	// "ONE"
	// "TWO"
	// ""
	// "THREE"
}
