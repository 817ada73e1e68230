package weir_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// errNoDigit is a cause of one's own.
var errNoDigit = errors.New("not a digit")

// digits are messages of one byte.
type digits struct{}

func (digits) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	digit := buffer.View(1)
	switch {
	case digit == nil:
		return nil, nil
	case digit[0] < '0' || digit[0] > '9':
		c.CloseWithError(fmt.Errorf("%w: %q", errNoDigit, digit[0]))
		return nil, nil
	}
	buffer.Retrieve(1)
	return nil, digit
}

func (digits) Packet(_ *weir.Connection, data any) []byte { return data.([]byte) }

// mirror sends back each message, and passes on why its connections end.
type mirror chan error

func (mirror) OnConnect(c *weir.Connection) {}
func (m mirror) OnClose(c *weir.Connection) { m <- c.Err() }
func (mirror) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return data
}

// A protocol that can't make sense of a stream ends it. What came before is
// still answered, and OnClose knows the cause.
func ExampleConnection_CloseWithError() {
	causes := make(mirror, 1)
	s, err := weir.NewServer(causes, weir.Address("127.0.0.1:0"), weir.CustomProtocol(digits{}))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "12x45"); err != nil {
		log.Fatal(err)
	}
	answers, err := io.ReadAll(client)
	fmt.Printf("answers: %s, %v\n", answers, err)
	cause := <-causes
	fmt.Println("cause:", cause, errors.Is(cause, errNoDigit))
	_ = s.Stop() // which has no error to return
	// Output:
	// answers: 12, <nil>
	// cause: not a digit: 'x' true
}
