package weir_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/go-weir/weir"
)

// farewell passes on why each connection ended.
type farewell chan error

func (farewell) OnConnect(c *weir.Connection) {}
func (f farewell) OnClose(c *weir.Connection) { f <- c.Err() }
func (farewell) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return nil
}

// A connection on which nothing is received or sent for the idle time is
// closed.
func ExampleIdleTime() {
	causes := make(farewell, 1)
	s, err := weir.NewServer(causes, weir.Address("127.0.0.1:0"), weir.IdleTime(20*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Read(make([]byte, 1))
	fmt.Println("the client reads the end:", errors.Is(err, io.EOF))
	cause := <-causes
	fmt.Println("the server knows why:", errors.Is(cause, weir.ErrIdleTimeout), "-", cause)
	_ = s.Stop() // which has no error to return
	// Output:
	// the client reads the end: true
	// the server knows why: true - weir: idle timeout
}
