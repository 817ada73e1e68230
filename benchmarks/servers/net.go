package servers

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"slices"

	"github.com/go-weir/weir/benchmarks/load"
)

func netServer() Server {
	return Server{
		Name:  "net",
		Setup: "the standard library: a goroutine and a buffer for each connection; frame: bufio.Reader of 64 KiB, io.ReadFull",
		Roles: map[Role]func(Config) error{Echo: netEcho, Frame: netFrame, Push: netPush},
	}
}

// frameBuffer is the size of the buffer that messages are cut from.
const frameBuffer = 64 << 10

// serveNet runs serve on a goroutine for each connection.
func serveNet(c Config, serve func(net.Conn)) error {
	ln, err := net.Listen("tcp", c.Address)
	if err != nil {
		return err
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }() // whatever it says, that was it
			serve(conn)
		}()
	}
}

// bufferFor is as large as what a peer sends in one go, from 4 to 64 KiB: a larger one would be memory spent for nothing,
// once for each connection.
func bufferFor(c Config) int { return min(max(c.InFlight, defaultBuffer), 64<<10) }

// defaultBuffer is what most servers that buffer have by default.
const defaultBuffer = 4 << 10

func netEcho(c Config) error {
	return serveNet(c, func(conn net.Conn) {
		buf := make([]byte, bufferFor(c))
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if _, err := conn.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

// netFrame reads as most programs do: io.ReadFull into a buffer of its own.
func netFrame(c Config) error {
	return serveNet(c, func(conn net.Conn) {
		var count counter
		r := bufio.NewReaderSize(conn, frameBuffer)
		header, payload := make([]byte, load.FrameHeader), make([]byte, 0, frameBuffer)
		for {
			if _, err := io.ReadFull(r, header); err != nil {
				return
			}
			size := int(binary.BigEndian.Uint32(header))
			payload = slices.Grow(payload[:0], size)[:size]
			if _, err := io.ReadFull(r, payload); err != nil {
				return
			}
			if answer := count.take(payload); answer != nil {
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
		}
	})
}

func netPush(c Config) error {
	message := pushMessage(c.Size)
	all := newBroadcast(func(conn net.Conn) {
		_, _ = conn.Write(message) // an error means that the connection has ended
	})
	return serveNet(c, func(conn net.Conn) {
		buf := make([]byte, 64)
		if _, err := conn.Read(buf[:1]); err != nil {
			return
		}
		all.join(conn)
		if _, err := conn.Write(buf[:1]); err != nil {
			return
		}
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			all.ask(n)
		}
	})
}
