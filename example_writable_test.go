package weir_test

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
)

const (
	lowWater  = 64 << 10
	highWater = 256 << 10
)

// producer has more to send than its peer wants to read at a time.
type producer struct {
	full chan struct{} // closed when the first connection is over its high-water mark

	// loop only; a server of several connections keeps it with SetContext
	rounds int
	sent   int64
}

func (p *producer) OnConnect(c *weir.Connection) {
	p.produce(c)
	close(p.full)
}

// OnWritable hears that the connection has drained to its low-water mark.
func (p *producer) OnWritable(c *weir.Connection) {
	if p.rounds++; p.rounds == 3 {
		_ = c.Close() // after all that was written
		return
	}
	p.produce(c)
}

// produce writes until the connection is over its high-water mark.
func (p *producer) produce(c *weir.Connection) {
	chunk := make([]byte, 4<<10)
	for c.WriteBufferLength() <= highWater {
		n, err := c.Write(chunk)
		if err != nil {
			return
		}
		p.sent += int64(n)
	}
}

func (p *producer) OnClose(c *weir.Connection) {}
func (p *producer) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return nil
}

// Back-pressure: whoever produces stops at the high-water mark, and goes on
// when OnWritable says that the peer has read.
func ExampleWritableHandler() {
	p := &producer{full: make(chan struct{})}
	s, err := weir.NewServer(p, weir.Address("127.0.0.1:0"), weir.WriteBufferMarks(lowWater, highWater))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	<-p.full // until here, nothing was read
	received, err := io.Copy(io.Discard, client)

	_ = s.Stop() // which has no error to return; it waits until nothing runs any more
	fmt.Println("rounds:", p.rounds)
	fmt.Println("all received:", received == p.sent, err)
	// Output:
	// rounds: 3
	// all received: true <nil>
}
