package servers

import (
	"maps"
	"net"
	"strconv"
)

// RedisServer is the name of Redis itself.
const RedisServer = "redis"

// RedisProgram is Redis, the redis-server at that path. It has a directory to itself, and writes nothing there.
func RedisProgram(program, version, dir string) Server {
	return Server{
		Name: RedisServer, Version: version,
		Setup: "redis-server with persistence off (save \"\", appendonly no)",
		Roles: map[Role]func(Config) error{Redis: nil},
		Command: func(_ Role, c Config) ([]string, error) {
			host, port, err := net.SplitHostPort(c.Address)
			return []string{
				program, "--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no",
				"--daemonize", "no", "--protected-mode", "no", // which takes 127.0.0.2 for a stranger
			}, err
		},
	}
}

// WithRedis is the server, weir, that can be Redis too: by the program at that path, which is built from example/redis.
func (s Server) WithRedis(program string) Server {
	s.Roles = maps.Clone(s.Roles)
	s.Roles[Redis] = nil
	s.Setup += "; redis: example/redis, which asks for events for 20 µs (BusyPoll) before it blocks"
	s.Command = func(_ Role, c Config) ([]string, error) {
		return []string{program, "-addr", c.Address, "-loops", strconv.Itoa(c.Loops)}, nil
	}
	return s
}
