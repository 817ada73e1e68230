package weir_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// lines are messages that end with a line feed.
type lines struct{}

func (lines) UnPacket(_ *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	end := buffer.Index([]byte("\n"))
	if end < 0 {
		return nil, nil
	}
	line := buffer.View(end + 1)
	buffer.Retrieve(len(line))
	return nil, line
}

func (lines) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// job is work that would hold up the loop.
type job struct {
	c    *weir.Connection
	line []byte
}

// office gives what it receives to a worker, one line of a connection at a time.
type office struct{ jobs chan job }

func (office) OnConnect(c *weir.Connection) {}
func (office) OnClose(c *weir.Connection)   {}
func (o office) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	c.PauseRead()                       // no other message of c until the worker resumes it
	o.jobs <- job{c, bytes.Clone(data)} // data itself is valid in this call only
	return nil
}

// work may block. Here it only counts.
func (o office) work() {
	n := 0
	for j := range o.jobs {
		n++
		_ = j.c.Send(fmt.Appendf(nil, "%d: %s", n, j.line)) // an error means that c is ending
		j.c.ResumeRead()
	}
}

// Slow work leaves the loop: reading from that peer pauses until a worker is
// done, and so the answers keep the order of the questions.
func ExampleConnection_PauseRead() {
	o := office{make(chan job, 1)} // one place per connection, so that OnMessage never blocks
	go o.work()
	defer close(o.jobs)
	s, err := weir.NewServer(o, weir.Address("127.0.0.1:0"), weir.CustomProtocol(lines{}))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "alpha\nbeta\ngamma\n"); err != nil {
		log.Fatal(err)
	}
	answers := bufio.NewScanner(client)
	for range 3 {
		answers.Scan()
		fmt.Println(answers.Text())
	}
	_ = s.Stop() // which has no error to return
	// Output:
	// 1: alpha
	// 2: beta
	// 3: gamma
}
