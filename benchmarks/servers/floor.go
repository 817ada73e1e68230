package servers

import (
	"net"
	"strconv"
)

// Floor is the C program at that path, as package floor builds it.
func Floor(program string) Server {
	return Server{
		Name:  "floor",
		Setup: "C, one thread, level-triggered epoll, one buffer, plain bytes; see floor/src/floor.c",
		Roles: map[Role]func(Config) error{Echo: nil, Push: nil, WebSocket: nil, Broadcast: nil},
		Raw:   true,
		Command: func(r Role, c Config) ([]string, error) {
			_, port, err := net.SplitHostPort(c.Address)
			args := []string{program, port}
			if r == Push || r == Broadcast {
				args = append(args, strconv.Itoa(c.Size))
			}
			return args, err
		},
	}
}
