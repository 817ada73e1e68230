package weir_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"syscall"
	"time"

	"github.com/go-weir/weir"
)

// A peer that reads nothing of what it is sent is closed; one that reads, however slowly,
// makes progress and is not.
func ExampleStallTimeout() {
	causes := make(farewell, 1)
	s, err := weir.NewServer(greeter{causes, make([]byte, 32<<20)}, weir.Address("127.0.0.1:0"), weir.StallTimeout(50*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	cause := <-causes // the client reads nothing
	var unsent *weir.UnsentError
	fmt.Println(errors.Is(cause, weir.ErrStalled), errors.As(cause, &unsent))
	_ = s.Stop() // which has no error to return
	// Output: true true
}

// greeter sends each connection a greeting.
type greeter struct {
	farewell
	greeting []byte
}

func (g greeter) OnConnect(c *weir.Connection) { _, _ = c.Write(g.greeting) }

// truncating sends half of a message that only the end of the stream delimits.
type truncating struct{ farewell }

func (truncating) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	c.Reset(errors.New("the story is lost")) // Close would make it look whole
	return []byte("Once upon a")
}

// What was written arrives, and then the peer is told that it is not all.
func ExampleConnection_Reset() {
	causes := make(farewell, 1)
	s, err := weir.NewServer(truncating{causes}, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Write([]byte("Tell me a story")); err != nil {
		log.Fatal(err)
	}
	story, err := io.ReadAll(client)
	fmt.Printf("%s: reset: %v\n", story, errors.Is(err, syscall.ECONNRESET))
	fmt.Println("the server knows why:", <-causes)
	_ = s.Stop() // which has no error to return
	// Output:
	// Once upon a: reset: true
	// the server knows why: the story is lost
}
