// Upper is the smallest server: it answers in capital letters.
package main

import (
	"bytes"
	"log"

	"github.com/go-weir/weir"
)

type upper struct{}

func (upper) OnConnect(c *weir.Connection) {}
func (upper) OnClose(c *weir.Connection)   {}
func (upper) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return bytes.ToUpper(data)
}

func main() {
	s, err := weir.NewServer(upper{}, weir.Address("localhost:1833"))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("listening on", s.Addrs()[0])
	log.Fatal(s.Start())
}
