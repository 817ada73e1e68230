package weir_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/go-weir/weir"
)

// What was accepted for sending before Shutdown still arrives.
func ExampleServer_Shutdown() {
	arrived := make(arrivals, 1)
	s, err := weir.NewServer(arrived, weir.Address("127.0.0.1:0"))
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
	if err := (<-arrived).Send("goodbye"); err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // then it would be Stop
	defer cancel()
	fmt.Println("Shutdown:", s.Shutdown(ctx))
	fmt.Println("Start:", <-ended)

	message, err := io.ReadAll(client)
	fmt.Printf("the client: %s, %v\n", message, err)
	// Output:
	// Shutdown: <nil>
	// Start: <nil>
	// the client: goodbye, <nil>
}
