package servers

import (
	"strings"
	"sync"

	"github.com/tidwall/redcon"
)

func redconServer() Server {
	return Server{
		Name: "redcon", Module: "github.com/tidwall/redcon",
		Setup: "ListenAndServe with a map behind an RWMutex, as its README has it",
		Roles: map[Role]func(Config) error{Redis: redconRedis},
	}
}

func redconRedis(c Config) error {
	s := redconStore{values: make(map[string][]byte)}
	accept := func(redcon.Conn) bool { return true }
	closed := func(redcon.Conn, error) {}
	return redcon.ListenAndServe(c.Address, s.serve, accept, closed)
}

// redconStore is what its commands need: PING, SET and GET.
type redconStore struct {
	mu     sync.RWMutex
	values map[string][]byte // guarded by mu
}

func (s *redconStore) serve(conn redcon.Conn, cmd redcon.Command) {
	switch name := strings.ToLower(string(cmd.Args[0])); {
	case name == "ping":
		conn.WriteString("PONG")
	case name == "set" && len(cmd.Args) == 3:
		s.mu.Lock()
		s.values[string(cmd.Args[1])] = cmd.Args[2] // a copy of its own, says redcon
		s.mu.Unlock()
		conn.WriteString("OK")
	case name == "get" && len(cmd.Args) == 2:
		s.mu.RLock()
		value, ok := s.values[string(cmd.Args[1])]
		s.mu.RUnlock()
		if ok {
			conn.WriteBulk(value)
		} else {
			conn.WriteNull()
		}
	default:
		conn.WriteError("ERR not one of those that are measured")
	}
}
