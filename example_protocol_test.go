package weir_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/ringbuffer"
)

// maxFrame is the longest message that this protocol knows. It is refused by
// its header; the server's MaxMessageSize would have to receive it first.
const maxFrame = 1 << 20

// frames are messages with their length in front: 4 bytes, big-endian.
type frames struct{}

// UnPacket copies nothing: the payload is a window into what was received.
func (frames) UnPacket(c *weir.Connection, buffer *ringbuffer.RingBuffer) (ctx any, payload []byte) {
	if buffer.Length() < 4 {
		return nil, nil
	}
	size := buffer.PeekUint32()
	if size > maxFrame {
		c.CloseWithError(fmt.Errorf("frame of %d bytes, at most %d are allowed", size, maxFrame))
		return nil, nil
	}
	frame := buffer.View(4 + int(size))
	if frame == nil {
		return nil, nil // not all of it is there yet
	}
	buffer.Retrieve(len(frame))
	return struct{}{}, frame[4:] // with a ctx, a message may be empty
}

// Packet is not called, because there is an AppendPacket.
func (f frames) Packet(c *weir.Connection, data any) []byte { return f.AppendPacket(nil, c, data) }

// AppendPacket encodes straight into the loop's write buffer.
func (frames) AppendPacket(dst []byte, _ *weir.Connection, data any) []byte {
	message := data.(string)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(message)))
	return append(dst, message...)
}

// counter answers each message with its length in words.
type counter struct{}

func (counter) OnConnect(c *weir.Connection) {}
func (counter) OnClose(c *weir.Connection)   {}
func (counter) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	return fmt.Sprintf("%q has %d bytes", data, len(data))
}

// A protocol of one's own, with the length in front of each message.
func ExampleProtocol() {
	s, err := weir.NewServer(counter{}, weir.Address("127.0.0.1:0"), weir.CustomProtocol(frames{}))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	client, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	var request []byte
	for _, message := range []string{"one", "", "three"} {
		request = frames{}.AppendPacket(request, nil, message)
	}
	for _, part := range [][]byte{request[:9], request[9:]} { // TCP knows no messages
		if _, err := client.Write(part); err != nil {
			log.Fatal(err)
		}
	}
	for range 3 {
		var size uint32
		if err := binary.Read(client, binary.BigEndian, &size); err != nil {
			log.Fatal(err)
		}
		reply := make([]byte, size)
		if _, err := io.ReadFull(client, reply); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", reply)
	}
	_ = s.Stop() // which has no error to return
	// Output:
	// "one" has 3 bytes
	// "" has 0 bytes
	// "three" has 5 bytes
}
