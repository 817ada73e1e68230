package codec_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// A server's side of a stream that came in two pieces.
func ExampleDecoder() {
	c, err := codec.New(codec.Config{})
	if err != nil {
		panic(err)
	}
	var d codec.Decoder
	d.Init(c, false)
	defer d.Release()

	key := [4]byte{1, 2, 3, 4} // a client takes a random one for each frame
	stream := codec.AppendMasked(nil, codec.Text, 0, key, []byte("Hello"))
	stream = codec.AppendMasked(stream, codec.Ping, 0, key, []byte("still there?"))
	stream = codec.AppendMasked(stream, codec.Text, 0, key, []byte("not UTF-8: \xff"))

	for _, p := range [][]byte{stream[:8], stream[8:]} {
		for {
			m, n, err := d.Next(p)
			if bad := (*codec.Error)(nil); errors.As(err, &bad) {
				fmt.Printf("close with %d: %s\n", bad.Code, bad.Reason)
				return
			}
			if m.Kind == 0 {
				break // p is used up
			}
			fmt.Printf("%v: %s\n", m.Kind, m.Data)
			p = p[n:]
		}
	}
	// Output:
	// text: Hello
	// ping: still there?
	// close with 1007: not valid UTF-8
}

// Both ends of a connection agree on compression, and use it.
func ExampleCodec_Negotiate() {
	client, err := codec.New(codec.Config{Client: true, Deflate: &codec.Deflate{}})
	if err != nil {
		panic(err)
	}
	server, err := codec.New(codec.Config{Deflate: &codec.Deflate{}})
	if err != nil {
		panic(err)
	}

	// Sec-WebSocket-Extensions, there and back.
	agreed, answer, err := server.Negotiate([]byte(client.Offer()))
	if err != nil {
		panic(err)
	}
	fmt.Println(answer)
	confirmed, err := client.Confirm([]byte(answer))
	if err != nil {
		panic(err)
	}

	sends, receives := server.NewCompression(agreed), client.NewCompression(confirmed)
	defer sends.Release()
	defer receives.Release()
	frame := sends.AppendFrame(nil, codec.Text, bytes.Repeat([]byte("row, "), 200))

	var d codec.Decoder
	d.Init(client, confirmed.Agreed())
	m, _, err := d.Next(frame)
	if err != nil {
		panic(err)
	}
	text, err := receives.Inflate(nil, m)
	fmt.Println(m.Compressed, len(frame) < 40, len(text), err)
	// Output:
	// permessage-deflate; client_no_context_takeover
	// true true 1000 <nil>
}
