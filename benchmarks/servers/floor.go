package servers

import "net"

// Floor is the C program at that path, as package floor builds it.
func Floor(program string) Server {
	return Server{
		Name:  "floor",
		Setup: "C, one thread, level-triggered epoll, one buffer; see floor/src/floor.c",
		Roles: map[Role]func(Config) error{Echo: nil, WebSocket: nil},
		Raw:   true,
		Command: func(_ Role, c Config) ([]string, error) {
			_, port, err := net.SplitHostPort(c.Address)
			return []string{program, port}, err
		},
	}
}
