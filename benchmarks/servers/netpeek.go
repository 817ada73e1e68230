package servers

import (
	"bufio"
	"encoding/binary"
	"net"

	"github.com/go-weir/weir/benchmarks/load"
)

// netPeekServer is the standard library once more, where it can do without a copy.
func netPeekServer() Server {
	return Server{
		Name:  "net-peek",
		Setup: "as net, but with Peek and Discard of bufio.Reader, which copy nothing",
		Roles: map[Role]func(Config) error{Frame: netPeekFrame},
	}
}

func netPeekFrame(c Config) error {
	return serveNet(c, func(conn net.Conn) {
		var count counter
		r := bufio.NewReaderSize(conn, frameBuffer)
		for {
			header, err := r.Peek(load.FrameHeader)
			if err != nil {
				return
			}
			size := load.FrameHeader + int(binary.BigEndian.Uint32(header))
			frame, err := r.Peek(size)
			if err != nil {
				return
			}
			if answer := count.take(frame[load.FrameHeader:]); answer != nil {
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
			_, _ = r.Discard(size) // it was peeked at
		}
	})
}
