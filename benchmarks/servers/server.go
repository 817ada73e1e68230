// Package servers holds the servers that are compared. Each does its jobs through the public API of its library, in the
// set-up that this library's own documentation recommends for one loop on one processor, or what was found to be faster.
//
// A new server is a file with a function that returns its Server, and a line in All. A new job is a Role, and an entry in
// the Roles of those that can do it.
package servers

import (
	"fmt"
	"io"
)

// Role is what a server does with what it receives.
type Role string

// The roles.
const (
	// Echo sends every byte back.
	Echo Role = "echo"
	// Frame counts messages: those of load.Frames.
	Frame Role = "frame"
	// Push answers the first byte on a connection with the same byte. For each byte that comes later, on any connection,
	// it sends one message to all connections, from a goroutine that is not the connections' own.
	Push Role = "push"
	// Redis answers the commands PING, SET and GET of Redis.
	Redis Role = "redis"
	// HTTP answers a request for load.Plaintext with load.PlaintextBody.
	HTTP Role = "http"
	// WebSocket sends every message back that comes on a WebSocket.
	WebSocket Role = "websocket"
	// Broadcast subscribes every WebSocket to one topic, and then welcomes it with load.Welcome. For each message that comes
	// on any of them it sends one message, of pushMessage, to all.
	Broadcast Role = "broadcast"
)

// Config is what a server is told about its job.
type Config struct {
	Address  string // where it listens: host and port
	Loops    int    // event loops
	InFlight int    // bytes that a peer sends before it waits for an answer
	Size     int    // Push, Broadcast: bytes of the message
}

// Server is one of those that are compared.
type Server struct {
	Name   string
	Module string // whose version the report shows; none: it has no version of its own
	// Version is that of a program of others; none: Module has it.
	Version string
	Setup   string // for the report: how it was set up
	// Roles has a function for each of its roles, which serves until the process ends. nil: Command does.
	Roles map[Role]func(Config) error
	// Command is the program to run for such a role, and its arguments.
	Command func(Role, Config) ([]string, error)
	// Raw says that it knows no WebSocket: it plays Echo and Push where others play WebSocket and Broadcast.
	Raw bool
}

// Plays reports whether the server has this role.
func (s *Server) Plays(r Role) bool {
	_, ok := s.Roles[r]
	return ok
}

// All are the servers that are part of this program.
func All() []Server {
	return []Server{
		weirServer(), gnetServer(), nbioServer(), netpollServer(), gevServer(), evioServer(), netServer(), netPeekServer(),
		redconServer(), fasthttpServer(), netHTTPServer(), gwsServer(), gorillaServer(),
	}
}

// Find is the server of that name.
func Find(name string) (Server, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	return Server{}, fmt.Errorf("unknown server %q", name)
}

// Serve plays a role until the process ends.
func (s *Server) Serve(r Role, c Config) error {
	play := s.Roles[r]
	if play == nil {
		return fmt.Errorf("%s can't serve as %q", s.Name, r)
	}
	if err := play(c); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return io.ErrUnexpectedEOF // it should have gone on
}
